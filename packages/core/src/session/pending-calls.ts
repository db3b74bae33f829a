/**
 * The calls of ours that have not settled, and what they come to: a result, an error, or the failure of a step that they
 * depend on.
 */
import type { Clock } from "../clock/clock.ts";
import type { RpcError } from "../errors/rpc-error.ts";
import type { Decoded } from "../values/codec.ts";
import { notExecuted } from "./not-executed.ts";
import type { PendingCall } from "./pending-call.ts";
import type { PipelineStep } from "./pipeline-step.ts";

export interface PendingCallsHost {
  readonly clock: Clock;
  /** Takes a call back that has not left. Returns whether it could. */
  withdraw(call: PendingCall): boolean;
  /** A call has failed, and nobody waits for it. */
  unheard(error: Error): void;
}

/** Of the calls that depend on a failed one: whether it is certain that the far side runs none of them. */
type Fate = "certain" | "open";

interface BrokenStep {
  readonly step: PipelineStep;
  readonly error: Error;
  readonly fate: Fate;
}

export class PendingCalls {
  readonly #host: PendingCallsHost;
  /** Answered, and being checked by a contract that takes its time. */
  readonly #checking = new Set<PendingCall>();
  /** Steps whose dependents are being failed. */
  readonly #broken: BrokenStep[] = [];
  #size = 0;
  #isOver = false;

  constructor(host: PendingCallsHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#size;
  }

  /** A call is made, or refused: it has to settle. */
  open(): void {
    this.#size++;
  }

  resolve(call: PendingCall, value: unknown): void {
    this.#checking.delete(call);
    if (call.isSettled) return;
    call.resolve(value);
    this.#settled(call);
  }

  /** Settles a call whose answer is still being checked, unless the session ends first. */
  settleChecked(call: PendingCall, checked: Promise<unknown>, unreadable: (error: unknown) => RpcError): void {
    this.#checking.add(call);
    checked.then(
      (value) => this.resolve(call, value),
      (error) => this.reject(call, unreadable(error)),
    );
  }

  /** The result of a step: nobody may want it. */
  arrived(call: PendingCall, step: PipelineStep, decoded: Decoded): void {
    call.settle();
    step.arrived(decoded);
    this.#settled(call);
  }

  /** @param fate of the calls that depend on this one */
  reject(call: PendingCall, error: Error, fate: Fate = "certain"): void {
    this.#checking.delete(call);
    if (call.isSettled) return;
    call.step?.failed(error);
    call.reject(error, this.#host.clock, this.#host.unheard);
    this.#settled(call);
    if (call.step && !this.#isOver) this.#breakOff(call.step, error, fate);
  }

  /** The far side says that a step failed which the call depends on. How it failed may be heard later. */
  brokenStep(call: PendingCall, refusal: RpcError): void {
    const failure = call.bases?.find((step) => step.failure)?.failure;
    if (failure) {
      this.reject(call, notExecuted(failure));
      return;
    }
    if (!call.bases?.some((step) => !step.call.isSettled)) {
      this.reject(call, refusal);
      return;
    }
    call.refusal = refusal;
    this.#checking.add(call);
  }

  /** Nobody waits for a oneway call: that it failed is told here. */
  failedUnheard(error: Error): void {
    this.#host.unheard(error);
  }

  /** The session is over: `failure` tells how a call fails that was answered, and is not settled yet. */
  close(failure: (call: PendingCall) => Error): void {
    this.#isOver = true;
    for (const call of [...this.#checking]) this.reject(call, call.refusal ?? failure(call));
  }

  /** What every call comes to, once. */
  #settled(call: PendingCall): void {
    this.#size--;
    for (const base of call.bases ?? []) base.dependentSettled(call);
    if (!call.step?.failure) for (const dependent of call.step?.dependents ?? []) this.#refuseAsTold(dependent);
  }

  /** The far side spoke of a failed step, and this one has not failed. */
  #refuseAsTold(dependent: PendingCall): void {
    if (dependent.refusal) this.reject(dependent, dependent.refusal);
  }

  /** One step after the other, so that a long chain takes no deep stack. */
  #breakOff(step: PipelineStep, error: Error, fate: Fate): void {
    if (this.#broken.push({ step, error, fate }) > 1) return;
    for (let i = 0; i < this.#broken.length; i++) this.#failDependents(this.#broken[i] as BrokenStep);
    this.#broken.length = 0;
  }

  /** Where it is open whether the far side has run them, it says so itself. */
  #failDependents({ step, error, fate }: BrokenStep): void {
    for (const call of [...step.dependents]) {
      if (call.isSettled) continue;
      if (this.#host.withdraw(call)) call.departed?.undo();
      else if (fate === "open" && !call.refusal) continue;
      this.reject(call, notExecuted(error));
    }
  }
}
