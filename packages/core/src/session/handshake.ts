/**
 * How a channel becomes a session. What both sides do alike is here; `client-handshake.ts` and `server-handshake.ts` are
 * the two ends.
 *
 *     client                                   server
 *       preamble, hello ───────────────────────►
 *       ◄─────────────────────── preamble, hello
 *       ◄──────────── auth, as the method has it ►
 *       ◄───────────────────────────────── ready   the front is made, the client may call
 *       ready ─────────────────────────────────►   the server may call
 *
 * Either side may say goodbye instead, with the reason.
 */
import type { Channel } from "../channel/channel.ts";
import type { Timer } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { Link, type LinkHandler } from "../wire/link.ts";
import type { AuthDialogue } from "./auth-dialogue.ts";
import type { Agreement, FrontNote, SessionEnvironment } from "./environment.ts";
import { lingerMs, sendGoodbye } from "./goodbye.ts";
import { type ClientHello, type ReadyNote, type ServerHello, writeHello } from "./hello.ts";
import type { LiveSession } from "./session.ts";

export interface HandshakeOptions {
  readonly environment: SessionEnvironment;
  readonly heartbeatMs: number;
  /** The peer's address as people know it. */
  readonly address: string;
}

/** How a handshake ends: one of the two, once. */
export interface Settle {
  resolve(session: LiveSession): void;
  reject(error: RpcError): void;
}

/** All that a peer may send before there is a session, in bytes. */
const maxHandshakeBytes = 16 * 1024;

export abstract class Handshake implements LinkHandler {
  protected readonly link: Link;
  protected readonly environment: SessionEnvironment;
  protected readonly heartbeatMs: number;
  protected dialogue: AuthDialogue | undefined;
  readonly #settle: Settle;
  #isSettled = false;
  #linger: Timer | undefined;

  constructor(channel: Channel, options: HandshakeOptions, settle: Settle) {
    this.environment = options.environment;
    this.heartbeatMs = options.heartbeatMs;
    this.link = new Link(channel, options.environment, this);
    this.#settle = settle;
  }

  /** Says and awaits the first words. */
  protected abstract start(): void;
  protected abstract receive(code: number, reader: ByteReader): void;
  protected abstract done(): void;
  /** There will be no session: what was prepared for it goes. */
  protected abstract abandoned(): void;
  /** The channel is gone, and there was no session. */
  protected gone(): void {}

  /** What throws at once fails it like what goes wrong later: the channel is closed then. */
  begin(): void {
    try {
      this.start();
    } catch (error) {
      this.fail(notBegun(error), "quiet");
    }
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  message(code: number, reader: ByteReader): void {
    if (this.link.bytesIn > maxHandshakeBytes) {
      throw new RpcError("protocol", `more than ${maxHandshakeBytes} bytes before the session`, "not-sent");
    }
    this.receive(code, reader);
  }

  begun(): void {
    throw new RpcError("protocol", "a message in fragments before the session", "not-sent");
  }

  advanced(): void {}

  failed(error: RpcError): void {
    this.fail(error, "tell");
  }

  closed(error?: Error): void {
    // What a transport says in our own words it says best: a certificate refused, text where bytes were due.
    this.fail(
      error instanceof RpcError ? new RpcError(error.code, error.detail, "not-sent", error) : lost(error),
      "quiet",
    );
    this.#linger?.cancel();
    this.gone();
  }

  protected succeed(session: LiveSession): void {
    this.#isSettled = true;
    this.done();
    this.#settle.resolve(session);
  }

  /** Ends it without a session. A peer that speaks farref is told why; to others nothing is said. */
  protected fail(error: RpcError, manner: "tell" | "quiet"): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.done();
    this.dialogue?.end(error);
    if (manner === "tell" && this.link.isUnderstood) this.#sayGoodbye(error);
    else this.link.destroy();
    this.abandoned();
    this.#settle.reject(error);
  }

  #sayGoodbye(error: RpcError): void {
    this.link.greet();
    sendGoodbye(this.link.outbox, error.code, error.detail);
    this.link.end();
    this.#linger = this.environment.clock.setTimer(lingerMs, () => this.link.kill());
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

function lost(error: Error | undefined): RpcError {
  const what = error ? `the connection was lost: ${error.message}` : "the peer closed the connection";
  return new RpcError("unreachable", `${what} before the session began`, "not-sent", error && { cause: error });
}

function notBegun(cause: unknown): RpcError {
  if (cause instanceof RpcError) return cause;
  return new RpcError("internal", "the handshake could not begin", "not-sent", { cause });
}

/** The type's name of a front, for printing at the far end. */
export function noteOf(front: object, name: string): FrontNote {
  return { kind: typeof front === "function" ? "function" : "object", name };
}

export function unexpected(kind: number, when: string): RpcError {
  return new RpcError("protocol", `a frame of kind ${kind} ${when}`, "not-sent");
}
