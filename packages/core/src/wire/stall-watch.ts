/** Notices a peer that has begun something and does not go on with it. */
import type { Clock, Timer } from "../clock/clock.ts";

export interface StallWatchOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Since when what has begun has not gone on; `undefined` when nothing has begun. */
  since(): number | undefined;
  stalled(): void;
}

export class StallWatch {
  readonly #options: StallWatchOptions;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** To be called when something has begun. Looked at again only when the time is up. */
  look(): void {
    const { clock, timeoutMs, since } = this.#options;
    const sinceMs = since();
    if (sinceMs === undefined || this.#timer) return;
    // It may have been us who were busy: what has come meanwhile is read first.
    this.#timer = clock.setTimer(sinceMs + timeoutMs - clock.now(), () => clock.nextTurn(() => this.#timeIsUp()));
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #timeIsUp(): void {
    if (this.#isStopped) return;
    const { clock, timeoutMs, since, stalled } = this.#options;
    this.#timer = undefined;
    const sinceMs = since();
    if (sinceMs !== undefined && clock.now() >= sinceMs + timeoutMs) stalled();
    else this.look();
  }
}
