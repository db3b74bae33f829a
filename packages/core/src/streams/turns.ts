/**
 * How many items the streams of a session may send in one turn of the process, and who is next: each has an equal share,
 * whoever had it waits at the end of the row, and calls come in between.
 */
import type { Clock } from "../clock/clock.ts";

const maxItemsATurn = 512;
const maxBytesATurn = 256 * 1024;

/** A stream in the row. */
export interface TurnTaker {
  /** What it has sent in the turn it sent in last. */
  readonly share: Share;
  /** It has its turn. */
  goOn(): void;
}

export class Share {
  turn = -1;
  items = 0;
  bytes = 0;
  isWaiting = false;
}

export interface TurnsOptions {
  readonly clock: Clock;
  /** Whether the channel takes more. */
  isOpen(): boolean;
  /** How many want to send. */
  sharers(): number;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #row: TurnTaker[] = [];
  #turn = 0;
  #items = 0;
  #bytes = 0;
  #isCounting = false;
  #isGoingOn = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Whether a stream may send now; one that may not should wait. */
  admits({ share }: TurnTaker): boolean {
    if (!this.#options.isOpen() || !this.#hasRoom) return false;
    if (share.turn !== this.#turn) return true;
    const sharers = Math.max(1, this.#options.sharers());
    return share.items < maxItemsATurn / sharers && share.bytes < maxBytesATurn / sharers;
  }

  /** A stream has sent an item. */
  sent({ share }: TurnTaker, bytes: number): void {
    if (share.turn !== this.#turn) {
      share.turn = this.#turn;
      share.items = 0;
      share.bytes = 0;
    }
    share.items++;
    share.bytes += bytes;
    this.#items++;
    this.#bytes += bytes;
    if (!this.#isCounting) this.#count();
  }

  /** Puts a stream at the end of the row: it goes on when it may. */
  wait(taker: TurnTaker): void {
    if (taker.share.isWaiting) return;
    taker.share.isWaiting = true;
    this.#row.push(taker);
    if (!this.#isCounting && this.#options.isOpen()) this.#count();
  }

  /** Lets those at the front of the row go on: a new turn has begun, or the channel has room. */
  goOn(): void {
    if (this.#isGoingOn) return;
    this.#isGoingOn = true;
    for (let left = this.#row.length; left > 0 && this.#options.isOpen() && this.#hasRoom; left--) this.#next();
    this.#isGoingOn = false;
  }

  clear(): void {
    this.#row.length = 0;
  }

  get #hasRoom(): boolean {
    return this.#items < maxItemsATurn && this.#bytes < maxBytesATurn;
  }

  #next(): void {
    const taker = this.#row.shift() as TurnTaker;
    taker.share.isWaiting = false;
    taker.goOn();
  }

  /** What is sent from here on counts for this turn. */
  #count(): void {
    this.#isCounting = true;
    this.#options.clock.nextTurn(() => {
      this.#isCounting = false;
      this.#turn++;
      this.#items = 0;
      this.#bytes = 0;
      this.goOn();
    });
  }
}
