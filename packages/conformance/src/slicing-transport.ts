/** A transport whose chunks arrive in the smallest pieces: what survives it relies on no chunk boundary. */
import type { Channel, ChannelEvents, Transport } from "@farref/core";
import { wrappedTransport } from "./wrapped-transport.ts";

/** Hands every received chunk on in slices of `bytesPerChunk`, one after another in the same turn. */
export function slicingTransport(transport: Transport, bytesPerChunk = 1): Transport {
  return wrappedTransport(transport, (channel) => new SlicingChannel(channel, bytesPerChunk));
}

/** Slices that a pause or a `destroy` catches half-way wait, or are dropped, as a socket's would. */
class SlicingChannel implements Channel {
  readonly #channel: Channel;
  readonly #bytesPerChunk: number;
  #on: ChannelEvents | undefined;
  #rest: Uint8Array[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #flow: "running" | "paused" | "over" = "running";
  #isSlicing = false;

  declare ref?: () => void;
  declare unref?: () => void;

  constructor(channel: Channel, bytesPerChunk: number) {
    this.#channel = channel;
    this.#bytesPerChunk = bytesPerChunk;
    if (channel.ref) this.ref = () => channel.ref?.();
    if (channel.unref) this.unref = () => channel.unref?.();
  }

  get peer() {
    return this.#channel.peer;
  }

  get openingMs() {
    return this.#channel.openingMs;
  }

  start(on: ChannelEvents): void {
    this.#on = on;
    this.#channel.start({
      chunk: (bytes) => {
        this.#rest.push(bytes.slice());
        this.#slice();
      },
      drained: () => on.drained(),
      closed: (error) => {
        this.#end = { error };
        if (error) this.#rest = [];
        this.#slice();
      },
    });
  }

  write(bytes: Uint8Array): boolean {
    return this.#channel.write(bytes);
  }

  /** Who still looks at it finds it written over. */
  giveBack(slice: Uint8Array): void {
    slice.fill(0xff);
  }

  pause(): void {
    if (this.#flow === "running") this.#flow = "paused";
    this.#channel.pause();
  }

  resume(): void {
    if (this.#flow === "paused") this.#flow = "running";
    this.#channel.resume();
    queueMicrotask(() => this.#slice());
  }

  end(): void {
    this.#channel.end();
    this.resume();
  }

  destroy(error?: Error): void {
    this.#rest = [];
    this.#channel.destroy(error);
  }

  #slice(): void {
    if (this.#isSlicing) return;
    this.#isSlicing = true;
    try {
      this.#deliver();
    } finally {
      this.#isSlicing = false;
    }
    if (this.#end && this.#rest.length === 0) this.#close(this.#end.error);
  }

  #deliver(): void {
    for (let chunk = this.#rest[0]; chunk && this.#flow === "running"; chunk = this.#rest[0]) {
      const slice = chunk.subarray(0, this.#bytesPerChunk);
      if (slice.length === chunk.length) this.#rest.shift();
      else this.#rest[0] = chunk.subarray(this.#bytesPerChunk);
      this.#on?.chunk(slice);
    }
  }

  #close(error: Error | undefined): void {
    if (this.#flow === "over") return;
    this.#flow = "over";
    this.#on?.closed(error);
  }
}
