/**
 * Memory for outgoing batches, for frames that come in parts, and for messages larger than a frame. A batch is written
 * where it will be sent from, without a copy, and a connection with nothing to send holds no buffer: it borrows a writer
 * at the first frame of a turn and gives it back at the flush. A connection that has received half a frame, or half a
 * message, borrows memory for it until the rest has come.
 */
import { Blocks } from "./blocks.ts";
import { ByteWriter } from "./byte-writer.ts";
import { frameHeaderBytes, maxPayloadBytes } from "./frames.ts";

const slabBytes = 64 * 1024;
/** A slab with less room than this left is let go. */
const minRoomBytes = 4 * 1024;
/** Smaller frames get memory of their own size. */
const largeFrameBytes = 4 * 1024;
const maxFrameBytes = frameHeaderBytes + maxPayloadBytes;
const maxFree = 8;

export class Slabs {
  /** For what is larger than a frame. */
  readonly blocks: Blocks = new Blocks();
  readonly #free: ByteWriter[] = [];
  readonly #freeFrames: Uint8Array[] = [];

  /** A writer at the end of what was already handed to a channel. */
  borrow(): ByteWriter {
    return this.#free.pop() ?? new ByteWriter(new Uint8Array(slabBytes), 0, this.blocks);
  }

  /** Takes a writer back whose written bytes now belong to a channel; with the slab it came with, if it outgrew that. */
  giveBack(writer: ByteWriter): void {
    if (!writer.shrink()) writer.start = writer.position;
    this.#keep(writer);
  }

  /** The same when nobody has its bytes any more: they are written over. */
  reuse(writer: ByteWriter): void {
    const { bytes } = writer;
    if (writer.shrink()) this.blocks.giveBack(bytes);
    else writer.position = writer.start;
    this.#keep(writer);
  }

  /** At least `size` bytes, with anything in them. */
  borrowFrame(size: number): Uint8Array {
    if (size < largeFrameBytes) return new Uint8Array(size);
    return this.#freeFrames.pop() ?? new Uint8Array(maxFrameBytes);
  }

  /** Nobody looks at the frame any more. */
  giveBackFrame(frame: Uint8Array): void {
    if (frame.length === maxFrameBytes && this.#freeFrames.length < maxFree) this.#freeFrames.push(frame);
  }

  #keep(writer: ByteWriter): void {
    const { length } = writer.bytes;
    if (length !== slabBytes || length - writer.start < minRoomBytes || this.#free.length >= maxFree) return;
    this.#free.push(writer);
  }
}
