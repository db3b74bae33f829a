/** A transport that holds back what arrives until a test lets it through: any order of two sides' news can be made. */
import type { Channel, ChannelEvents, Transport } from "@farref/core";
import { wrappedTransport } from "./wrapped-transport.ts";

export interface HeldTransport {
  readonly transport: Transport;
  /** What is on its way to the end that dialled, and to the end that listens. Both are open to begin with. */
  readonly toDialler: Valve;
  readonly toListener: Valve;
}

/** @example const { transport, toDialler } = heldTransport(memoryTransport); toDialler.shut(); … toDialler.passOne(); */
export function heldTransport(transport: Transport): HeldTransport {
  const toDialler = new Valve();
  const toListener = new Valve();
  const valves = { dialling: toDialler, listening: toListener };
  return {
    transport: wrappedTransport(transport, (channel, end) => new HeldChannel(channel, valves[end])),
    toDialler,
    toListener,
  };
}

/** One direction. */
export class Valve {
  readonly #waiting: (() => void)[] = [];
  #isOpen = true;

  /** Pieces that wait: as a rule, what one turn of the other side has written. */
  get waiting(): number {
    return this.#waiting.length;
  }

  shut(): void {
    this.#isOpen = false;
  }

  /** Lets the oldest piece through; `false` when there is none. */
  passOne(): boolean {
    const deliver = this.#waiting.shift();
    deliver?.();
    return deliver !== undefined;
  }

  /** Lets everything through, from now on too. */
  open(): void {
    this.#isOpen = true;
    while (this.passOne());
  }

  take(deliver: () => void): void {
    if (this.#isOpen && this.#waiting.length === 0) deliver();
    else this.#waiting.push(deliver);
  }
}

class HeldChannel implements Channel {
  readonly #channel: Channel;
  readonly #valve: Valve;

  declare ref?: () => void;
  declare unref?: () => void;

  constructor(channel: Channel, valve: Valve) {
    this.#channel = channel;
    this.#valve = valve;
    if (channel.ref) this.ref = () => channel.ref?.();
    if (channel.unref) this.unref = () => channel.unref?.();
  }

  get peer() {
    return this.#channel.peer;
  }

  start(on: ChannelEvents): void {
    this.#channel.start({
      chunk: (bytes) => {
        const copy = bytes.slice();
        this.#valve.take(() => on.chunk(copy));
      },
      drained: () => on.drained(),
      closed: (error) => this.#valve.take(() => on.closed(error)),
    });
  }

  write(bytes: Uint8Array): boolean {
    return this.#channel.write(bytes);
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  end(): void {
    this.#channel.end();
  }

  destroy(error?: Error): void {
    this.#channel.destroy(error);
  }
}
