/** The accepting side of a handshake. */
import type { Channel, PeerAddress } from "../channel/channel.ts";
import type { Timer } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { typeName } from "../references/offers.ts";
import type { Authenticator } from "../types/authentication.ts";
import type { Principal, Session } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame, kindOf, optional, protocolVersion } from "../wire/frames.ts";
import { AuthDialogue } from "./auth-dialogue.ts";
import type { Disclosure } from "./disclosure.ts";
import type { Agreement, FrontNote } from "./environment.ts";
import { Handshake, type HandshakeOptions, noteOf, type Settle, unexpected } from "./handshake.ts";
import { type ClientHello, createNonce, createSessionId, readClientHello, sharedLimits } from "./hello.ts";
import type { Authorize } from "./policy.ts";
import type { OfferedFront } from "./serving.ts";
import { LiveSession } from "./session.ts";

export interface ServerOptions extends HandshakeOptions {
  /** Empty: nobody is asked who they are. */
  readonly authenticators: readonly Authenticator[];
  /** Slows down who tries again and again. */
  readonly tries: AuthTries;
  readonly authorize: readonly Authorize[];
  readonly disclosure: Disclosure;
  /** Makes what this session is offered. What it throws refuses the session as `internal`. */
  offer(session: Session): OfferedFront | Promise<OfferedFront>;
  /** The channel of a handshake that failed is gone: a peer that was refused may take its time to leave. */
  gone(): void;
}

/** A budget of authentications for each address. */
export interface AuthTries {
  /** Time to wait before this try, in milliseconds; `undefined` when there are too many. */
  take(peer: PeerAddress): number | undefined;
  /** The proof was not accepted. */
  failed(peer: PeerAddress): void;
  /** The try that was taken is over, however it ended. */
  ended(peer: PeerAddress): void;
}

/** Accepts a session over a channel. Rejects with RpcError when there is none; the channel is closed then. */
export function acceptSession(channel: Channel, options: ServerOptions): Promise<LiveSession> {
  return new Promise((resolve, reject) => new ServerHandshake(channel, options, { resolve, reject }).begin());
}

class ServerHandshake extends Handshake {
  readonly #options: ServerOptions;
  readonly #nonce = createNonce();
  readonly #sessionId = createSessionId();
  readonly #timer: Timer;
  #delay: Timer | undefined;
  #isGreeted = false;
  /** The session to be, from authentication until it begins. */
  #session: LiveSession | undefined;

  constructor(channel: Channel, options: ServerOptions, settle: Settle) {
    super(channel, options, settle);
    this.#options = options;
    const { handshakeTimeoutMs } = this.environment.limits;
    const leftMs = handshakeTimeoutMs - (channel.openingMs ?? 0);
    this.#timer = this.environment.clock.setTimer(leftMs, () => {
      const detail = `no session within ${handshakeTimeoutMs} ms (limits.handshakeTimeoutMs)`;
      this.fail(new RpcError("timeout", detail, "not-sent"), "quiet");
    });
  }

  protected start(): void {
    this.link.start();
  }

  protected receive(code: number, reader: ByteReader): void {
    switch (kindOf(code)) {
      case frame.hello:
        if (this.#isGreeted) throw unexpected(frame.hello, "again");
        this.#isGreeted = true;
        this.#greet(readClientHello(reader, this.environment.codec));
        break;
      case frame.auth:
        if (!this.dialogue) throw unexpected(frame.auth, "without authentication");
        this.dialogue.deliver(reader);
        break;
      case frame.goodbye:
        this.fail(new RpcError("closed", "the peer went away", "not-sent"), "quiet");
        break;
      default:
        if (!(code & optional)) throw unexpected(kindOf(code), "before the session");
    }
  }

  protected done(): void {
    this.#timer.cancel();
    this.#delay?.cancel();
  }

  /** What the factory of its front asked of the session, or holds for it, ends with it. */
  protected abandoned(): void {
    this.#session?.close("the handshake failed");
  }

  protected override gone(): void {
    this.#options.gone();
  }

  #greet(hello: ClientHello): void {
    const authenticator = this.#authenticatorFor(hello.auth);
    const auth = authenticator && !authenticator.needsNoMessages ? authenticator.method : null;
    this.send(frame.hello, {
      version: protocolVersion,
      features: [],
      limits: sharedLimits(this.environment.limits),
      heartbeatMs: this.heartbeatMs,
      nonce: this.#nonce,
      sessionId: this.#sessionId,
      auth,
    });
    const agreement = this.agree(hello, this.#sessionId, hello.front);
    if (authenticator) this.#authenticate(authenticator, hello, agreement);
    else this.#offer(agreement, undefined);
  }

  /** The one the client has credentials for, or else one that needs nothing of it. @throws RpcError `unauthenticated` */
  #authenticatorFor(offered: readonly string[]): Authenticator | undefined {
    const { authenticators } = this.#options;
    if (authenticators.length === 0) return undefined;
    const known = authenticators.find(({ method }) => offered.includes(method));
    const chosen = known ?? authenticators.find(({ needsNoMessages }) => needsNoMessages);
    if (chosen) return chosen;
    const methods = authenticators.map(({ method }) => method).join(", ");
    throw new RpcError("unauthenticated", `this service asks for credentials: ${methods}`, "not-sent");
  }

  #authenticate(authenticator: Authenticator, hello: ClientHello, agreement: Agreement): void {
    const { tries } = this.#options;
    const delayMs = tries.take(this.link.peer);
    if (delayMs === undefined)
      throw new RpcError("overloaded", "too many failed authentications; try later", "not-sent");
    const dialogue = new AuthDialogue("server", { client: hello.nonce, server: this.#nonce }, this.link);
    this.dialogue = dialogue;
    this.#after(delayMs)
      .then(() => authenticator.verify(dialogue))
      .then((principal) => this.#authenticated(agreement, principal))
      .catch((error: unknown) => this.fail(verifyFailed(error), "tell"))
      .finally(() => tries.ended(this.link.peer));
  }

  #after(delayMs: number): Promise<void> {
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = this.environment.clock.setTimer(delayMs, resolve);
      const cancel = () => {
        timer.cancel();
        reject(new RpcError("closed", "the handshake is over", "not-sent"));
      };
      this.#delay = { cancel };
    });
  }

  #authenticated(agreement: Agreement, principal: Principal | null): void {
    if (this.isSettled) return;
    if (!isPrincipal(principal)) {
      this.#options.tries.failed(this.link.peer);
      throw new RpcError("unauthenticated", "the credentials were not accepted", "not-sent");
    }
    this.#offer(agreement, principal);
  }

  /** Makes what the session offers, which may take a while; only then is the client told to begin. */
  #offer(agreement: Agreement, principal: Principal | undefined): void {
    const { environment, address, authorize, disclosure, offer } = this.#options;
    const session = new LiveSession({
      environment,
      agreement,
      link: this.link,
      address,
      principal,
      authorize,
      disclosure,
    });
    this.#session = session;
    Promise.resolve()
      .then(() => offer(session))
      .then((front) => this.#ready(session, front))
      .catch((error: unknown) => this.fail(offerFailed(error), "tell"));
  }

  #ready(session: LiveSession, front: OfferedFront): void {
    session.offer(front);
    if (this.isSettled || session.state === "closed") {
      session.close();
      return;
    }
    this.send(frame.ready, { front: announce(front) });
    this.#session = undefined;
    session.begin();
    this.succeed(session);
  }
}

/** A verifier of a program's without types may say `true`: that is nobody. */
function isPrincipal(value: unknown): value is Principal {
  return typeof value === "object" && value !== null && typeof (value as Partial<Principal>).id === "string";
}

/** The client learns that it was refused; why a verifier failed is the program's to know. */
function verifyFailed(cause: unknown): RpcError {
  if (cause instanceof RpcError) return cause;
  return new RpcError("unauthenticated", "the credentials could not be verified", "not-sent", { cause });
}

function offerFailed(cause: unknown): RpcError {
  if (cause instanceof RpcError) return cause;
  return new RpcError("internal", "the front could not be made", "not-sent", { cause });
}

/** What `perCall` makes is not known yet. */
function announce(front: OfferedFront): FrontNote | null {
  if (front.kind === "none") return null;
  return front.kind === "perCall" ? { kind: "object", name: "" } : noteOf(front.object, typeName(front.object));
}
