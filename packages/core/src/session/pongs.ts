/**
 * The answers to pings. While much comes there is a ping behind every chunk that is read, and a write for each answer would
 * cost a tenth of the time: a few wait for each other, none for longer than to the next turn.
 */
import type { Clock } from "../clock/clock.ts";

/** A sender goes on with what a ping was behind: it waits for few. */
const maxDue = 8;

export class Pongs {
  readonly #clock: Clock;
  readonly #send: () => void;
  #due = 0;
  #isScheduled = false;

  /** `send` sends one. */
  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** A ping has come. */
  due(): void {
    this.#due++;
    if (this.#due === maxDue) this.#sendAll();
    else if (!this.#isScheduled) this.#sendSoon();
  }

  #sendSoon(): void {
    this.#isScheduled = true;
    this.#clock.nextTurn(() => {
      this.#isScheduled = false;
      this.#sendAll();
    });
  }

  #sendAll(): void {
    for (; this.#due > 0; this.#due--) this.#send();
  }
}
