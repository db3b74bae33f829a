/** Holds going back to the peer: collected over a turn, sent behind everything that was begun before. */
import type { Clock } from "../clock/clock.ts";
import { frame } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";

const maxPairsPerFrame = 2_048;

export class Releases {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #afterHeld: (task: () => void) => void;
  #pending: Map<number, number> | undefined;
  #isClosed = false;

  /** `afterHeld` runs a task behind the calls that are held back. */
  constructor(clock: Clock, outbox: Outbox, afterHeld: (task: () => void) => void) {
    this.#clock = clock;
    this.#outbox = outbox;
    this.#afterHeld = afterHeld;
  }

  add(id: number, count: number): void {
    if (this.#isClosed) return;
    if (!this.#pending) {
      this.#pending = new Map();
      this.#clock.endOfTurn(() => this.#send());
    }
    this.#pending.set(id, (this.#pending.get(id) ?? 0) + count);
  }

  close(): void {
    this.#isClosed = true;
    this.#pending = undefined;
  }

  #send(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) this.#afterHeld(() => this.#outbox.afterBegun(() => this.#write([...pending])));
  }

  #write(pairs: readonly (readonly [number, number])[]): void {
    if (this.#isClosed) return;
    for (let from = 0; from < pairs.length; from += maxPairsPerFrame) {
      const writer = this.#outbox.begin(frame.release);
      for (const [id, count] of pairs.slice(from, from + maxPairsPerFrame)) {
        writer.varint(id);
        writer.varint(count);
      }
      this.#outbox.end("control");
    }
  }
}
