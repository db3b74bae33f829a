/** Two channels joined back to back: bytes are copied and arrive in a turn of their own, on a fresh stack. */
import { type Channel, type ChannelEvents, type PeerAddress, systemClock } from "@farref/core";
import { Receiver } from "../receiver.ts";

/** A writer is asked to wait once this much lies unread at the other end. */
const highWaterBytes = 128 * 1024;

export function memoryChannelPair(): [MemoryChannel, MemoryChannel] {
  const first = new MemoryChannel();
  const second = new MemoryChannel();
  first.join(second);
  second.join(first);
  return [first, second];
}

type State = "open" | "ending" | "closed";
const farewell = Symbol("the other end has ended");

class MemoryChannel implements Channel {
  readonly peer: PeerAddress = { transport: "memory" };
  readonly #receiver = new Receiver((error) => this.destroy(error));
  readonly #inbox: (Uint8Array | typeof farewell)[] = [];
  #inboxBytes = 0;
  #reading: "waiting" | "open" | "paused" = "waiting";
  #isTurnComing = false;
  #awaitsDrain = false;
  #state: State = "open";
  #far: MemoryChannel = this;

  join(far: MemoryChannel): void {
    this.#far = far;
  }

  start(on: ChannelEvents): void {
    this.#receiver.start(on);
    this.#reading = "open";
    this.#readSoon();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return false;
    if (bytes.length > 0) this.#far.#take(bytes.slice());
    this.#awaitsDrain ||= this.#far.#inboxBytes >= highWaterBytes;
    return !this.#awaitsDrain;
  }

  pause(): void {
    if (this.#reading === "open") this.#reading = "paused";
  }

  resume(): void {
    if (this.#reading === "paused") this.#reading = "open";
    this.#readSoon();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#far.#take(farewell);
    this.resume();
  }

  destroy(error?: Error): void {
    if (this.#state === "closed") return;
    this.#closeSoon(error);
    this.#far.#closeSoon(new Error("the other end destroyed the channel"));
  }

  #take(item: Uint8Array | typeof farewell): void {
    if (this.#state === "closed") return;
    this.#inbox.push(item);
    if (item !== farewell) this.#inboxBytes += item.length;
    this.#readSoon();
  }

  #readSoon(): void {
    if (this.#isTurnComing || this.#reading !== "open" || this.#inbox.length === 0) return;
    this.#isTurnComing = true;
    systemClock.nextTurn(() => this.#read());
  }

  /** One item a turn. */
  #read(): void {
    this.#isTurnComing = false;
    if (this.#reading !== "open") return;
    const item = this.#inbox.shift();
    if (item === farewell) this.#farEnded();
    else if (item) this.#deliver(item);
    this.#readSoon();
  }

  #deliver(bytes: Uint8Array): void {
    this.#inboxBytes -= bytes.length;
    this.#receiver.chunk(bytes);
    if (this.#inboxBytes === 0) this.#far.#drainedSoon();
  }

  #drainedSoon(): void {
    if (!this.#awaitsDrain) return;
    this.#awaitsDrain = false;
    systemClock.nextTurn(() => this.#receiver.drained());
  }

  /** Nothing more will come. What we wrote before is the other end's to read. */
  #farEnded(): void {
    this.end();
    this.#state = "closed";
    this.#receiver.closed();
  }

  #closeSoon(error?: Error): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#inbox.length = 0;
    systemClock.nextTurn(() => this.#receiver.closed(error));
  }
}

export type { MemoryChannel };
