/**
 * Calls on results, and with results, that are not there yet. They wait here without taking a slot from the calls they
 * wait for; a call on an object, whose arguments are waited for, keeps its place among the calls on that object.
 */
import { refusal } from "../errors/refusal.ts";
import type { RpcError } from "../errors/rpc-error.ts";
import type { CallQueue } from "./call-queue.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { type KeptResult, KeptResults } from "./kept-results.ts";

export interface DependentCallsHost {
  /** Makes a result the target of a call. @throws RpcError `not-exposed` for one that is no object */
  aim(call: IncomingCall, result: unknown): void;
  /** Ids of the calls whose results are among the arguments. */
  resultsIn(call: IncomingCall): readonly number[];
  refuse(call: IncomingCall, error: RpcError): void;
}

export interface DependentCallsLimits {
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  readonly maxResults: number;
  readonly maxBytes: number;
}

export class DependentCalls {
  readonly #limits: DependentCallsLimits;
  readonly #queue: CallQueue;
  readonly #host: DependentCallsHost;
  readonly #results: KeptResults;
  readonly #waiting = new Map<number, IncomingCall>();
  #waitingBytes = 0;
  /** Calls whose results have just come; one after the other, so that a long chain takes no deep stack. */
  readonly #settled: KeptResult[] = [];
  #isSettling = false;

  constructor(limits: DependentCallsLimits, queue: CallQueue, host: DependentCallsHost) {
    this.#limits = limits;
    this.#queue = queue;
    this.#host = host;
    this.#results = new KeptResults(limits);
  }

  /** A call has come whose result is to be kept. @throws RpcError `limit-exceeded` */
  keepResultOf(call: IncomingCall): void {
    call.kept = this.#results.open(call.id);
  }

  /**
   * Notes which results are among the arguments, as soon as those are whole: while the call waits for its turn, the peer
   * may get them and need them no more. @throws RpcError
   */
  noteArguments(call: IncomingCall): void {
    call.argumentResults = this.#host.resultsIn(call).map((id) => this.#base(call, id));
  }

  /** A call on the result of an earlier one: enters when that is there. @throws RpcError */
  admit(call: IncomingCall): void {
    const base = this.#base(call, call.targetId);
    if (base.state.kind === "kept") this.#enter(call, base.state.value);
    else this.#wait(call, base);
  }

  /** The rest of a call has come, which may wait here. @throws RpcError `overloaded` when there is no room for it */
  completed(call: IncomingCall): void {
    if (!this.#waiting.has(call.id)) return;
    this.#waitingBytes += call.bodyBytes;
    if (this.#waitingBytes <= this.#limits.maxWaitingBytes) return;
    this.#unwait(call);
    throw this.#overloaded();
  }

  /** Whether the results among the arguments are there; if not, the call waits for them. @throws RpcError */
  hasArguments(call: IncomingCall): boolean {
    const bases = call.argumentResults ?? [];
    for (const base of bases) this.#require(call, base);
    const pending = bases.find((base) => base.state.kind === "pending");
    if (pending) this.#wait(call, pending);
    return !pending;
  }

  /** What a call returned, for the calls on it. */
  keep(result: KeptResult, value: unknown, bytes: number): void {
    this.#results.keep(result, value, bytes);
  }

  /** The call is answered: those that waited for it go on. */
  settle(result: KeptResult): void {
    result.become({ kind: "broken" });
    if (result.waiting.length === 0) return;
    this.#settled.push(result);
    if (this.#isSettling) return;
    this.#isSettling = true;
    for (let next = this.#settled.shift(); next; next = this.#settled.shift()) this.#goOn(next);
    this.#isSettling = false;
  }

  /** The peer needs the result of a call no more, or never will. */
  forget(callId: number): void {
    const result = this.#results.forget(callId);
    if (result) this.settle(result);
  }

  /** A call that waits for another's result, taken out. */
  remove(id: number): IncomingCall | undefined {
    const call = this.#waiting.get(id);
    if (call) this.#unwait(call);
    return call;
  }

  #unwait(call: IncomingCall): void {
    this.#waiting.delete(call.id);
    this.#waitingBytes -= call.bodyBytes;
  }

  clear(): IncomingCall[] {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#results.clear();
    return waiting;
  }

  /** The result of an earlier call: a call that waited for itself would wait for ever. */
  #base(call: IncomingCall, id: number): KeptResult {
    const base = id < call.id ? this.#results.get(id) : undefined;
    if (base) return this.#require(call, base);
    throw broken(call, id);
  }

  /** @throws RpcError for a result that there will never be */
  #require(call: IncomingCall, base: KeptResult): KeptResult {
    if (base.state.kind === "pending" || base.state.kind === "kept") return base;
    if (base.state.kind === "broken") throw broken(call, base.callId);
    throw refusal("limit-exceeded", `there was no room to keep the result of call ${base.callId}`, "not-executed");
  }

  #wait(call: IncomingCall, base: KeptResult): void {
    if (
      this.#waiting.size >= this.#limits.maxWaiting ||
      this.#waitingBytes + call.bodyBytes > this.#limits.maxWaitingBytes
    ) {
      throw this.#overloaded();
    }
    this.#waiting.set(call.id, call);
    this.#waitingBytes += call.bodyBytes;
    base.waiting.push(call);
  }

  #overloaded(): RpcError {
    return refusal("overloaded", `${this.#waiting.size} calls wait for results of others`, "not-executed");
  }

  #goOn(result: KeptResult): void {
    for (const call of result.waiting.splice(0)) {
      if (!this.#waiting.has(call.id)) continue;
      this.#unwait(call);
      if (!call.isFinished) this.#goOnWith(call, result);
    }
  }

  #goOnWith(call: IncomingCall, result: KeptResult): void {
    try {
      const { state } = this.#require(call, result);
      if (state.kind === "kept" && call.isOnResult && !call.entry) this.#enter(call, state.value);
      else this.#queue.completed(call);
    } catch (error) {
      this.#host.refuse(call, error as RpcError);
    }
  }

  #enter(call: IncomingCall, result: unknown): void {
    this.#host.aim(call, result);
    this.#queue.enter(call);
  }
}

/** The caller knows how the other call failed. */
function broken(call: IncomingCall, baseId: number): RpcError {
  call.isStepBroken = true;
  return refusal("cancelled", `call ${baseId}, which this one depends on, gave no result`, "not-executed");
}
