/** The streams of a session, both ways: joins their tables with what the session sends and receives by. */
import type { RpcError } from "../errors/rpc-error.ts";
import { toError } from "../errors/to-error.ts";
import { streamOf } from "../streams/far-iterator.ts";
import type { IncomingStreamHost } from "../streams/incoming-stream.ts";
import { IncomingStreams } from "../streams/incoming-streams.ts";
import { OutgoingStreams } from "../streams/outgoing-streams.ts";
import type { Settler } from "../streams/steps.ts";
import type { Session } from "../types/session.ts";
import type { Outbox } from "../wire/outbox.ts";
import type { Arrivals } from "./arrivals.ts";
import { CallPromise } from "./call-promise.ts";
import type { Departures } from "./departures.ts";
import { type Disclosure, toldOf } from "./disclosure.ts";
import type { SessionEnvironment, SharedLimits } from "./environment.ts";
import type { PendingCall } from "./pending-call.ts";
import { SharedSignals } from "./shared-signals.ts";
import { StreamReader } from "./stream-reader.ts";
import { StreamWriter } from "./stream-writer.ts";

export interface SessionStreamsOptions {
  readonly environment: SessionEnvironment;
  readonly session: Session;
  /** Names the peer in errors. */
  readonly address: string;
  readonly outbox: Outbox;
  readonly peerLimits: SharedLimits;
  readonly disclosure: Disclosure;
  /** A stream has ended. */
  ended(): void;
}

export class SessionStreams {
  readonly outgoing: OutgoingStreams;
  readonly incoming: IncomingStreams;
  readonly #options: SessionStreamsOptions;
  readonly #signals: SharedSignals;
  #writer!: StreamWriter;
  #reader!: StreamReader;

  constructor(options: SessionStreamsOptions) {
    const { environment, peerLimits, outbox } = options;
    const { clock, limits, sourcesInUse, droppedStreams } = environment;
    this.#options = options;
    this.#signals = new SharedSignals((signal) => environment.expectListeners(signal));
    this.outgoing = new OutgoingStreams({
      clock,
      outbox,
      inUse: sourcesInUse,
      maxStreams: Math.min(limits.maxStreams, peerLimits.maxStreams),
      maxMessageBytes: peerLimits.maxMessageBytes,
      write: (stream, saying, maxBytes) => this.#writer.say(stream, saying, maxBytes),
      readReason: (reader) => this.#reader.readReason(reader),
      ended: () => options.ended(),
      unheard: (thrown) => this.#report(toError(thrown)),
    });
    this.incoming = new IncomingStreams({
      clock,
      dropped: droppedStreams,
      maxStreams: limits.maxStreams,
      maxMessageBytes: limits.maxMessageBytes,
      read: (piece, references) => this.#reader.read(piece, references),
      readFailure: (piece) => this.#reader.readFailure(piece),
      discard: (piece) => this.#reader.discard(piece),
      writeCredit: (id, items, bytes) => this.#writer.credit(id, items, bytes),
      writeCancel: (id, reason) => this.#writer.cancel(id, reason),
      promise: (begin) => this.#promise(begin),
      ended: () => options.ended(),
      collectGarbage: () => environment.collectGarbage(),
    });
  }

  /** What streams bring leaves and arrives as anything else does. */
  join(departures: Departures, arrivals: Arrivals): void {
    const { environment, outbox, peerLimits, disclosure, address } = this.#options;
    const { codec, limits } = environment;
    this.#reader = new StreamReader(codec, arrivals, limits, address);
    this.#writer = new StreamWriter({
      codec,
      outbox,
      departures,
      peerLimits,
      told: (thrown, by) => toldOf(thrown, by, disclosure, codec, (error) => this.#report(error)),
    });
  }

  /** The signal of a call goes on for the streams among what `arrived` with its result: aborted, it ends them. */
  endWith(call: PendingCall, arrived: readonly unknown[]): void {
    const signal = call.options?.signal;
    if (!signal) return;
    const cancelled = () => call.error("cancelled", "cancelled by the caller", "unknown", signal.reason);
    for (const value of arrived) {
      const stream = streamOf(value as object);
      if (!stream) continue;
      // A step's result may be taken long after the call was answered.
      if (signal.aborted) stream.fail(cancelled());
      else stream.whenLeft = this.#signals.listen(signal, () => stream.fail(cancelled()));
    }
  }

  /** Open ones, both ways. */
  get count(): number {
    return this.outgoing.size + this.incoming.size;
  }

  /** Nothing is on its way any more that anybody reads. */
  get isIdle(): boolean {
    return this.outgoing.size === 0 && this.incoming.readCount === 0;
  }

  /** The session is over. */
  close(error: RpcError): void {
    this.incoming.close(error);
    this.outgoing.close(error);
  }

  #report(error: Error): void {
    this.#options.environment.onError(error, this.#options.session);
  }

  readonly #promise: IncomingStreamHost["promise"] = <T>(begin: (settler: Settler<T>) => void) => {
    let settler!: Settler<T>;
    const promise = new CallPromise<T>((resolve, reject) => {
      settler = {
        resolve,
        reject: (error) => {
          this.#watch(promise, error);
          reject(error);
        },
      };
    });
    begin(settler);
    return promise;
  };

  /** A failure that nobody waits for at the end of the turn is reported; it must not end the process. */
  #watch(promise: CallPromise<unknown>, error: unknown): void {
    if (CallPromise.isAwaited(promise)) return;
    CallPromise.markHandled(promise);
    this.#options.environment.clock.endOfTurn(() => {
      if (!CallPromise.isAwaited(promise)) this.#report(toError(error));
    });
  }
}
