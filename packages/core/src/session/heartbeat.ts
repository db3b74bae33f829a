/** Tells a dead peer from a quiet one: asks after a silence, and gives up when nothing at all comes back. */
import type { Clock, Timer } from "../clock/clock.ts";

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** Silence before asking, in milliseconds. */
  readonly intervalMs: number;
  /** When the last byte came. */
  lastReadAt(): number;
  ping(): void;
  /** Nothing came for `silentMs`. */
  dead(silentMs: number): void;
}

/** A timer this late means that we slept ourselves: what the peer sent meanwhile is still unread. */
const lateMs = 250;
const lateGraceMs = 1_000;

/** Time to answer, for the usual interval of 15 s: 10 s. */
function answerMs(intervalMs: number): number {
  return Math.min(10_000, (intervalMs * 2) / 3);
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #askedAt: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    if (options.intervalMs < Number.POSITIVE_INFINITY) this.#wait(options.intervalMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(delayMs: number): void {
    const { clock } = this.#options;
    const dueAt = clock.now() + delayMs;
    this.#timer = clock.setTimer(delayMs, () => {
      if (clock.now() - dueAt > lateMs) this.#wait(lateGraceMs);
      else this.#check();
    });
  }

  #check(): void {
    const { clock, intervalMs, lastReadAt, ping, dead } = this.#options;
    const silentMs = clock.now() - lastReadAt();
    const isAnswered = this.#askedAt !== undefined && lastReadAt() >= this.#askedAt;
    if (this.#askedAt !== undefined && !isAnswered) {
      dead(silentMs);
      return;
    }
    this.#askedAt = undefined;
    if (silentMs < intervalMs) {
      this.#wait(intervalMs - silentMs);
      return;
    }
    this.#askedAt = clock.now();
    ping();
    this.#wait(answerMs(intervalMs));
  }
}
