/** Time as a session sees it: injected, so that tests hold it in hand. Monotonic; the wall clock is never asked. */

export interface Clock {
  /** Milliseconds of a monotonic clock, comparable with `performance.now()`. */
  now(): number;
  /** Runs `task` once, `delayMs` from now. The timer alone never keeps a process alive. */
  setTimer(delayMs: number, task: () => void): Timer;
  /** Runs `task` when the work of this turn, promise reactions included, is done. */
  endOfTurn(task: () => void): void;
  /** Runs `task` in a turn of its own, on a fresh stack. */
  nextTurn(task: () => void): void;
}

export interface Timer {
  cancel(): void;
}
