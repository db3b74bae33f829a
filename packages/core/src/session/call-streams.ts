/** The streams that a call's method has made: the call is not done with before they are. */
import type { RpcError } from "../errors/rpc-error.ts";

export class CallStreams {
  readonly #abortCall: (reason: RpcError) => void;
  #open = 0;
  #wanted = 0;
  #reason: RpcError | undefined;
  #whenDone: (() => void) | undefined;

  /** `abortCall` fires the signal that the method got before it made them: it is for all of them. */
  constructor(abortCall: (reason: RpcError) => void) {
    this.#abortCall = abortCall;
  }

  opened(): void {
    this.#open++;
    this.#wanted++;
  }

  /** One is not wanted any more; with a reason where it was cancelled. */
  unwanted(reason: RpcError | undefined): void {
    this.#wanted--;
    this.#reason ??= reason;
    if (this.#wanted === 0 && this.#reason) this.#abortCall(this.#reason);
  }

  ended(): void {
    this.#open--;
    if (this.#open === 0) this.#whenDone?.();
  }

  /** Runs `task` when the last has ended; now, when none is open. */
  whenDone(task: () => void): void {
    if (this.#open === 0) task();
    else this.#whenDone = task;
  }
}
