/**
 * Memory for outgoing batches, and for frames that come in parts. A batch is written where it will be sent from, without
 * a copy, and a connection with nothing to send holds no buffer: it borrows a writer at the first frame of a turn and
 * gives it back at the flush. A connection that has received half a frame borrows memory for it until the rest has come.
 */
import { ByteWriter } from "./byte-writer.ts";
import { frameHeaderBytes, maxPayloadBytes } from "./frames.ts";

const slabBytes = 64 * 1024;
/** A slab with less room than this left is let go. */
const minRoomBytes = 4 * 1024;
/** Smaller frames get memory of their own size. */
const largeFrameBytes = 4 * 1024;
const maxFrameBytes = frameHeaderBytes + maxPayloadBytes;
const maxFree = 8;
/** Room for a whole frame behind others. */
const maxReusedBytes = 2 * maxFrameBytes;

export class Slabs {
  readonly #free: ByteWriter[] = [];
  readonly #freeFrames: Uint8Array[] = [];

  /** A writer at the end of what was already handed to a channel. */
  borrow(): ByteWriter {
    return this.#free.pop() ?? new ByteWriter(new Uint8Array(slabBytes));
  }

  /** Takes a writer back whose written bytes now belong to a channel; with the slab it came with, if it outgrew that. */
  giveBack(writer: ByteWriter): void {
    const { bytes, start } = writer.outgrown ?? { bytes: writer.bytes, start: writer.position };
    if (bytes.length !== slabBytes || slabBytes - start < minRoomBytes || this.#free.length >= maxFree) return;
    writer.bytes = bytes;
    writer.start = start;
    writer.position = start;
    writer.outgrown = undefined;
    this.#free.push(writer);
  }

  /** The same when nobody has its bytes any more: they are written over. */
  reuse(writer: ByteWriter): void {
    if (writer.bytes.length > maxReusedBytes || this.#free.length >= maxFree) return;
    writer.position = writer.start;
    writer.outgrown = undefined;
    this.#free.push(writer);
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
}
