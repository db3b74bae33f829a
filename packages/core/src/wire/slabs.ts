/**
 * Memory for outgoing batches. A batch is written where it will be sent from, without a copy, and a connection with
 * nothing to send holds no buffer: it borrows a writer at the first frame of a turn and gives it back at the flush.
 */
import { ByteWriter } from "./byte-writer.ts";

const slabBytes = 64 * 1024;
/** A slab with less room than this left is let go. */
const minRoomBytes = 4 * 1024;

export class Slabs {
  readonly #free: ByteWriter[] = [];

  /** A writer at the end of what was already handed to a channel. */
  borrow(): ByteWriter {
    return this.#free.pop() ?? new ByteWriter(new Uint8Array(slabBytes));
  }

  /** Takes a writer back whose written bytes now belong to a channel. */
  giveBack(writer: ByteWriter): void {
    if (writer.bytes.length !== slabBytes || slabBytes - writer.position < minRoomBytes) return;
    writer.start = writer.position;
    if (this.#free.length < 8) this.#free.push(writer);
  }
}
