/** The time during which a call's method waits in a line of its own, and has done nothing yet. */
export class Postponement {
  readonly #signal: AbortSignal;
  readonly #givenUp: () => void;
  #whenOver: (() => void) | undefined;

  /** Calls `givenUp` when the signal aborts before the end. */
  constructor(signal: AbortSignal, givenUp: () => void) {
    this.#signal = signal;
    this.#givenUp = givenUp;
    signal.addEventListener("abort", givenUp, { once: true });
  }

  /** Calls `task` at the end. */
  whenOver(task: () => void): void {
    this.#whenOver = task;
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#givenUp);
    this.#whenOver?.();
  }
}
