/** What the frames of an outbox that have not left count for. */
import type { Purpose } from "./large-message.ts";

type BytesByPurpose = Record<Purpose, number>;

export class Unsent {
  /** Of the batch that is being filled. */
  #batch = nothing();
  /** Of the batch that was written last, and its length: something of it may be left. */
  #written = nothing();
  #writtenBytes = 0;

  /** Bytes were added to the batch. */
  add(purpose: Purpose, bytes: number): void {
    this.#batch[purpose] += bytes;
  }

  /** The batch is written, `bytes` in all, and another one begins. */
  batchWritten(bytes: number): void {
    const written = this.#batch;
    this.#batch = this.#written;
    this.#written = written;
    this.#writtenBytes = bytes;
    clear(this.#batch);
  }

  /** Bytes with this purpose, when of the batch that was written last so many are left. */
  bytes(purpose: Purpose, leftBytes: number): number {
    if (leftBytes === 0) return this.#batch[purpose];
    return this.#batch[purpose] + Math.ceil((this.#written[purpose] * leftBytes) / this.#writtenBytes);
  }
}

function nothing(): BytesByPurpose {
  return { call: 0, reply: 0, item: 0, control: 0 };
}

function clear(bytes: BytesByPurpose): void {
  bytes.call = 0;
  bytes.reply = 0;
  bytes.item = 0;
  bytes.control = 0;
}
