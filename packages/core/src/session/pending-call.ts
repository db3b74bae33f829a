/** A call of ours, from the moment it is made until its answer has come. */
import type { Clock, Timer } from "../clock/clock.ts";
import { type Outcome, RpcError, type RpcErrorCode } from "../errors/rpc-error.ts";
import type { CallerMethod } from "../references/contracts.ts";
import type { CallOptions } from "../types/session.ts";
import type { LargeMessage } from "../wire/large-message.ts";
import type { Place } from "../wire/outbox.ts";
import { CallPromise } from "./call-promise.ts";
import type { EncodedArguments } from "./call-writer.ts";
import type { Departed } from "./departures.ts";
import { StepFailure } from "./not-executed.ts";
import type { IssuedPasses } from "./passes.ts";
import type { PipelineStep } from "./pipeline-step.ts";
import type { SharedSignals } from "./shared-signals.ts";

/** What a call is on: enough to send it and to name it in an error. */
export interface CallTarget {
  readonly id: number;
  describe(): string;
}

export class PendingCall implements Place {
  readonly promise: CallPromise<unknown>;
  readonly target: CallTarget;
  readonly method: string;
  options: CallOptions | undefined;
  readonly depth: number;
  readonly madeAt: number;
  /** 0 until it is sent or held back. */
  id = 0;
  /** Nobody waits for the result: settled when it is accepted for sending. */
  isOneway = false;
  /** Of a call made through a pipeline. */
  step: PipelineStep | undefined = undefined;
  /** The steps that the target or the arguments are results of. */
  bases: PipelineStep[] | undefined = undefined;
  /** What the far side says of a call whose step failed, until it is heard how. */
  refusal: RpcError | undefined = undefined;
  isSettled = false;
  /** Of its frame, once sent. */
  bytes = 0;
  batch = -1;
  offset = 0;
  large: LargeMessage | undefined = undefined;
  /** Holds counted by its arguments; the peer's once it has decoded them. */
  departed: Departed | undefined = undefined;
  /** What lets the calls that it leads to back in where it comes from. */
  issued: IssuedPasses | undefined = undefined;
  /** Checks the result before the caller gets it. */
  check: CallerMethod | undefined = undefined;
  /** The name that a lookup asks for, while it is held back. */
  lookupName: Uint8Array | undefined = undefined;
  /** The encoded arguments of a call that is held back. */
  heldArguments: EncodedArguments | undefined = undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  #timer: Timer | undefined = undefined;
  #stopListening: (() => void) | undefined = undefined;

  constructor(target: CallTarget, method: string, options: CallOptions | undefined, depth: number, madeAt: number) {
    this.target = target;
    this.method = method;
    this.options = options;
    this.depth = depth;
    this.madeAt = madeAt;
    this.promise = new CallPromise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Calls `giveUp` once if the deadline passes or the caller's signal aborts before the call settles. */
  watch(clock: Clock, signals: SharedSignals, giveUp: (error: RpcError) => void): void {
    const { timeoutMs, signal } = this.options ?? {};
    if (timeoutMs !== undefined && timeoutMs < Number.POSITIVE_INFINITY) {
      this.#timer = clock.setTimer(timeoutMs, () => {
        giveUp(this.error("timeout", `no answer within ${timeoutMs} ms`, "unknown"));
      });
    }
    if (!signal) return;
    const cancel = () => giveUp(this.error("cancelled", "cancelled by the caller", "unknown", signal.reason));
    // A value may have aborted it while it was being sent.
    if (signal.aborted) cancel();
    else this.#stopListening = signals.listen(signal, cancel);
  }

  /** What is left of `timeoutMs`, for the far side; `undefined` without one. */
  remainingMs(now: number): number | undefined {
    const timeoutMs = this.options?.timeoutMs;
    if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return undefined;
    return Math.min(Math.max(0, Math.ceil(timeoutMs - (now - this.madeAt))), Number.MAX_SAFE_INTEGER);
  }

  get isAwaited(): boolean {
    return CallPromise.isAwaited(this.promise);
  }

  resolve(value: unknown): void {
    this.settle();
    this.#resolve(value);
  }

  /** The answer has come, whoever may want it. */
  settle(): void {
    this.isSettled = true;
    this.#timer?.cancel();
    this.#stopListening?.();
    this.issued?.withdraw();
  }

  /** Tells who awaits a settled call. */
  fulfil(value: unknown): void {
    this.#resolve(value);
  }

  /** Tells who awaits a settled call that there is nothing to be had. */
  fail(error: Error): void {
    CallPromise.markHandled(this.promise);
    this.#reject(error);
  }

  /** Rejects. When nobody waits for the promise by the end of the turn, `unheard` is told. */
  reject(error: Error, clock: Clock, unheard: (error: Error) => void): void {
    this.settle();
    if (!this.isAwaited) {
      CallPromise.markHandled(this.promise);
      clock.endOfTurn(() => {
        // Whoever went on from a step hears of its failure too.
        if (!this.isAwaited && !this.step?.wasContinued) unheard(error);
      });
    }
    this.#reject(error);
  }

  /** An error of this call, naming method and target. */
  error(code: RpcErrorCode, what: string, outcome: Outcome, cause?: unknown): RpcError {
    const options = cause === undefined ? undefined : { cause };
    return new RpcError(code, `${this.describe()}: ${what}`, outcome, options);
  }

  /** It can't be sent: why, naming the call. */
  unsendable(error: unknown): Error {
    if (error instanceof StepFailure) return error.error;
    if (!(error instanceof RpcError)) return this.error("unsupported-value", String(error), "not-sent", error);
    if (error.detail.startsWith(this.describe())) return error;
    return this.error(error.code, error.detail, "not-sent", error.cause);
  }

  /** The answer came, so the method ran; what it said can't be read. */
  unreadable(error: unknown): RpcError {
    const { code, detail } = error instanceof RpcError ? error : new RpcError("internal", String(error), "executed");
    const what = code === "invalid-result" ? detail : `the answer can't be read: ${detail}`;
    return this.error(code, what, "executed", error);
  }

  describe(): string {
    return `${this.method || "call"} of ${this.target.describe()}`;
  }
}
