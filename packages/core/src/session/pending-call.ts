/** A call of ours, from the moment it is made until its answer has come. */
import type { Clock, Timer } from "../clock/clock.ts";
import { type Outcome, RpcError, type RpcErrorCode } from "../errors/rpc-error.ts";
import type { CallerMethod } from "../references/contracts.ts";
import type { CallOptions } from "../types/session.ts";
import type { LargeMessage } from "../wire/large-message.ts";
import type { Place } from "../wire/outbox.ts";
import { CallPromise } from "./call-promise.ts";
import type { Departed } from "./departures.ts";
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
  readonly options: CallOptions | undefined;
  readonly depth: number;
  readonly madeAt: number;
  /** 0 until it is sent. */
  id = 0;
  isSettled = false;
  batch = -1;
  offset = 0;
  large: LargeMessage | undefined = undefined;
  /** Holds counted by its arguments; the peer's once it has decoded them. */
  departed: Departed | undefined = undefined;
  /** Checks the result before the caller gets it. */
  check: CallerMethod | undefined = undefined;
  /** The name that a lookup asks for, while it is held back. */
  lookupName: Uint8Array | undefined = undefined;
  /** The encoded arguments of a call that is held back. */
  heldBody: Uint8Array | undefined = undefined;
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
    if (signal) {
      this.#stopListening = signals.listen(signal, () => {
        giveUp(this.error("cancelled", "cancelled by the caller", "unknown", signal.reason));
      });
    }
  }

  /** What is left of `timeoutMs`, for the far side; `undefined` without one. */
  remainingMs(now: number): number | undefined {
    const timeoutMs = this.options?.timeoutMs;
    if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return undefined;
    return Math.min(Math.max(0, Math.ceil(timeoutMs - (now - this.madeAt))), Number.MAX_SAFE_INTEGER);
  }

  resolve(value: unknown): void {
    this.#settle();
    this.#resolve(value);
  }

  /** Rejects. When nobody waits for the promise by the end of the turn, `unheard` is told. */
  reject(error: Error, clock: Clock, unheard: (error: Error) => void): void {
    this.#settle();
    if (!CallPromise.isAwaited(this.promise)) {
      CallPromise.markHandled(this.promise);
      clock.endOfTurn(() => {
        if (!CallPromise.isAwaited(this.promise)) unheard(error);
      });
    }
    this.#reject(error);
  }

  /** An error of this call, naming method and target. */
  error(code: RpcErrorCode, what: string, outcome: Outcome, cause?: unknown): RpcError {
    const options = cause === undefined ? undefined : { cause };
    return new RpcError(code, `${this.describe()}: ${what}`, outcome, options);
  }

  describe(): string {
    return `${this.method || "call"} of ${this.target.describe()}`;
  }

  #settle(): void {
    this.isSettled = true;
    this.#timer?.cancel();
    this.#stopListening?.();
  }
}
