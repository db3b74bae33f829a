/** The connecting side of a handshake. */
import type { Channel } from "../channel/channel.ts";
import { printable } from "../errors/printable.ts";
import { isRpcErrorCode, RpcError } from "../errors/rpc-error.ts";
import { typeName } from "../references/offers.ts";
import type { Credentials } from "../types/authentication.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame, kindOf, optional, protocolVersion } from "../wire/frames.ts";
import { AuthDialogue } from "./auth-dialogue.ts";
import { readGoodbye } from "./goodbye.ts";
import { Handshake, type HandshakeOptions, noteOf, type Settle, unexpected } from "./handshake.ts";
import { createNonce, type ReadyNote, readReady, readServerHello, type ServerHello, sharedLimits } from "./hello.ts";
import { LiveSession } from "./session.ts";

export interface ClientOptions extends HandshakeOptions {
  /** What the server may call back. */
  readonly front: object | undefined;
  readonly credentials: Credentials | undefined;
  /** Covers the handshake; its reason is the failure's cause, or the failure itself if it is an RpcError. */
  readonly signal: AbortSignal | undefined;
}

/** Connects over a channel. Rejects with RpcError, `not-sent`; the channel is closed then. */
export function openSession(channel: Channel, options: ClientOptions): Promise<LiveSession> {
  return new Promise((resolve, reject) => new ClientHandshake(channel, options, { resolve, reject }).begin());
}

/** Why connecting was given up: the signal's reason, or an error that has it as its cause. */
export function abortError({ reason }: AbortSignal): RpcError {
  if (reason instanceof RpcError) return reason;
  return new RpcError("cancelled", "connecting was cancelled", "not-sent", { cause: reason });
}

class ClientHandshake extends Handshake {
  readonly #options: ClientOptions;
  readonly #nonce = createNonce();
  #hello: ServerHello | undefined;
  #ready: ReadyNote | undefined;
  /** We have proved who we are, and seen the server's proof, as far as there is any. */
  #isProved = false;

  constructor(channel: Channel, options: ClientOptions, settle: Settle) {
    super(channel, options, settle);
    this.#options = options;
  }

  protected start(): void {
    const { front, credentials, signal } = this.#options;
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.link.start();
    if (this.isSettled) return;
    this.send(frame.hello, {
      versions: [protocolVersion],
      features: [],
      limits: sharedLimits(this.environment.limits),
      heartbeatMs: this.heartbeatMs,
      nonce: this.#nonce,
      auth: credentials ? [credentials.method] : [],
      front: front ? noteOf(front, typeName(front)) : null,
    });
  }

  protected receive(code: number, reader: ByteReader): void {
    switch (kindOf(code)) {
      case frame.hello:
        if (this.#hello) throw unexpected(frame.hello, "again");
        this.#hello = readServerHello(reader, this.environment.codec);
        this.#prove(this.#hello);
        break;
      case frame.auth:
        if (!this.dialogue) throw unexpected(frame.auth, "without authentication");
        this.dialogue.deliver(reader);
        break;
      case frame.ready:
        if (this.#ready || !this.#hello) throw unexpected(frame.ready, "out of turn");
        this.#ready = readReady(reader, this.environment.codec);
        this.#beginIfBoth();
        break;
      case frame.ping:
        // The session has begun at the other end; that we live will show soon enough.
        break;
      case frame.goodbye:
        this.#refused(reader);
        break;
      default:
        if (!(code & optional)) throw unexpected(kindOf(code), "before ready");
    }
  }

  protected done(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }

  protected abandoned(): void {}

  /** Proves what the server asks for. */
  #prove({ auth, nonce }: ServerHello): void {
    const { credentials } = this.#options;
    if (auth === null) {
      if (credentials?.isMutual) throw unauthenticated("the server proves nothing, as it asks for no authentication");
      this.#isProved = true;
      return;
    }
    if (auth !== credentials?.method) throw unauthenticated(`the server asks for "${printable(auth, 64)}"`);
    const dialogue = new AuthDialogue("client", { client: this.#nonce, server: nonce }, this.link);
    this.dialogue = dialogue;
    Promise.resolve()
      .then(() => credentials.prove(dialogue))
      .then(() => this.#proved())
      .catch((error: unknown) => this.fail(asUnauthenticated(error), "tell"));
  }

  #proved(): void {
    this.#isProved = true;
    this.#beginIfBoth();
  }

  /** The server may be ready before its proof is checked here. */
  #beginIfBoth(): void {
    if (!this.#hello || !this.#ready || !this.#isProved || this.isSettled) return;
    const { environment, address, front } = this.#options;
    const agreement = this.agree(this.#hello, this.#hello.sessionId, this.#ready.front);
    const { link } = this;
    const session = new LiveSession({
      environment,
      agreement,
      link,
      address,
      principal: undefined,
      authorize: [],
      disclosure: {},
    });
    session.offer(front ? { kind: "shared", object: front } : { kind: "none" });
    link.outbox.begin(frame.ready);
    link.outbox.end("control");
    session.begin();
    session.peerReady();
    this.succeed(session);
  }

  #refused(reader: ByteReader): void {
    const { code, message } = readGoodbye(reader);
    const error = new RpcError(isRpcErrorCode(code) ? code : "closed", `the peer refused: ${message}`, "not-sent");
    this.fail(error, "quiet");
  }

  readonly #onAbort = (): void => {
    if (this.#options.signal) this.fail(abortError(this.#options.signal), "quiet");
  };
}

function unauthenticated(detail: string): RpcError {
  return new RpcError("unauthenticated", detail, "not-sent");
}

function asUnauthenticated(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError("unauthenticated", "the credentials could not be proved", "not-sent", { cause: error });
}
