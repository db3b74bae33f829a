/** Cuts the bytes of a channel into frames, as many as are wanted at a time. Holds nothing of what has been read. */
import { frame, frameHeaderBytes, kindOf } from "./frames.ts";
import type { Slabs } from "./slabs.ts";

export interface FrameEvents {
  /**
   * A frame: `code` is byte 0, its payload is `bytes[start, end)` until this returns. Of a `more` frame it may be the
   * beginning, with the message's number in it, and `rest` follows.
   */
  frame(code: number, bytes: Uint8Array, start: number, end: number): void;
  /** More of the `more` frame whose beginning came last: no other frame comes before its end. */
  rest(bytes: Uint8Array, start: number, end: number): void;
  /** A header announces more than the reader takes. Nothing is read afterwards. */
  oversized(payloadBytes: number): void;
}

/** A fragment is handed on as it comes once there is more of it than the number of its message takes, 8 bytes. */
const leastPartBytes = 64;

export class FrameReader {
  /** Largest payload taken; a handshake takes less than a session. */
  maxPayloadBytes: number;
  readonly #on: FrameEvents;
  readonly #memory: Pick<Slabs, "borrowFrame" | "giveBackFrame">;
  /** The beginning of a frame whose end has not come. */
  #partial: Uint8Array | undefined;
  /** How much of it is known to be needed, and how much is there. */
  #size = 0;
  #filled = 0;
  /** What is still to come of a fragment whose beginning was handed on. */
  #restBytes = 0;
  /** Copies of what came and was not read, in order; of the first, what is behind `#position`. */
  readonly #unread: Uint8Array[] = [];
  #position = 0;
  #state: "reading" | "paused" | "stopped" = "reading";

  constructor(maxPayloadBytes: number, memory: Pick<Slabs, "borrowFrame" | "giveBackFrame">, on: FrameEvents) {
    this.maxPayloadBytes = maxPayloadBytes;
    this.#memory = memory;
    this.#on = on;
  }

  get isInFrame(): boolean {
    return this.#partial !== undefined || this.#restBytes > 0;
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  /** What waits for `resume`. */
  get unreadBytes(): number {
    return this.#unread.reduce((sum, { length }) => sum + length, 0) - this.#position;
  }

  /** Delivers nothing more, not even from the chunk at hand. */
  stop(): void {
    this.#state = "stopped";
    this.#letGo();
  }

  /** Delivers nothing before `resume`, not even from the chunk at hand: what is left of it, and what comes, is kept. */
  pause(): void {
    if (this.#state === "reading") this.#state = "paused";
  }

  /** Reads on where it paused. May pause again before everything is read. */
  resume(): void {
    if (this.#state === "paused") this.#state = "reading";
    for (let chunk = this.#unread[0]; chunk && this.#state === "reading"; chunk = this.#unread[0]) {
      this.#position = this.#read(chunk, this.#position);
      if (this.#position < chunk.length) return;
      this.#unread.shift();
      this.#position = 0;
    }
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const position = this.#state === "reading" ? this.#read(chunk, 0) : 0;
    if (this.isPaused && position < chunk.length) this.#unread.push(new Uint8Array(chunk.subarray(position)));
  }

  /** Reads frames from `from` on. Returns up to where the chunk is done with: all of it, unless paused meanwhile. */
  #read(chunk: Uint8Array, from: number): number {
    let position = this.#partial ? this.#fillPartial(chunk, from) : this.#readRest(chunk, from);
    while (this.#state === "reading" && chunk.length - position >= frameHeaderBytes) {
      const payloadBytes = this.#payloadBytes(chunk, position);
      if (payloadBytes < 0) return chunk.length;
      const start = position + frameHeaderBytes;
      const end = Math.min(start + payloadBytes, chunk.length);
      const restBytes = start + payloadBytes - end;
      const code = chunk[position] as number;
      if (restBytes > 0 && !this.#isHandedOnInParts(code, end - start)) break;
      this.#restBytes = restBytes;
      this.#on.frame(code, chunk, start, end);
      position = end;
    }
    if (this.#state === "paused") return position;
    if (this.#state === "reading" && position < chunk.length) this.#keep(chunk, position);
    return chunk.length;
  }

  #isHandedOnInParts(code: number, partBytes: number): boolean {
    return kindOf(code) === frame.more && partBytes >= leastPartBytes;
  }

  /** Hands on more of a fragment. Returns up to where the chunk was of it. */
  #readRest(chunk: Uint8Array, from: number): number {
    if (this.#restBytes === 0) return from;
    const end = Math.min(chunk.length, from + this.#restBytes);
    this.#restBytes -= end - from;
    this.#on.rest(chunk, from, end);
    return end;
  }

  /** The payload's length from the header at `at`; -1 when it is too large. */
  #payloadBytes(bytes: Uint8Array, at: number): number {
    const length = ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    if (length <= this.maxPayloadBytes) return length;
    this.stop();
    this.#on.oversized(length);
    return -1;
  }

  /** Keeps the beginning of a frame, with room for all of it where its header is whole. */
  #keep(chunk: Uint8Array, from: number): void {
    const rest = chunk.length - from;
    const isHeaderWhole = rest >= frameHeaderBytes;
    this.#size = isHeaderWhole ? frameHeaderBytes + this.#payloadBytes(chunk, from) : frameHeaderBytes;
    this.#partial = this.#memory.borrowFrame(this.#size);
    this.#partial.set(chunk.subarray(from));
    this.#filled = rest;
  }

  /** Completes the kept frame as far as the chunk reaches. Returns up to where the chunk was taken. */
  #fillPartial(chunk: Uint8Array, from: number): number {
    let position = from + this.#fill(chunk, from);
    if (this.#filled === frameHeaderBytes && this.#size === frameHeaderBytes) {
      if (!this.#enlarge(this.#partial as Uint8Array)) return chunk.length;
      position += this.#fill(chunk, position);
    }
    if (this.#filled < this.#size) return chunk.length;
    this.#deliver(this.#partial as Uint8Array);
    return position;
  }

  #fill(chunk: Uint8Array, from: number): number {
    const size = Math.min(this.#size - this.#filled, chunk.length - from);
    this.#partial?.set(chunk.subarray(from, from + size), this.#filled);
    this.#filled += size;
    return size;
  }

  #enlarge(header: Uint8Array): boolean {
    const payloadBytes = this.#payloadBytes(header, 0);
    if (payloadBytes < 0) return false;
    this.#size = frameHeaderBytes + payloadBytes;
    this.#partial = this.#memory.borrowFrame(this.#size);
    this.#partial.set(header.subarray(0, frameHeaderBytes));
    return true;
  }

  /** The memory is nobody else's until whoever gets the frame has returned. */
  #deliver(partial: Uint8Array): void {
    this.#partial = undefined;
    this.#on.frame(partial[0] as number, partial, frameHeaderBytes, this.#size);
    this.#memory.giveBackFrame(partial);
  }

  #letGo(): void {
    if (this.#partial) this.#memory.giveBackFrame(this.#partial);
    this.#partial = undefined;
    this.#restBytes = 0;
    this.#unread.length = 0;
    this.#position = 0;
  }
}
