/**
 * The large messages of one sender: those the peer has room for send fragments in turns, the others wait to begin in
 * their order. No more is under way than the window allows.
 */
import type { Clock } from "../clock/clock.ts";
import { BulkWindow } from "./bulk-window.ts";
import { maxIncompleteBytes } from "./fragments.ts";
import { maxFragmentBytes } from "./frames.ts";
import type { LargeMessage, Purpose } from "./large-message.ts";

interface Barrier {
  readonly after: number;
  readonly task: () => void;
}

export class LargeMessages {
  /** The peer's limit, once known. */
  maxMessageBytes = Number.POSITIVE_INFINITY;
  /** Begun and not finished, in turns. */
  readonly #inProgress: LargeMessage[] = [];
  /** Not begun, because the peer would have to hold too much at once. */
  readonly #waiting: LargeMessage[] = [];
  readonly #barriers: Barrier[] = [];
  readonly #window: BulkWindow;
  #lastNumber = 0;

  constructor(clock: Clock) {
    this.#window = new BulkWindow(clock);
  }

  /** The number of the next message. */
  nextNumber(): number {
    return ++this.#lastNumber;
  }

  get isEmpty(): boolean {
    return this.#inProgress.length + this.#waiting.length === 0;
  }

  /** Whether fragments are to be sent, now or when the peer has read. */
  get isInProgress(): boolean {
    return this.#inProgress.length > 0;
  }

  /** Whether the peer has read so much of what was sent that more may leave. */
  get isWindowOpen(): boolean {
    return this.#window.isOpen;
  }

  unsentBytes(purpose: Purpose): number {
    let bytes = 0;
    for (const message of this.#inProgress) if (message.purpose === purpose) bytes += message.unsentBytes;
    for (const message of this.#waiting) if (message.purpose === purpose) bytes += message.totalBytes;
    return bytes;
  }

  /** Whether one with this purpose could not begin. */
  hasWaiting(purpose: Purpose): boolean {
    return this.#waiting.some((message) => message.purpose === purpose);
  }

  /** The message begins as soon as it may. */
  add(message: LargeMessage): void {
    this.#waiting.push(message);
  }

  /** Begins waiting messages, in their order, as far as the peer can hold them. */
  beginWaiting(begin: (message: LargeMessage) => void): void {
    let announcedBytes = 0;
    for (const message of this.#inProgress) announcedBytes += message.totalBytes;
    for (let message = this.#waiting[0]; message; message = this.#waiting[0]) {
      announcedBytes += message.totalBytes;
      if (announcedBytes > maxIncompleteBytes(this.maxMessageBytes)) return;
      this.#waiting.shift();
      this.#inProgress.push(message);
      begin(message);
    }
  }

  /** Drops a message that has not begun. */
  removeWaiting(message: LargeMessage): boolean {
    return remove(this.#waiting, message);
  }

  /** Drops a message of which nothing has left. */
  removeBegun(message: LargeMessage): void {
    remove(this.#inProgress, message);
  }

  /**
   * The message whose turn it is sends a fragment: `write` writes it, with the ping of what was sent before it. Returns the
   * message when that was its last: a ping is due behind it.
   */
  sendNext(write: (message: LargeMessage) => void): LargeMessage | undefined {
    const message = this.#inProgress.shift() as LargeMessage;
    this.#window.probed();
    write(message);
    this.#window.sent(maxFragmentBytes);
    if (message.unsentBytes === 0) return message;
    this.#inProgress.push(message);
    return undefined;
  }

  /** A ping leaves, whatever for. */
  pinged(): void {
    this.#window.probed();
  }

  /** A pong came. */
  answered(): void {
    this.#window.answered();
  }

  /** Runs `task` when every message added until now has left whole; now, when none is there. */
  afterAll(task: () => void): void {
    if (this.isEmpty) task();
    else this.#barriers.push({ after: this.#lastNumber, task });
  }

  /** Runs what waited for messages that have left. */
  passBarriers(): void {
    while (this.#barriers.length > 0) {
      const { after, task } = this.#barriers[0] as Barrier;
      const isBefore = (message: LargeMessage) => message.number <= after;
      if (this.#inProgress.some(isBefore) || this.#waiting.some(isBefore)) return;
      this.#barriers.shift();
      task();
    }
  }

  clear(): void {
    this.#inProgress.length = 0;
    this.#waiting.length = 0;
    this.#barriers.length = 0;
  }
}

function remove<T>(list: T[], item: T): boolean {
  const index = list.indexOf(item);
  if (index < 0) return false;
  list.splice(index, 1);
  return true;
}
