/**
 * One at a time, in order of arrival. A turn is one run of a serialized object's method. What comes in from within a
 * turn, by way of other objects or of another process, takes turns among itself, inside that turn: so at any time one
 * method runs, and those it was called by wait for it.
 *
 *     queue ── deposit ── audit …            deposit's turn ── its own queue ── balance (called back by whom it called)
 */

/** Whoever waits for what a method returns. */
export interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class TurnQueue {
  readonly #whenFree: (() => void) | undefined;
  #running: Turn | undefined;
  readonly #waiting = new Set<() => void>();
  #isPumping = false;

  constructor(whenFree?: () => void) {
    this.#whenFree = whenFree;
  }

  /** Nothing runs and nothing waits. */
  get isFree(): boolean {
    return this.#running === undefined && this.#waiting.size === 0;
  }

  /** The turns that run, each within the one before it. */
  get running(): readonly Turn[] {
    return this.#running ? [this.#running, ...this.#running.runningWithin] : [];
  }

  /**
   * Runs a method at once: returns what it does, or a promise of it. The turn lasts until that has settled, and everything
   * within has ended. Whoever waits hears of it before the next begins.
   */
  run(line: object, method: (turn: Turn) => unknown): unknown {
    const turn = this.#begin(line);
    let result: unknown;
    try {
      result = method(turn);
    } catch (error) {
      turn.end();
      throw error;
    }
    if (isThenable(result)) return new Promise((resolve, reject) => settle(turn, result, { resolve, reject }));
    turn.end();
    return result;
  }

  /** The same for somebody who has waited. */
  runFor(waiting: Waiting, line: object, method: (turn: Turn) => unknown): void {
    const turn = this.#begin(line);
    try {
      const result = method(turn);
      if (isThenable(result)) {
        settle(turn, result, waiting);
        return;
      }
      waiting.resolve(result);
    } catch (error) {
      waiting.reject(error);
    }
    turn.end();
  }

  /** Calls `begin`, which is to run a method, when it is its turn. Returns a function that leaves the queue. */
  wait(begin: () => void): () => void {
    this.#waiting.add(begin);
    return () => void this.#waiting.delete(begin);
  }

  #begin(line: object): Turn {
    const turn = new Turn(line, () => this.#release());
    this.#running = turn;
    return turn;
  }

  #release(): void {
    this.#running = undefined;
    if (!this.#isPumping) this.#pump();
    if (this.isFree) this.#whenFree?.();
  }

  /** A loop, for many methods in a row may be synchronous; whoever leaves or gives up just makes room for the next. */
  #pump(): void {
    this.#isPumping = true;
    for (const begin of this.#waiting) {
      if (this.#running) break;
      this.#waiting.delete(begin);
      begin();
    }
    this.#isPumping = false;
  }
}

export class Turn {
  /** Which object's. */
  readonly line: object;
  readonly #release: () => void;
  #within: TurnQueue | undefined;
  /** Passes that calls made from here took along, and the turns each stands for. */
  readonly #passes = new Map<string, readonly Turn[]>();
  #state: "running" | "over" | "released" = "running";

  constructor(line: object, release: () => void) {
    this.line = line;
    this.#release = release;
  }

  /** Its method has not settled: what it calls is part of it. */
  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Where those take turns who come from within. */
  get within(): TurnQueue {
    this.#within ??= new TurnQueue(() => this.#releaseWhenDone());
    return this.#within;
  }

  get runningWithin(): readonly Turn[] {
    return this.#within?.running ?? [];
  }

  /** A call made from within `turns`, this one among them, takes a pass along. */
  issue(pass: string, turns: readonly Turn[]): void {
    this.#passes.set(pass, turns);
  }

  withdraw(pass: string): void {
    this.#passes.delete(pass);
  }

  /** The turns a pass stands for, while it is good here. */
  admits(pass: string): readonly Turn[] | undefined {
    return this.#passes.get(pass);
  }

  /** The method has settled. Others follow when all that came from within has ended too. */
  end(): void {
    this.#state = "over";
    this.#passes.clear();
    this.#releaseWhenDone();
  }

  #releaseWhenDone(): void {
    if (this.#state !== "over" || !(this.#within?.isFree ?? true)) return;
    this.#state = "released";
    this.#release();
  }
}

function settle(turn: Turn, result: PromiseLike<unknown>, { resolve, reject }: Waiting): void {
  Promise.resolve(result).then(
    (value) => {
      resolve(value);
      turn.end();
    },
    (error: unknown) => {
      reject(error);
      turn.end();
    },
  );
}

/** A stub has no `then`, so asking calls nothing far away. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  return typeof (value as Partial<PromiseLike<unknown>>).then === "function";
}
