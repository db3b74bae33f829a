/** A clock that stands still until a test moves it. Turns stay real: they are order, not time. */
import { type Clock, systemClock, type Timer } from "@farref/core";

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** @example const clock = new ManualClock(); clock.setTimer(15_000, beat); clock.advance(15_000); // beat has run */
export class ManualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(nowMs = 1_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, task };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves time on and runs what falls due, in order, each at its own moment; timers set meanwhile take part. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let timer = this.#next(untilMs); timer; timer = this.#next(untilMs)) {
      this.#timers.delete(timer);
      this.#nowMs = timer.dueMs;
      timer.task();
    }
    this.#nowMs = untilMs;
  }

  endOfTurn(task: () => void): void {
    systemClock.endOfTurn(task);
  }

  nextTurn(task: () => void): void {
    systemClock.nextTurn(task);
  }

  #next(untilMs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (!first || isEarlier(timer, first))) first = timer;
    }
    return first;
  }
}

function isEarlier(a: PendingTimer, b: PendingTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
