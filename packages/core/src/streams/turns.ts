/**
 * How much the streams of a session may send in one turn of the process, and who is next. Each has an equal share of the
 * items and of the bytes; whoever took more waits until the others have had as much, unless they want nothing. Calls come
 * in between.
 */
import type { Clock } from "../clock/clock.ts";

const maxItemsATurn = 512;
const maxBytesATurn = 256 * 1024;

/** A stream that sends. */
export interface TurnTaker {
  readonly share: Share;
  /** It has its turn. */
  goOn(): void;
}

/** What a stream has taken beyond what was its own. */
export class Share {
  turn = 0;
  items = 0;
  bytes = 0;
  sentIn = -1;
  isWaiting = false;
}

export class Turns {
  readonly #clock: Clock;
  readonly #isOpen: () => boolean;
  readonly #row: TurnTaker[] = [];
  #turn = 0;
  /** Sent in this turn, and by how many. */
  #items = 0;
  #bytes = 0;
  #senders = 0;
  /** How many sent, or wanted to, in the last turn. */
  #sharers = 1;
  /** What was taken before this turn counts no more: nobody else wanted it. */
  #forgivenAt = 0;
  #isCounting = false;
  #isGoingOn = false;

  /** `isOpen` tells whether the channel takes more. */
  constructor(clock: Clock, isOpen: () => boolean) {
    this.#clock = clock;
    this.#isOpen = isOpen;
  }

  /** Whether a stream may send now; one that may not should wait. */
  admits({ share }: TurnTaker): boolean {
    if (!this.#isOpen() || !this.#hasRoom) return false;
    if (this.#sharers === 1) return true;
    this.#bringUp(share);
    return share.items < this.#itemsEach && share.bytes < this.#bytesEach;
  }

  /** A stream has sent an item. */
  sent({ share }: TurnTaker, bytes: number): void {
    this.#bringUp(share);
    if (share.sentIn !== this.#turn) this.#senders++;
    share.sentIn = this.#turn;
    share.items++;
    share.bytes += bytes;
    this.#items++;
    this.#bytes += bytes;
    this.#count();
  }

  /** Puts a stream at the end of the row: it goes on when it may. */
  wait(taker: TurnTaker): void {
    if (taker.share.isWaiting) return;
    taker.share.isWaiting = true;
    this.#row.push(taker);
    if (this.#isOpen()) this.#count();
  }

  /** Lets those in the row go on, from the front: a new turn has begun, or the channel has room. */
  goOn(): void {
    if (this.#isGoingOn) return;
    this.#isGoingOn = true;
    for (let left = this.#row.length; left > 0 && this.#isOpen() && this.#hasRoom; left--) {
      const taker = this.#row.shift() as TurnTaker;
      taker.share.isWaiting = false;
      taker.goOn();
    }
    this.#isGoingOn = false;
  }

  clear(): void {
    this.#row.length = 0;
  }

  get #hasRoom(): boolean {
    return this.#items < maxItemsATurn && this.#bytes < maxBytesATurn;
  }

  get #itemsEach(): number {
    return maxItemsATurn / this.#sharers;
  }

  get #bytesEach(): number {
    return maxBytesATurn / this.#sharers;
  }

  /** Takes off a share what its stream was due in the turns since. */
  #bringUp(share: Share): void {
    const turns = this.#turn - share.turn;
    if (turns === 0) return;
    const due = share.turn < this.#forgivenAt ? Number.POSITIVE_INFINITY : turns;
    share.items = Math.max(0, share.items - due * this.#itemsEach);
    share.bytes = Math.max(0, share.bytes - due * this.#bytesEach);
    share.turn = this.#turn;
  }

  /** What is sent from here on counts for this turn. */
  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    this.#clock.nextTurn(() => {
      this.#isCounting = false;
      this.#beginTurn();
      this.goOn();
    });
  }

  #beginTurn(): void {
    const waiting = this.#row.filter(({ share }) => share.sentIn !== this.#turn).length;
    this.#sharers = Math.max(1, this.#senders + waiting);
    this.#turn++;
    if (this.#items === 0) this.#forgivenAt = this.#turn;
    this.#items = 0;
    this.#bytes = 0;
    this.#senders = 0;
  }
}
