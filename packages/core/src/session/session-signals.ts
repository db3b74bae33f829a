/** The abort signals of a session, both ways: joins their tables with what the session sends and receives by. */
import { RpcError } from "../errors/rpc-error.ts";
import { FarSignals } from "../references/far-signals.ts";
import { OwnSignals } from "../references/own-signals.ts";
import type { Codec, WireSignal } from "../values/codec.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Departures } from "./departures.ts";
import type { SessionEnvironment, SharedLimits } from "./environment.ts";
import type { HeldCalls } from "./held-calls.ts";

export interface SessionSignalsOptions {
  readonly environment: SessionEnvironment;
  readonly outbox: Outbox;
  readonly peerLimits: SharedLimits;
  /** Calls that wait to be sent: they may bring a signal that is aborted meanwhile. */
  readonly held: HeldCalls;
}

export class SessionSignals {
  readonly #options: SessionSignalsOptions;
  readonly #codec: Codec;
  readonly #own: OwnSignals;
  readonly #far = new FarSignals();
  #departures!: Departures;
  #arrivals!: Arrivals;
  #isClosed = false;

  constructor(options: SessionSignalsOptions) {
    const { environment } = options;
    this.#options = options;
    this.#codec = environment.codec;
    this.#own = new OwnSignals({
      collectedSignals: environment.collectedSignals,
      expectListeners: (signal) => environment.expectListeners(signal),
      collectGarbage: () => environment.collectGarbage(),
      aborted: (id, reason) => this.#tellTwice(() => this.#writeAbort(id, reason)),
      gone: (id) => this.#options.held.behind(() => this.#afterBegun(() => this.#writeGone(id))),
    });
  }

  /** Reasons leave and arrive as anything else does. */
  join(departures: Departures, arrivals: Arrivals): void {
    this.#departures = departures;
    this.#arrivals = arrivals;
  }

  /** The wire form of a signal that may still abort. @throws RpcError `limit-exceeded` */
  send(signal: AbortSignal): WireSignal {
    const home = this.#far.idOf(signal);
    return home === undefined ? { kind: "signal", id: this.#own.number(signal) } : { kind: "ownSignal", id: home };
  }

  /** @throws RpcError `limit-exceeded` */
  receive({ kind, id }: WireSignal): AbortSignal {
    return kind === "signal" ? this.#far.receive(id) : this.#own.get(id);
  }

  /** An `abort` frame: of a signal that nobody here has, it means nothing. */
  aborted(reader: ByteReader): void {
    const id = reader.varint();
    if (this.#far.has(id)) this.#far.abort(id, this.#readReason(reader));
  }

  gone(reader: ByteReader): void {
    this.#far.gone(reader.varint());
  }

  close(error: RpcError): void {
    this.#isClosed = true;
    this.#own.close();
    this.#far.close(error);
  }

  #readReason({ bytes, position, end }: ByteReader): unknown {
    try {
      return this.#arrivals.hydrate(this.#codec.decode(bytes, position, end, this.#options.environment.limits));
    } catch (error) {
      return error;
    }
  }

  /** A call that is held back may bring the signal only later: then it is told again, and the first one meant nothing. */
  #tellTwice(write: () => void): void {
    const { held, environment } = this.#options;
    // Not at once: the signal may have been aborted in the middle of a value that is being written.
    environment.clock.endOfTurn(() => {
      this.#afterBegun(write);
      if (!held.isEmpty) held.behind(() => this.#afterBegun(write));
    });
  }

  #afterBegun(write: () => void): void {
    this.#options.outbox.afterBegun(() => {
      if (!this.#isClosed) write();
    });
  }

  #writeAbort(id: number, reason: unknown): void {
    try {
      this.#tryAbort(id, reason);
    } catch (error) {
      this.#tryAbort(id, withoutReason(error));
    }
  }

  #tryAbort(id: number, reason: unknown): void {
    const { outbox, peerLimits } = this.#options;
    const writer = outbox.begin(frame.abort);
    try {
      writer.varint(id);
      this.#codec.encode(writer, reason, this.#departures.ofReplies, peerLimits, "reason");
      if (outbox.openBytes > peerLimits.maxMessageBytes) throw new RpcError("limit-exceeded", "too large", "not-sent");
    } catch (error) {
      outbox.abandon();
      this.#departures.undo();
      throw error;
    }
    this.#departures.take();
    outbox.end("control");
  }

  #writeGone(id: number): void {
    this.#options.outbox.begin(frame.signalGone).varint(id);
    this.#options.outbox.end("control");
  }
}

/** An abortion must not be lost for its reason. */
function withoutReason(error: unknown): Error {
  const reason = new Error(`aborted; the reason could not be sent: ${error instanceof Error ? error.message : error}`);
  return Object.defineProperty(reason, "name", { value: "AbortError" });
}
