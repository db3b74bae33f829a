/**
 * The calls the peer makes: looked up, run, answered.
 *
 *     call frame ─► target ─► queue ─► method table ─► decode ─► authorize ─► method ─► answer
 *
 * Whatever can be done at once is: a synchronous method is answered before the next frame is read.
 */

import type { Clock } from "../clock/clock.ts";
import { refusal } from "../errors/refusal.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { toError } from "../errors/to-error.ts";
import type { Limits } from "../limits/limits.ts";
import { guardOf, type MethodGuard } from "../references/contracts.ts";
import type { ExportEntry } from "../references/export-entry.ts";
import type { Method } from "../references/method-table.ts";
import type { Session } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { maxIncompleteBytes } from "../wire/fragments.ts";
import { Numbered } from "../wire/numbered.ts";
import { CallQueue } from "./call-queue.ts";
import type { Callee } from "./callee.ts";
import { applyInCall } from "./current-call.ts";
import { DependentCalls, type DependentCallsLimits } from "./dependent-calls.ts";
import { type CallHeader, IncomingCall, readCallHeader } from "./incoming-call.ts";
import type { ReceivedMethodNames } from "./method-names.ts";
import type { CallPasses } from "./passes.ts";

/** An empty list. */
const noArguments = { bytes: Uint8Array.of(0x90), start: 0, end: 1 };

type DispatcherLimits = Pick<
  Limits,
  "maxRunningCalls" | "maxQueuedCalls" | "maxCallDepth" | "maxSendBufferBytes" | "maxMessageBytes"
>;

/** What the dispatcher asks of its session. */
export interface DispatcherHost {
  readonly session: Session;
  readonly clock: Clock;
  readonly methodNames: ReceivedMethodNames;
  readonly passes: CallPasses | undefined;
  /** The longest a call may take, where the service has a limit. */
  readonly callTimeoutMs: number | undefined;
  awaitedCalls(): number;
  /** What the peer leaves unread: so much that nothing new is begun, or so much that nothing is added. */
  backlog(): "none" | "some" | "full";
  /** The target of a call, kept until `finished`. @throws RpcError `stale-reference` */
  target(id: number): ExportEntry;
  /** The same for a call on a result. @throws RpcError `not-exposed` for one that is no object */
  resultTarget(result: unknown): ExportEntry;
  /** Ids of the calls whose results are among the arguments. */
  resultsIn(call: IncomingCall): readonly number[];
  /** The object a call runs on: the target's, or what `perCall` makes for it. */
  callee(call: IncomingCall, entry: ExportEntry): Callee | PromiseLike<Callee>;
  decode(call: IncomingCall): unknown[];
  authorize(
    call: IncomingCall,
    object: object,
    args: readonly unknown[],
    scope: string | undefined,
  ): undefined | Promise<void>;
  answer(call: IncomingCall, value: unknown): void;
  answerThrown(call: IncomingCall, thrown: unknown): void;
  refuse(call: IncomingCall, error: RpcError): void;
  /** The answer is given: what was kept for the call may go. */
  finished(call: IncomingCall): void;
  /** More calls run than before: the peer may have to take more of ours. */
  occupied(): void;
  onError(error: Error): void;
}

export class Dispatcher {
  /** Calls received, for the statistics. */
  count = 0;
  readonly #limits: DispatcherLimits;
  readonly #host: DispatcherHost;
  readonly #queue: CallQueue;
  readonly #dependents: DependentCalls;
  readonly #running = new Numbered<IncomingCall>("the peer's");
  /** Calls of which the rest is still to come. */
  readonly #incomplete = new Map<number, IncomingCall>();
  /** Results that wait until the peer has read others. */
  readonly #deferred: (() => void)[] = [];
  #lastId = 0;
  #whenIdle: (() => void) | undefined;
  #isPumping = false;
  #isClosed = false;

  constructor(limits: DispatcherLimits, host: DispatcherHost) {
    this.#limits = limits;
    this.#host = host;
    this.#queue = new CallQueue({
      maxRunningCalls: limits.maxRunningCalls,
      maxQueuedCalls: limits.maxQueuedCalls,
      maxQueuedBytes: maxIncompleteBytes(limits.maxMessageBytes),
      awaitedCalls: () => host.awaitedCalls(),
      isBacklogged: () => host.backlog() !== "none",
      begin: (call) => this.#begin(call),
      overloaded: (call) => this.#refuse(call, this.#overloaded()),
    });
    this.#dependents = new DependentCalls(dependentLimits(limits), {
      aim: (call, result) => this.#aim(call, result),
      enter: (call) => this.#queue.enter(call),
      argumentsReady: (call) => this.#queue.completed(call),
      resultsIn: (call) => host.resultsIn(call),
      refuse: (call, error) => this.#refuse(call, error),
    });
  }

  /** It drains, and nothing runs. */
  get isDrained(): boolean {
    return this.#whenIdle !== undefined && this.#queue.isIdle && !this.#isClosed;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** A whole call frame. @throws RpcError `protocol` */
  receive(reader: ByteReader): void {
    const header = readCallHeader(reader, this.#host.methodNames);
    const begun = this.#incomplete.get(header.id);
    if (!begun) this.count++;
    const call = begun ?? this.#newCall(header);
    call.body = { bytes: reader.bytes, start: reader.position, end: reader.end };
    if (call.hasResultArguments) this.#step(call, () => this.#dependents.noteArguments(call));
    const wasIncomplete = this.#incomplete.delete(call.id);
    if (call.isFinished) return;
    if (wasIncomplete) this.#queue.completed(call);
    else this.#admit(call);
  }

  /** A lookup: it is on nothing that has a number. @throws RpcError `protocol` */
  lookUp(header: CallHeader, find: () => Callee): void {
    const call = this.#newCall(header);
    call.find = find;
    call.body = noArguments;
    this.#admit(call);
  }

  /** The first fragment of a call frame: the call has its place from now on. @throws RpcError `protocol` */
  begun(reader: ByteReader): void {
    this.count++;
    const call = this.#newCall(readCallHeader(reader, this.#host.methodNames));
    this.#incomplete.set(call.id, call);
    this.#admit(call);
  }

  /** What a call returned, and took `bytes` to send: others may be on it. */
  keep(call: IncomingCall, value: unknown, bytes: number): void {
    if (call.kept) this.#dependents.keep(call.kept, value, bytes);
  }

  /**
   * The caller waits no longer: a call that has not begun never will, the signal of one that runs fires, a result that
   * was kept is not needed any more.
   */
  cancel(id: number): void {
    const running = this.#running.get(id) ?? this.#incomplete.get(id);
    running?.cancel(cancelled("unknown"));
    this.#dependents.forget(id);
    if (running) return;
    const waiting = this.#queue.remove(id) ?? this.#dependents.remove(id);
    if (waiting) this.#refuse(waiting, cancelled("not-executed"));
  }

  /** Begins what became possible to begin, in a turn of its own: no method is run in the middle of another. */
  pump(): void {
    if (this.#isPumping || (this.#queue.isEmpty && this.#deferred.length === 0)) return;
    this.#isPumping = true;
    this.#host.clock.endOfTurn(() => {
      this.#isPumping = false;
      while (this.#deferred.length > 0 && this.#host.backlog() !== "full") this.#deferred.shift()?.();
      this.#queue.pump();
    });
  }

  /** Refuses calls from outside from now on; calls back when the last running one is answered. */
  drain(whenIdle: () => void): void {
    this.#whenIdle = whenIdle;
    this.#tellIfIdle();
  }

  /** The session is over: nothing is answered any more, the signals of running methods fire. */
  close(reason: RpcError): void {
    this.#isClosed = true;
    const calls = [
      ...this.#queue.clear(),
      ...this.#dependents.clear(),
      ...this.#incomplete.values(),
      ...this.#running.values(),
    ];
    this.#running.clear();
    this.#deferred.length = 0;
    this.#incomplete.clear();
    for (const call of calls) {
      if (call.isFinished) continue;
      call.cancel(reason);
      this.#finish(call);
    }
  }

  #newCall(header: CallHeader): IncomingCall {
    if (header.id <= this.#lastId) {
      throw new RpcError("protocol", `call number ${header.id} after ${this.#lastId}`, "not-executed");
    }
    this.#lastId = header.id;
    const call = new IncomingCall(header, this.#host.session, this.#host.clock);
    if (this.#host.callTimeoutMs !== undefined) call.limitTime(this.#host.callTimeoutMs);
    return call;
  }

  #admit(call: IncomingCall): void {
    try {
      if (call.keepsResult) this.#dependents.keepResultOf(call);
      this.#check(call);
      if (call.isOnResult) this.#dependents.admit(call);
    } catch (error) {
      this.#refuse(call, this.#asRefusal(error));
      return;
    }
    if (!call.isOnResult) this.#queue.enter(call);
  }

  #aim(call: IncomingCall, result: unknown): void {
    call.entry = this.#host.resultTarget(result);
    call.targetId = call.entry.id;
  }

  #check(call: IncomingCall): void {
    const { maxCallDepth } = this.#limits;
    if (call.depth > maxCallDepth) {
      const detail = `a call ${call.depth} deep, limits.maxCallDepth is ${maxCallDepth}`;
      throw refusal("limit-exceeded", detail, "not-executed");
    }
    // While we wait for the peer, it may be calling to answer us.
    const isPartOfAnother = call.depth > 0 || call.isOnResult || call.hasResultArguments;
    if (this.#whenIdle && !isPartOfAnother && this.#host.awaitedCalls() === 0) {
      throw refusal("closed", "the service is draining and takes no new calls", "not-executed");
    }
    if (!call.isOnResult && !call.find) call.entry = this.#host.target(call.targetId);
  }

  #overloaded(): RpcError {
    const { maxRunningCalls, maxQueuedCalls } = this.#limits;
    const limits = `limits.maxRunningCalls ${maxRunningCalls}, limits.maxQueuedCalls ${maxQueuedCalls}`;
    return refusal("overloaded", `too many calls at once (${limits})`, "not-executed");
  }

  #begin(call: IncomingCall): void {
    const refusal = call.refusal();
    if (refusal) this.#refuse(call, refusal);
    else this.#step(call, () => this.#find(call));
  }

  /** Whether the call has all it needs. One that waits for a result keeps later calls on its target waiting. */
  #isReady(call: IncomingCall): boolean {
    if (!call.hasResultArguments || this.#dependents.hasArguments(call)) return true;
    this.#queue.hold(call);
    return false;
  }

  #find(call: IncomingCall): void {
    if (!this.#isReady(call)) return;
    const callee = call.find?.() ?? this.#host.callee(call, call.entry as ExportEntry);
    if (isThenable(callee)) this.#later(call, callee, (made) => this.#permit(call, made));
    else this.#permit(call, callee);
  }

  #permit(call: IncomingCall, callee: Callee): void {
    const method = callee.method(call.method);
    if (!method) throw refusal("not-exposed", "there is no such method", "not-executed");
    call.guard = guardOf(method);
    const args = this.#host.decode(call);
    const permission = this.#host.authorize(call, callee.object, args, call.guard?.scope);
    if (permission !== undefined) this.#later(call, permission, () => this.#prepare(call, callee, method, args));
    else this.#prepare(call, callee, method, args);
  }

  /** A method under a contract gets the arguments that the contract makes of those that came. */
  #prepare(call: IncomingCall, callee: Callee, method: Method, args: unknown[]): void {
    const { guard } = call;
    if (!guard) {
      this.#invoke(call, callee, method, args);
      return;
    }
    if (guard.timeoutMs !== undefined) call.limitTime(guard.timeoutMs);
    const prepared = guard.prepare(args, call.references);
    if (prepared instanceof Promise) {
      this.#later(call, prepared, (ready) => this.#invoke(call, callee, method, ready));
    } else {
      this.#invoke(call, callee, method, prepared);
    }
  }

  /** Runs a step that may refuse the call. */
  #step(call: IncomingCall, task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#refuse(call, this.#asRefusal(error));
    }
  }

  /** Goes on when somebody has decided; later calls on the same target wait meanwhile. */
  #later<T>(call: IncomingCall, decision: PromiseLike<T>, next: (decided: T) => void): void {
    this.#occupy(call);
    this.#queue.hold(call);
    decision.then(
      (decided) => this.#step(call, () => this.#goOn(call, () => next(decided))),
      (error) => this.#refuse(call, this.#asRefusal(error)),
    );
  }

  /** Meanwhile the caller may have given up, or its time have run out. @throws RpcError `cancelled`, `timeout` */
  #goOn(call: IncomingCall, next: () => void): void {
    if (call.isFinished) return;
    const refusal = call.refusal();
    if (refusal) throw refusal;
    next();
  }

  #invoke(call: IncomingCall, callee: Callee, method: Method, args: unknown[]): void {
    try {
      const result = this.#run(call, callee, method, args);
      if (isThenable(result)) this.#await(call, result);
      else this.#answer(call, result);
    } catch (thrown) {
      this.#answerThrown(call, thrown);
    }
    this.#queue.pass(call);
    this.#tellIfIdle();
  }

  #run(call: IncomingCall, { self }: Callee, method: Method, args: unknown[]): unknown {
    const { passes } = this.#host;
    call.runs = method;
    if (!passes?.mustSeparate(call.passes)) return applyInCall(call, method, self, args);
    return passes.within(call.passes, () => applyInCall(call, method, self, args));
  }

  #await(call: IncomingCall, result: PromiseLike<unknown>): void {
    this.#occupy(call);
    if (call.isPostponed) this.#stepAside(call);
    if (call.isLimitedHere) call.whenLate((error) => this.#expire(call, error));
    Promise.resolve(result).then(
      (value) => this.#answer(call, value),
      (thrown) => this.#answerThrown(call, thrown),
    );
  }

  /** The caller is answered; the method keeps its slot until it is done, and what it returns then is dropped. */
  #expire(call: IncomingCall, error: RpcError): void {
    if (call.isPostponed) {
      call.cancel(error);
      return;
    }
    this.#host.refuse(call, error);
    call.isAnswered = true;
    call.cancel(error);
  }

  /** A call that waits for its object needs no slot before it begins: whoever it waits for may need one. */
  #stepAside(call: IncomingCall): void {
    this.#queue.stepAside();
    call.whenNotPostponed(() => this.#queue.stepBack());
    this.pump();
  }

  #answer(call: IncomingCall, value: unknown): void {
    if (this.#isDone(call)) return;
    if (call.guard) {
      this.#complete(call, call.guard, value);
      return;
    }
    if (this.#host.backlog() === "full") {
      this.#occupy(call);
      this.#deferred.push(() => this.#answer(call, value));
      return;
    }
    this.#host.answer(call, value);
    this.#finish(call);
  }

  /** Whether there is nothing to answer any more; what was answered before it was done is done now. */
  #isDone(call: IncomingCall): boolean {
    if (call.isAnswered) this.#finish(call);
    return call.isFinished;
  }

  /** What leaves is what the contract makes of the result. */
  #complete(call: IncomingCall, guard: MethodGuard, value: unknown): void {
    call.guard = undefined;
    try {
      const completed = guard.complete(value);
      if (!(completed instanceof Promise)) {
        this.#answer(call, completed);
        return;
      }
      this.#occupy(call);
      completed.then(
        (ready) => this.#answer(call, ready),
        (error) => this.#refuse(call, this.#asRefusal(error, unchecked)),
      );
    } catch (error) {
      this.#refuse(call, this.#asRefusal(error, unchecked));
    }
  }

  #answerThrown(call: IncomingCall, thrown: unknown): void {
    if (this.#isDone(call)) return;
    if (call.neverBegan && thrown === call.neverBegan) {
      this.#refuse(call, call.neverBegan);
      return;
    }
    // Whichever side notices first that the caller's time is up, the caller hears the same.
    if (call.isLate && !call.isLimitedHere) this.#host.refuse(call, call.timeUp());
    else this.#host.answerThrown(call, thrown);
    this.#finish(call);
  }

  #refuse(call: IncomingCall, error: RpcError): void {
    if (this.#isDone(call)) return;
    this.#host.refuse(call, error);
    this.#finish(call);
    this.#queue.pass(call);
    this.#tellIfIdle();
  }

  #occupy(call: IncomingCall): void {
    if (this.#running.has(call.id)) return;
    this.#running.set(call.id, call);
    this.#queue.occupy();
    this.#host.occupied();
  }

  #finish(call: IncomingCall): void {
    if (call.isFinished) return;
    call.finish();
    this.#host.finished(call);
    const isSlotFree = this.#running.delete(call.id);
    if (isSlotFree) this.#queue.free();
    // Behind the slot: who has waited for the result may need one.
    if (call.kept) this.#dependents.settle(call.kept);
    if (isSlotFree) this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (this.isDrained) this.#whenIdle?.();
  }

  /** What a policy or a factory threw by mistake is reported here and not told to the peer. */
  #asRefusal(error: unknown, told = unprepared): RpcError {
    if (error instanceof RpcError) return error;
    this.#host.onError(toError(error));
    return told();
  }
}

/** An honest peer has no more results kept, and no more calls waiting for them, than calls it awaits; then as many again. */
function dependentLimits(limits: DispatcherLimits): DependentCallsLimits {
  const { maxRunningCalls, maxQueuedCalls, maxSendBufferBytes, maxMessageBytes } = limits;
  const maxCalls = 2 * (maxRunningCalls + maxQueuedCalls);
  const maxWaitingBytes = maxIncompleteBytes(maxMessageBytes);
  return { maxWaiting: maxCalls, maxWaitingBytes, maxResults: maxCalls, maxBytes: maxSendBufferBytes };
}

function unprepared(): RpcError {
  return new RpcError("internal", "the call could not be prepared", "not-executed");
}

function unchecked(): RpcError {
  return new RpcError("internal", "the result could not be checked", "executed");
}

function cancelled(outcome: "unknown" | "not-executed"): RpcError {
  return refusal("cancelled", "cancelled by the caller", outcome);
}

/** A stub and a decoded value have no `then` that is a function, so asking calls nothing far away. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  return typeof (value as { then?: unknown }).then === "function";
}
