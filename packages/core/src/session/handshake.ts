/**
 * How a channel becomes a session. Both sides are done when the client has read `ready`:
 *
 *     client                                   server
 *       preamble, hello ───────────────────────►
 *       ◄─────────────────────── preamble, hello   (authentication would come here)
 *       ◄───────────────────────────────── ready   or goodbye: why there is no session
 */
import type { Channel } from "../channel/channel.ts";
import { isRpcErrorCode, RpcError } from "../errors/rpc-error.ts";
import { typeName } from "../references/export-table.ts";
import { disposeGuarded } from "../references/held-objects.ts";
import type { Principal, Session } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame, kindOf, optional, protocolVersion } from "../wire/frames.ts";
import { Link, type LinkHandler } from "../wire/link.ts";
import type { Agreement, FrontNote, SessionEnvironment } from "./environment.ts";
import { readGoodbye, sendGoodbye } from "./goodbye.ts";
import {
  type ClientHello,
  createNonce,
  createSessionId,
  type ReadyNote,
  readClientHello,
  readReady,
  readServerHello,
  type ServerHello,
  sharedLimits,
  writeHello,
} from "./hello.ts";
import type { Authorize } from "./policy.ts";
import type { OfferedFront } from "./serving.ts";
import { LiveSession } from "./session.ts";

interface HandshakeOptions {
  readonly environment: SessionEnvironment;
  readonly heartbeatMs: number;
  readonly address: string;
}

export interface ClientOptions extends HandshakeOptions {
  /** What the server may call back. */
  readonly front: object | undefined;
  /** Covers the handshake; its reason is the failure's cause, or the failure itself if it is an RpcError. */
  readonly signal: AbortSignal | undefined;
}

export interface ServerOptions extends HandshakeOptions {
  readonly authorize: readonly Authorize[];
  /** Makes what this session is offered. What it throws refuses the session as `internal`. */
  offer(session: Session): OfferedFront | Promise<OfferedFront>;
}

/** Connects over a channel. Rejects with RpcError, `not-sent`; the channel is closed then. */
export function openSession(channel: Channel, options: ClientOptions): Promise<LiveSession> {
  return new Promise((resolve, reject) => new ClientHandshake(channel, options, resolve, reject).start());
}

/** Accepts a session over a channel. Rejects with RpcError when there is none; the channel is closed then. */
export function acceptSession(channel: Channel, options: ServerOptions): Promise<LiveSession> {
  return new Promise((resolve, reject) => new ServerHandshake(channel, options, resolve, reject).start());
}

/** Why connecting was given up: the signal's reason, or an error that has it as its cause. */
export function abortError({ reason }: AbortSignal): RpcError {
  if (reason instanceof RpcError) return reason;
  return new RpcError("cancelled", "connecting was cancelled", "not-sent", { cause: reason });
}

type Settle<T> = (value: T) => void;

/** What both sides do alike: settle once, and leave nothing open when they fail. */
abstract class Handshake implements LinkHandler {
  protected readonly link: Link;
  protected readonly environment: SessionEnvironment;
  protected readonly heartbeatMs: number;
  readonly #resolve: Settle<LiveSession>;
  readonly #reject: Settle<RpcError>;
  #isSettled = false;

  constructor(channel: Channel, options: HandshakeOptions, resolve: Settle<LiveSession>, reject: Settle<RpcError>) {
    this.environment = options.environment;
    this.heartbeatMs = options.heartbeatMs;
    this.link = new Link(channel, options.environment, this);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  abstract message(code: number, reader: ByteReader): void;
  protected abstract done(): void;

  get isSettled(): boolean {
    return this.#isSettled;
  }

  begun(): void {
    throw new RpcError("protocol", "a message in fragments before the session", "not-sent");
  }

  advanced(): void {}

  failed(error: RpcError): void {
    this.fail(error, "tell");
  }

  closed(error?: Error): void {
    const what = error ? `the connection was lost: ${error.message}` : "the peer closed the connection";
    this.fail(
      new RpcError("unreachable", `${what} before the session began`, "not-sent", error && { cause: error }),
      "quiet",
    );
  }

  protected succeed(session: LiveSession): void {
    this.#isSettled = true;
    this.done();
    this.#resolve(session);
  }

  /** Ends it without a session. A peer that speaks farref is told why; to others nothing is said. */
  protected fail(error: RpcError, manner: "tell" | "quiet"): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.done();
    if (manner === "tell" && this.link.isUnderstood) this.#sayGoodbye(error);
    else this.link.destroy();
    this.#reject(error);
  }

  #sayGoodbye(error: RpcError): void {
    this.link.greet();
    sendGoodbye(this.link.outbox, error.code, error.detail);
    this.link.end();
  }

  protected send(code: number, hello: ClientHello | ServerHello | ReadyNote): void {
    this.link.greet();
    writeHello(this.link.outbox.begin(code), this.environment.codec, hello);
    this.link.outbox.end("control");
  }

  /** What both hellos say together. */
  protected agree(theirs: ClientHello | ServerHello, sessionId: string, peerFront: FrontNote | null): Agreement {
    return {
      sessionId,
      peerLimits: theirs.limits,
      heartbeatMs: Math.min(this.heartbeatMs, theirs.heartbeatMs),
      peerFront,
    };
  }
}

class ClientHandshake extends Handshake {
  readonly #options: ClientOptions;
  #hello: ServerHello | undefined;

  constructor(channel: Channel, options: ClientOptions, resolve: Settle<LiveSession>, reject: Settle<RpcError>) {
    super(channel, options, resolve, reject);
    this.#options = options;
  }

  start(): void {
    const { front, heartbeatMs, signal } = this.#options;
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.link.start();
    this.send(frame.hello, {
      versions: [protocolVersion],
      features: [],
      limits: sharedLimits(this.environment.limits),
      heartbeatMs,
      nonce: createNonce(),
      front: front ? noteOf(front) : null,
    });
  }

  message(code: number, reader: ByteReader): void {
    switch (kindOf(code)) {
      case frame.hello:
        this.#hello = readServerHello(reader, this.environment.codec);
        break;
      case frame.ready:
        this.#begin(readReady(reader, this.environment.codec));
        break;
      case frame.goodbye:
        this.#refused(reader);
        break;
      default:
        if (!(code & optional))
          throw new RpcError("protocol", `a frame of kind ${kindOf(code)} before ready`, "not-sent");
    }
  }

  protected done(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }

  #begin(ready: ReadyNote): void {
    if (!this.#hello) throw new RpcError("protocol", "ready before hello", "not-sent");
    const { environment, address, front } = this.#options;
    const agreement = this.agree(this.#hello, this.#hello.sessionId, ready.front);
    const { link } = this;
    const session = new LiveSession({ environment, agreement, link, address, principal: undefined, authorize: [] });
    session.offer(front ? { kind: "shared", object: front } : { kind: "none" });
    session.begin();
    this.succeed(session);
  }

  #refused(reader: ByteReader): void {
    const { code, message } = readGoodbye(reader);
    this.fail(
      new RpcError(isRpcErrorCode(code) ? code : "closed", `the peer refused: ${message}`, "not-sent"),
      "quiet",
    );
  }

  readonly #onAbort = (): void => {
    if (this.#options.signal) this.fail(abortError(this.#options.signal), "quiet");
  };
}

class ServerHandshake extends Handshake {
  readonly #options: ServerOptions;
  readonly #timer: { cancel(): void };
  #state: "awaiting hello" | "deciding" = "awaiting hello";

  constructor(channel: Channel, options: ServerOptions, resolve: Settle<LiveSession>, reject: Settle<RpcError>) {
    super(channel, options, resolve, reject);
    this.#options = options;
    const { handshakeTimeoutMs } = this.environment.limits;
    this.#timer = this.environment.clock.setTimer(handshakeTimeoutMs, () => {
      const detail = `no session within ${handshakeTimeoutMs} ms (limits.handshakeTimeoutMs)`;
      this.fail(new RpcError("timeout", detail, "not-sent"), "quiet");
    });
  }

  start(): void {
    this.link.start();
  }

  message(code: number, reader: ByteReader): void {
    if (kindOf(code) === frame.goodbye) {
      this.fail(new RpcError("closed", "the peer went away", "not-sent"), "quiet");
    } else if (kindOf(code) === frame.hello && this.#state === "awaiting hello") {
      this.#state = "deciding";
      this.#greet(readClientHello(reader, this.environment.codec));
    } else if (!(code & optional)) {
      throw new RpcError("protocol", `a frame of kind ${kindOf(code)} before the session`, "not-sent");
    }
  }

  protected done(): void {
    this.#timer.cancel();
  }

  #greet(hello: ClientHello): void {
    const { heartbeatMs } = this.#options;
    const sessionId = createSessionId();
    this.send(frame.hello, {
      version: protocolVersion,
      features: [],
      limits: sharedLimits(this.environment.limits),
      heartbeatMs,
      nonce: createNonce(),
      sessionId,
    });
    const agreement = this.agree(hello, sessionId, hello.front);
    this.#begin(agreement, undefined);
  }

  /** Makes what the session offers, which may take a while; only then is the client told to begin. */
  #begin(agreement: Agreement, principal: Principal | undefined): void {
    const { environment, address, authorize, offer } = this.#options;
    const session = new LiveSession({ environment, agreement, link: this.link, address, principal, authorize });
    Promise.resolve()
      .then(() => offer(session))
      .then((front) => this.#ready(session, front))
      .catch((error: unknown) => this.fail(this.#offerFailed(error), "tell"));
  }

  #ready(session: LiveSession, front: OfferedFront): void {
    if (this.isSettled || session.state === "closed") {
      if (front.kind === "own") disposeGuarded(front.object, (error) => this.environment.onError(error, session));
      session.close();
      return;
    }
    session.offer(front);
    this.send(frame.ready, { front: announce(front) });
    session.begin();
    this.succeed(session);
  }

  /** The peer learns that it failed, the program why. */
  #offerFailed(error: unknown): RpcError {
    this.environment.onError(error instanceof Error ? error : new Error(String(error)));
    return error instanceof RpcError ? error : new RpcError("internal", "the front could not be made", "not-sent");
  }
}

/** What `perCall` makes is not known yet. */
function announce(front: OfferedFront): FrontNote | null {
  if (front.kind === "none") return null;
  return front.kind === "perCall" ? { kind: "object", name: "" } : noteOf(front.object);
}

function noteOf(front: object): FrontNote {
  return { kind: typeof front === "function" ? "function" : "object", name: typeName(front) };
}
