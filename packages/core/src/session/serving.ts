/**
 * The serving half of a session: the calls the peer makes are let in, run and answered.
 *
 *     call frame ─► admission ─► queue ─► dispatcher ─► method ─► ends ─► answer
 *
 * Whatever can be done at once is: a synchronous method is answered before the next frame is read.
 */
import { refusal } from "../errors/refusal.ts";
import type { RpcError } from "../errors/rpc-error.ts";
import type { Limits } from "../limits/limits.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { Session } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { maxIncompleteBytes } from "../wire/fragments.ts";
import { errorFlag } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import { Admission } from "./admission.ts";
import { Answers } from "./answers.ts";
import type { Arrivals } from "./arrivals.ts";
import { CallArguments } from "./call-arguments.ts";
import { CallEnds } from "./call-ends.ts";
import { CallQueue } from "./call-queue.ts";
import type { Departures } from "./departures.ts";
import { DependentCalls, type DependentCallsLimits } from "./dependent-calls.ts";
import type { Disclosure } from "./disclosure.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { SessionEnvironment, SharedLimits } from "./environment.ts";
import type { IncomingCall } from "./incoming-call.ts";
import type { Authorize } from "./policy.ts";
import { RunningCalls } from "./running-calls.ts";
import { ServedFront } from "./served-front.ts";

export type { OfferedFront } from "./served-front.ts";

export interface ServingOptions {
  readonly environment: SessionEnvironment;
  readonly session: Session;
  readonly outbox: Outbox;
  readonly exports: ExportTable;
  readonly departures: Departures;
  readonly arrivals: Arrivals;
  readonly peerLimits: SharedLimits;
  readonly authorize: readonly Authorize[];
  readonly disclosure: Disclosure;
  /** Calls of ours that await the peer. */
  awaitedCalls(): number;
  /** More of the peer's calls run than before. */
  occupied(): void;
  /** An answer was written. */
  answered(): void;
}

export class Serving {
  /** Takes the frames of calls. */
  readonly admission: Admission;
  readonly running: RunningCalls;
  readonly front: ServedFront;
  readonly #options: ServingOptions;
  readonly #answers: Answers;
  readonly #queue: CallQueue;
  readonly #dependents: DependentCalls;
  readonly #ends: CallEnds;
  readonly #dispatcher: Dispatcher;
  #isPumping = false;

  constructor(options: ServingOptions) {
    const { environment, outbox, exports, departures, peerLimits, authorize } = options;
    this.#options = options;
    this.#answers = new Answers(environment.codec, outbox, departures, peerLimits);
    this.front = new ServedFront(environment, exports);
    const args = new CallArguments(environment, options.arrivals, exports);
    this.#queue = this.#queueCalls();
    this.#dependents = new DependentCalls(dependentLimits(environment.limits), this.#queue, {
      aim: (call, result) => this.admission.aim(call, result),
      resultsIn: (call) => args.resultsIn(call),
      refuse: (call, error) => this.#ends.refuse(call, error),
    });
    this.running = new RunningCalls(this.#queue, this.#dependents, {
      occupied: options.occupied,
      finished: (call) => this.#finished(call),
    });
    const parts = { queue: this.#queue, dependents: this.#dependents, running: this.running };
    this.#ends = new CallEnds({ ...options, ...parts, answers: this.#answers });
    const ends = this.#ends;
    this.admission = new Admission({ ...options, ...parts, ends });
    this.#dispatcher = new Dispatcher({
      ...parts,
      ends,
      passes: environment.passes,
      authorize,
      front: this.front,
      args,
      pump: () => this.pump(),
    });
  }

  #queueCalls(): CallQueue {
    const { environment, awaitedCalls } = this.#options;
    const { limits } = environment;
    return new CallQueue({
      ...limits,
      maxQueuedBytes: maxIncompleteBytes(limits.maxMessageBytes),
      awaitedCalls,
      isBacklogged: () => this.#ends.backlog !== "none",
      begin: (call) => this.#dispatcher.begin(call),
      overloaded: (call) => this.#ends.refuse(call, overloaded(limits)),
    });
  }

  /** Answers a call of a kind that this version does not know. */
  refuseUnknown(reader: ByteReader, error: RpcError): void {
    this.#answers.refusal(reader.varint(), error, errorFlag.argumentsUntouched);
  }

  /**
   * The caller waits no longer: a call that has not begun never will, the signal of one that runs fires, a result that
   * was kept is not needed any more.
   */
  cancel(reader: ByteReader): void {
    const id = reader.varint();
    const running = this.running.get(id) ?? this.admission.incomplete(id);
    running?.cancel(cancelled("unknown"));
    this.#dependents.forget(id);
    if (running) return;
    const waiting = this.#queue.remove(id) ?? this.#dependents.remove(id);
    if (waiting) this.#ends.refuse(waiting, cancelled("not-executed"));
  }

  /** Begins what became possible to begin, in a turn of its own: no method is run in the middle of another. */
  pump(): void {
    if (this.#isPumping || (this.#queue.isEmpty && !this.#ends.hasDeferred)) return;
    this.#isPumping = true;
    this.#options.environment.clock.endOfTurn(() => {
      this.#isPumping = false;
      this.#ends.pump();
      this.#queue.pump();
    });
  }

  /** The session is over: nothing is answered any more, the signals of running methods fire. */
  close(reason: RpcError): void {
    this.#ends.close();
    const waiting = [...this.#queue.clear(), ...this.#dependents.clear()];
    for (const call of [...waiting, ...this.admission.close(), ...this.running.close()]) {
      if (call.isFinished) continue;
      call.cancel(reason);
      this.running.finish(call);
    }
    this.front.close();
  }

  #finished(call: IncomingCall): void {
    this.#ends.finished(call);
    call.whenStreamsEnd(() => {
      if (call.entry) this.#options.exports.endCall(call.entry);
      if (call.madeFront) this.front.dispose(call.madeFront);
    });
  }
}

/** An honest peer has no more results kept, and no more calls waiting for them, than calls it awaits; then as many again. */
function dependentLimits(limits: Limits): DependentCallsLimits {
  const { maxRunningCalls, maxQueuedCalls, maxSendBufferBytes, maxMessageBytes } = limits;
  const maxCalls = 2 * (maxRunningCalls + maxQueuedCalls);
  const maxWaitingBytes = maxIncompleteBytes(maxMessageBytes);
  return { maxWaiting: maxCalls, maxWaitingBytes, maxResults: maxCalls, maxBytes: maxSendBufferBytes };
}

function overloaded({ maxRunningCalls, maxQueuedCalls }: Limits): RpcError {
  const limits = `limits.maxRunningCalls ${maxRunningCalls}, limits.maxQueuedCalls ${maxQueuedCalls}`;
  return refusal("overloaded", `too many calls at once (${limits})`, "not-executed");
}

function cancelled(outcome: "unknown" | "not-executed"): RpcError {
  return refusal("cancelled", "cancelled by the caller", outcome);
}
