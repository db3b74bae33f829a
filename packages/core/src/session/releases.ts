/** Holds going back to the peer: collected over a turn, sent behind everything that was begun before. */
import type { Clock } from "../clock/clock.ts";
import { type PeersNumber, peersNumber } from "../references/peers-number.ts";
import { frame } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";

const maxPairsPerFrame = 2_048;

interface Release {
  readonly id: number;
  holds: number;
}

export class Releases {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #afterHeld: (task: () => void) => void;
  #pending: Map<PeersNumber, Release> | undefined;
  #isClosed = false;

  /** `afterHeld` runs a task behind the calls that are held back. */
  constructor(clock: Clock, outbox: Outbox, afterHeld: (task: () => void) => void) {
    this.#clock = clock;
    this.#outbox = outbox;
    this.#afterHeld = afterHeld;
  }

  add(id: number, holds: number): void {
    if (this.#isClosed) return;
    if (!this.#pending) {
      this.#pending = new Map();
      this.#clock.endOfTurn(() => this.#send());
    }
    const key = peersNumber(id);
    const release = this.#pending.get(key);
    if (release) release.holds += holds;
    else this.#pending.set(key, { id, holds });
  }

  close(): void {
    this.#isClosed = true;
    this.#pending = undefined;
  }

  #send(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) this.#afterHeld(() => this.#outbox.afterBegun(() => this.#write([...pending.values()])));
  }

  #write(releases: readonly Release[]): void {
    if (this.#isClosed) return;
    for (let from = 0; from < releases.length; from += maxPairsPerFrame) {
      const writer = this.#outbox.begin(frame.release);
      for (const { id, holds } of releases.slice(from, from + maxPairsPerFrame)) {
        writer.varint(id);
        writer.varint(holds);
      }
      this.#outbox.end("control");
    }
  }
}
