/** How a peer proves who it is: messages both sides exchange between their hellos and the session. */
import type { PeerAddress } from "../channel/channel.ts";
import type { Principal } from "./session.ts";

/** The conversation of one authentication, as one of its sides sees it. */
export interface AuthExchange {
  readonly role: "client" | "server";
  readonly peer: PeerAddress;
  /** 32 fresh random bytes of each side, sent in the hellos: what a proof is bound to, so that it can't be replayed. */
  readonly nonces: { readonly client: Uint8Array; readonly server: Uint8Array };
  /** Sends one message of at most 2,048 bytes. @throws RpcError `limit-exceeded` */
  send(bytes: Uint8Array): void;
  /** The next message of the other side. Rejects when the connection ends or its time is up. */
  receive(): Promise<Uint8Array>;
}

/** The side that asks for proof. */
export interface Authenticator {
  /** The name both sides know the method by. */
  readonly method: string;
  /** The client has nothing to say: what it is judged by is known from the channel. */
  readonly needsNoMessages?: true | undefined;
  /** Who the client is; `null` refuses it as `unauthenticated`. */
  verify(exchange: AuthExchange): Promise<Principal | null>;
}

/** The side that proves. */
export interface Credentials {
  readonly method: string;
  /** Refuses servers that don't ask for this proof, and so prove nothing themselves. */
  readonly isMutual?: true | undefined;
  /** Tells the secret itself: beyond this machine only over an encrypted channel. */
  readonly revealsSecret?: true | undefined;
  /** Proves who we are, and checks the server's own proof where the method has one. Rejecting ends the connection. */
  prove(exchange: AuthExchange): Promise<void>;
}
