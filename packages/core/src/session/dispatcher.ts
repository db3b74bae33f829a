/**
 * Takes a call from when it may begin to its method. Each step may refuse it, or take time to decide.
 *
 *     callee ─► method table ─► decode ─► authorize ─► contract ─► method
 */

import { refusal } from "../errors/refusal.ts";
import { guardOf } from "../references/contracts.ts";
import type { ExportEntry } from "../references/export-entry.ts";
import type { Method } from "../references/method-table.ts";
import type { CallArguments } from "./call-arguments.ts";
import type { CallEnds } from "./call-ends.ts";
import type { CallQueue } from "./call-queue.ts";
import type { Callee } from "./callee.ts";
import { applyInCall } from "./current-call.ts";
import type { DependentCalls } from "./dependent-calls.ts";
import type { IncomingCall } from "./incoming-call.ts";
import type { CallPasses } from "./passes.ts";
import { type Authorize, authorizeAll } from "./policy.ts";
import type { RunningCalls } from "./running-calls.ts";
import type { ServedFront } from "./served-front.ts";
import { isThenable } from "./thenable.ts";

export interface DispatcherOptions {
  readonly passes: CallPasses | undefined;
  readonly authorize: readonly Authorize[];
  readonly front: ServedFront;
  readonly args: CallArguments;
  readonly queue: CallQueue;
  readonly dependents: DependentCalls;
  readonly running: RunningCalls;
  readonly ends: CallEnds;
  /** Begins what became possible to begin. */
  pump(): void;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #running: RunningCalls;
  readonly #ends: CallEnds;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#running = options.running;
    this.#ends = options.ends;
  }

  /** A synchronous method is done, and answered, when this returns. */
  begin(call: IncomingCall): void {
    const refusal = call.refusal();
    if (refusal) this.#ends.refuse(call, refusal);
    else this.#step(call, () => this.#find(call));
  }

  /** Runs a step that may refuse the call. */
  #step(call: IncomingCall, task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#ends.refuseFor(call, error);
    }
  }

  /** Goes on when somebody has decided; later calls on the same target wait meanwhile. */
  #later<T>(call: IncomingCall, decision: PromiseLike<T>, next: (decided: T) => void): void {
    this.#running.occupy(call);
    this.#options.queue.hold(call);
    this.#ends.watchTime(call);
    decision.then(
      (decided) => this.#step(call, () => this.#goOn(call, () => next(decided))),
      (error) => this.#ends.refuseFor(call, error),
    );
  }

  /** Meanwhile the caller may have given up, or its time have run out. @throws RpcError `cancelled`, `timeout` */
  #goOn(call: IncomingCall, next: () => void): void {
    if (call.isFinished) return;
    const refusal = call.refusal();
    if (refusal) throw refusal;
    next();
  }

  /** Whether the call has all it needs. One that waits for a result keeps later calls on its target waiting. */
  #isReady(call: IncomingCall): boolean {
    if (!call.hasResultArguments || this.#options.dependents.hasArguments(call)) return true;
    this.#options.queue.hold(call);
    return false;
  }

  #find(call: IncomingCall): void {
    if (!this.#isReady(call)) return;
    const callee = call.find?.() ?? this.#options.front.callee(call, call.entry as ExportEntry);
    if (isThenable(callee)) this.#later(call, callee, (made) => this.#permit(call, made));
    else this.#permit(call, callee);
  }

  #permit(call: IncomingCall, callee: Callee): void {
    const method = callee.method(call.method);
    if (!method) throw refusal("not-exposed", "there is no such method", "not-executed");
    call.guard = guardOf(method);
    const args = this.#options.args.decode(call);
    const permission = this.#authorize(call, callee.object, args);
    if (permission !== undefined) this.#later(call, permission, () => this.#prepare(call, callee, method, args));
    else this.#prepare(call, callee, method, args);
  }

  #authorize(call: IncomingCall, target: object, args: readonly unknown[]): undefined | Promise<void> {
    const { authorize } = this.#options;
    if (authorize.length === 0) return undefined;
    const { method, principal, session, guard } = call;
    return authorizeAll(authorize, { method, target, args, principal, scope: guard?.scope, session });
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

  #invoke(call: IncomingCall, callee: Callee, method: Method, args: unknown[]): void {
    try {
      const result = this.#run(call, callee, method, args);
      if (isThenable(result)) this.#await(call, result);
      else this.#ends.returned(call, result);
    } catch (thrown) {
      this.#ends.threw(call, thrown);
    }
    this.#running.pass(call);
  }

  #run(call: IncomingCall, { self }: Callee, method: Method, args: unknown[]): unknown {
    const { passes } = this.#options;
    call.runs = method;
    if (!passes?.mustSeparate(call.passes)) return applyInCall(call, method, self, args);
    return passes.within(call.passes, () => applyInCall(call, method, self, args));
  }

  #await(call: IncomingCall, result: PromiseLike<unknown>): void {
    this.#running.occupy(call);
    if (call.isPostponed) this.#stepAside(call);
    this.#ends.watchTime(call);
    Promise.resolve(result).then(
      (value) => this.#ends.returned(call, value),
      (thrown) => this.#ends.threw(call, thrown),
    );
  }

  /** A call that waits for its object needs no slot before it begins: whoever it waits for may need one. */
  #stepAside(call: IncomingCall): void {
    const { queue, pump } = this.#options;
    queue.stepAside();
    call.whenNotPostponed(() => queue.stepBack());
    pump();
  }
}
