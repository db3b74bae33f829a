/** How long the frames of one peer are handled in a turn. */
import type { Clock } from "../clock/clock.ts";

/** Frames between two looks at the clock: a look costs as much as the smallest of them. */
const framesPerLook = 4;
/** Chunks with fewer frames than this, together, count as a turn each: to learn of its end costs a look into it. */
const fewFrames = 32;

/** Measures turns rather than chunks: a socket with much to hand out does so several times in one turn. */
export class Pace {
  readonly #clock: Clock;
  #beganAt = 0;
  #sliceMs = 0;
  /** Handled in this turn, as far as turns are told apart. */
  #frames = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Frames are about to be handled, for as long as this if the turn has only begun. */
  begin(now: number, sliceMs: number): void {
    this.#sliceMs = sliceMs;
    if (this.#frames < fewFrames) this.#beganAt = now;
  }

  /** Asked after each frame: whether others should have their turn before the next. */
  isUp(): boolean {
    if (++this.#frames % framesPerLook !== 0) return false;
    if (this.#frames === fewFrames) this.#clock.nextTurn(this.#nextTurn);
    return this.#clock.now() - this.#beganAt >= this.#sliceMs;
  }

  readonly #nextTurn = (): void => {
    this.#frames = 0;
  };
}
