/** Starts a channel and writes down all it is told, so that a test can wait for it and compare. */
import type { Channel } from "@farref/core";

interface Waiter {
  isMet(): boolean;
  resolve(): void;
  reject(error: Error): void;
}

/** Starts `channel`. `whenChunk` runs inside the chunk callback. */
export function probe(channel: Channel, whenChunk?: (bytes: Uint8Array) => void): ChannelProbe {
  return new ChannelProbe(channel, whenChunk);
}

export class ChannelProbe {
  readonly channel: Channel;
  /** The argument of each `closed`: exactly one in the end. */
  readonly closings: (Error | undefined)[] = [];
  drains = 0;
  chunks = 0;
  /** Callbacks that came after `closed`. */
  readonly late: string[] = [];
  #bytes = new Uint8Array(1024);
  #length = 0;
  readonly #waiters = new Set<Waiter>();

  constructor(channel: Channel, whenChunk?: (bytes: Uint8Array) => void) {
    this.channel = channel;
    channel.start({
      chunk: (bytes) => {
        this.#note("chunk");
        this.chunks++;
        this.#append(bytes);
        this.#wake();
        whenChunk?.(bytes);
      },
      drained: () => {
        this.#note("drained");
        this.drains++;
        this.#wake();
      },
      closed: (error) => {
        this.#note("closed");
        this.closings.push(error);
        this.#wake();
        this.#abandon();
      },
    });
  }

  /** All bytes so far. */
  get received(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Waits for `count` bytes in all; rejects when the channel closes before. */
  async bytes(count: number): Promise<Uint8Array> {
    await this.#until(() => this.#length >= count);
    return this.received;
  }

  /** Waits for the `count`th `drained`. */
  drained(count = 1): Promise<void> {
    return this.#until(() => this.drains >= count);
  }

  /** Waits for the end and returns its error. */
  async closed(): Promise<Error | undefined> {
    await this.#until(() => this.closings.length > 0);
    return this.closings[0];
  }

  #until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ isMet, resolve, reject });
      this.#wake();
      if (this.closings.length > 0) this.#abandon();
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.isMet()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Whatever was not met when the channel closed never will be. */
  #abandon(): void {
    for (const waiter of this.#waiters) {
      waiter.reject(new Error(`the channel closed after ${this.#length} bytes`, { cause: this.closings[0] }));
    }
    this.#waiters.clear();
  }

  #note(what: string): void {
    if (this.closings.length > 0) this.late.push(what);
  }

  #append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + bytes.length));
      larger.set(this.received);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}
