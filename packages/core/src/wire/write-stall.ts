/** Notices that nothing is taken of what waits to be written, by the channel or by the peer. */
import type { Clock, Timer } from "../clock/clock.ts";

export class WriteStall {
  timeoutMs = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #stalled: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, stalled: () => void) {
    this.#clock = clock;
    this.#stalled = stalled;
  }

  /** Something waits until the channel drains, or the peer answers. */
  begin(): void {
    if (this.timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#timer ??= this.#clock.setTimer(this.timeoutMs, () => this.#timeIsUp());
  }

  /** Something was taken, or nothing waits any more. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** It may have been us who were busy: what has come meanwhile is read first. */
  #timeIsUp(): void {
    const timer = this.#timer;
    this.#clock.nextTurn(() => {
      if (timer && this.#timer === timer) this.#stalled();
    });
  }
}
