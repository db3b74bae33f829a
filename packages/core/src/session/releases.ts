/** Holds going back to the peer: collected over a turn, sent behind everything that was begun before. */
import type { Clock } from "../clock/clock.ts";
import { frame } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import type { HeldCalls } from "./held-calls.ts";

/** In a frame: of a reference its number and how many holds. */
const maxNumbers = 2 * 2_048;

export class Releases {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #held: HeldCalls;
  /** References and holds in turn; one that is given up twice in a turn may stand there twice. */
  #pending: number[] | undefined;
  #isClosed = false;

  constructor(clock: Clock, outbox: Outbox, held: HeldCalls) {
    this.#clock = clock;
    this.#outbox = outbox;
    this.#held = held;
  }

  add(id: number, holds: number): void {
    if (this.#isClosed) return;
    if (!this.#pending) {
      this.#pending = [];
      this.#clock.endOfTurn(() => this.#send());
    }
    this.#pending.push(id, holds);
  }

  close(): void {
    this.#isClosed = true;
    this.#pending = undefined;
  }

  #send(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) this.#held.behind(() => this.#outbox.afterBegun(() => this.#write(pending)));
  }

  #write(numbers: readonly number[]): void {
    if (this.#isClosed) return;
    for (let from = 0; from < numbers.length; from += maxNumbers) {
      const writer = this.#outbox.begin(frame.release);
      const to = Math.min(from + maxNumbers, numbers.length);
      for (let i = from; i < to; i++) writer.varint(numbers[i] as number);
      this.#outbox.end("control");
    }
  }
}
