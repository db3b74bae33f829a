/**
 * A call made through a pipeline, as its caller sees it. Its result has three fates: whoever awaits the step gets it,
 * calls made meanwhile run on it at the far side, and when nobody but they wanted it, its references go back.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallerContract } from "../references/contracts.ts";
import type { PipelinedCall, ReferenceOwner } from "../references/far-reference.ts";
import { viewOf } from "../references/stub.ts";
import type { CallOptions } from "../types/session.ts";
import type { Decoded } from "../values/codec.ts";
import { notExecuted } from "./not-executed.ts";
import type { CallTarget, PendingCall } from "./pending-call.ts";

/** What a step asks of its session. */
export interface StepHost {
  readonly owner: ReferenceOwner;
  /** Makes a call on a result that is not there yet. */
  callOn(
    target: PipelineStep,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    contract: CallerContract | undefined,
  ): PipelinedCall;
  /** A call that fails before it is made. */
  refuse(target: PipelineStep, method: string, error: Error): PipelinedCall;
  /** The result as a contract leaves it. @throws RpcError; `closed` when the session is over */
  hydrate(call: PendingCall, decoded: Decoded): unknown;
  giveBack(decoded: Decoded): void;
  nextTurn(task: () => void): void;
}

type State =
  | { readonly kind: "waiting" }
  /** Here, and in nobody's hands: its references are still holds of ours and not stubs. */
  | { readonly kind: "arrived"; readonly decoded: Decoded }
  | { readonly kind: "taken"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "released" };

/** Of a longer chain, errors name the end. */
const maxLinksTold = 4;

export class PipelineStep implements PipelinedCall, CallTarget {
  readonly call: PendingCall;
  readonly #host: StepHost;
  #state: State = { kind: "waiting" };
  /** Calls that depend on the result and have not settled. */
  readonly dependents = new Set<PendingCall>();
  wasContinued = false;
  /** Dependents that are held back: the far side keeps the result until they have been sent. */
  heldDependents = 0;
  /** The far side need not keep the result. */
  isForgotten = false;

  /** Steps from the beginning of its chain to this one. */
  readonly #links: number;

  constructor(call: PendingCall, host: StepHost) {
    this.call = call;
    this.#host = host;
    this.#links = call.target instanceof PipelineStep ? call.target.#links + 1 : 1;
  }

  get owner(): ReferenceOwner {
    return this.#host.owner;
  }

  /** The number of the call whose result is meant. */
  get id(): number {
    return this.call.id;
  }

  get promise(): Promise<unknown> {
    if (this.#state.kind === "arrived") this.#takeQuietly(this.#state.decoded);
    if (this.#state.kind === "released") this.call.fail(this.#gone());
    return this.call.promise;
  }

  get isWaiting(): boolean {
    return this.#state.kind === "waiting";
  }

  describe(): string {
    if (this.#links > maxLinksTold) return `the result of ${this.call.method || "call"} of …`;
    return `the result of ${this.call.describe()}`;
  }

  continue(method: string, args: readonly unknown[], options: CallOptions | undefined): PipelinedCall {
    this.wasContinued ||= this.isWaiting;
    try {
      if (this.isWaiting) return this.#host.callOn(this, method, args, options, this.#contractOfResult());
      const view = viewOf(this.value());
      if (view) return view.reference.owner.pipeline(view.reference, method, args, options, view.contract);
      return this.#host.refuse(
        this,
        method,
        new RpcError("not-exposed", `${method} of ${this.describe()}: it is not a remote object`, "not-sent"),
      );
    } catch (error) {
      return this.#host.refuse(this, method, error as Error);
    }
  }

  /** @throws RpcError `not-exposed` where a contract says that the result is no object */
  #contractOfResult(): CallerContract | undefined {
    const { check } = this.call;
    if (!check || check.result === "any") return undefined;
    if (check.result) return check.result;
    throw new RpcError("not-exposed", `by its contract, ${this.describe()} is not a remote object`, "not-sent");
  }

  /** The result, for a step that waits no longer. @throws what the step, or its release, lets its dependents fail with */
  value(): unknown {
    const state = this.#state;
    switch (state.kind) {
      case "arrived":
        return this.#take(state.decoded);
      case "taken":
        return state.value;
      case "failed":
        throw notExecuted(state.error);
      case "released":
        throw this.#gone();
      case "waiting":
        throw new RpcError("internal", `${this.describe()} is not there yet`, "not-sent");
    }
  }

  /** Why there will be no result. */
  get failure(): Error | undefined {
    return this.#state.kind === "failed" ? this.#state.error : undefined;
  }

  /** Another call is made on the result, or with it. */
  dependentMade(call: PendingCall): void {
    this.dependents.add(call);
    this.wasContinued = true;
  }

  dependentSettled(call: PendingCall): void {
    this.dependents.delete(call);
    this.#releaseWhenUnused();
  }

  /** The result has come. What refers to nothing, and what nobody went on from, is simply there. */
  arrived(decoded: Decoded): void {
    this.#state = { kind: "arrived", decoded };
    const isForDependents = this.wasContinued && decoded.references.length > 0 && !this.call.isAwaited;
    if (isForDependents) this.#releaseWhenUnused();
    else this.#takeQuietly(decoded);
  }

  failed(error: Error): void {
    this.#state = { kind: "failed", error };
  }

  /** Whoever awaits the step hears of what is wrong with its result. */
  #takeQuietly(decoded: Decoded): void {
    try {
      this.#take(decoded);
    } catch {}
  }

  #take(decoded: Decoded): unknown {
    try {
      const value = this.#host.hydrate(this.call, decoded);
      this.#state = { kind: "taken", value };
      this.call.fulfil(value);
      return value;
    } catch (thrown) {
      const error = this.call.unreadable(thrown);
      this.#state = { kind: "failed", error };
      this.call.fail(error);
      throw error;
    }
  }

  /** Not at once: whoever waited for a dependent may await the step next. */
  #releaseWhenUnused(): void {
    if (this.dependents.size > 0 || this.#state.kind !== "arrived") return;
    this.#host.nextTurn(() => {
      if (this.dependents.size === 0 && this.#state.kind === "arrived") this.#release(this.#state.decoded);
    });
  }

  #release(decoded: Decoded): void {
    this.#state = { kind: "released" };
    this.#host.giveBack(decoded);
  }

  #gone(): RpcError {
    const detail = `${this.describe()} was released with the calls on it; await a step whose result you want to keep`;
    return new RpcError("stale-reference", detail, "not-sent");
  }
}
