/**
 * Shares an endpoint's time among peers who send more than is handled at once: they go on one after another, a slice of
 * time a turn in all. While only one peer speaks nobody waits for it, and its slices are long.
 */
import type { Clock } from "../clock/clock.ts";

/** Reads on for a slice of time. Does not throw. */
export type ReadOn = () => void;

/** An honest call may have to wait so long for a peer who floods. A turn of its own costs some microseconds. */
const sharedSliceMs = 0.05;
const loneSliceMs = 1;
/** Who was not heard for so long does not count. */
const memoryMs = 1_000;

export class ReadingTurns {
  readonly #clock: Clock;
  /** In the order of their turns. */
  readonly #waiting = new Set<ReadOn>();
  #isScheduled = false;
  /** Who was heard last, and when; when anybody else was. */
  #last: ReadOn | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  #othersAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody is about to be read. Returns for how long, in milliseconds. */
  sliceMs(who: ReadOn, now: number): number {
    if (this.#last !== who) this.#othersAt = this.#lastAt;
    this.#last = who;
    this.#lastAt = now;
    return now - this.#othersAt < memoryMs ? sharedSliceMs : loneSliceMs;
  }

  /** Runs `readOn` in a later turn, behind all who wait already. */
  wait(readOn: ReadOn): void {
    this.#waiting.add(readOn);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Between what was read just now and the very next turn, Node would not look who else has sent something.
    this.#clock.nextTurn(() => this.#clock.nextTurn(this.#turn));
  }

  /** Forgets one that is read no more. */
  leave(readOn: ReadOn): void {
    this.#waiting.delete(readOn);
    if (this.#last === readOn) this.#last = undefined;
  }

  readonly #turn = (): void => {
    const [readOn] = this.#waiting;
    if (readOn) {
      this.#waiting.delete(readOn);
      readOn();
    }
    this.#isScheduled = this.#waiting.size > 0;
    if (this.#isScheduled) this.#clock.nextTurn(this.#turn);
  };
}
