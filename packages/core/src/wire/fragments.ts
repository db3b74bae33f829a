/** Puts messages together that came in several frames, within an announced and bounded amount of memory. */
import { RpcError } from "../errors/rpc-error.ts";
import type { Blocks } from "./blocks.ts";
import type { ByteReader } from "./byte-reader.ts";
import { maxFragmentBytes } from "./frames.ts";

/** A message that has come whole: the first `totalBytes` of `bytes`. */
export interface WholeMessage {
  readonly kind: number;
  readonly totalBytes: number;
  readonly bytes: Uint8Array;
}

/** A message of which a part has come. */
interface Partial extends WholeMessage {
  /** What has come, and room for more of it. */
  bytes: Uint8Array;
  filled: number;
}

/** Memory is taken for what is there, not for what is announced: for the whole once so much of it has come. */
const shareBeforeWhole = 1 / 8;

/** Both ends count the same way, so an honest sender never passes it. */
export function maxIncompleteBytes(maxMessageBytes: number): number {
  return 4 * maxMessageBytes;
}
/** Few enough, too, that it does not matter which numbers a peer chooses for them. */
const maxIncompleteMessages = 1_024;

export class Fragments {
  readonly #maxMessageBytes: number;
  readonly #blocks: Blocks;
  readonly #incomplete = new Map<number, Partial>();
  #announcedBytes = 0;

  constructor(maxMessageBytes: number, blocks: Blocks) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#blocks = blocks;
  }

  get count(): number {
    return this.#incomplete.size;
  }

  /** Takes the first fragment of a message. @throws RpcError `protocol`, `limit-exceeded` */
  begin(kind: number, reader: ByteReader): void {
    const number = reader.varint();
    const total = reader.varint();
    if (total > this.#maxMessageBytes) throw tooLarge(total, this.#maxMessageBytes);
    if (total <= maxFragmentBytes || this.#incomplete.has(number)) {
      throw new RpcError("protocol", `message ${number} of ${total} bytes begins as a fragment`, "not-executed");
    }
    if (
      this.#announcedBytes + total > maxIncompleteBytes(this.#maxMessageBytes) ||
      this.#incomplete.size >= maxIncompleteMessages
    ) {
      throw new RpcError(
        "limit-exceeded",
        `${this.#announcedBytes + total} bytes of incomplete messages`,
        "not-executed",
      );
    }
    this.#announcedBytes += total;
    const partial = { kind, totalBytes: total, bytes: nothing, filled: 0 };
    this.#incomplete.set(number, partial);
    this.#fill(partial, reader);
  }

  /** Takes a further fragment; returns the message when it is whole, to be let go when it is read. @throws RpcError `protocol` */
  add(reader: ByteReader): WholeMessage | undefined {
    const number = reader.varint();
    const partial = this.#incomplete.get(number);
    if (!partial) throw new RpcError("protocol", `a fragment of message ${number}, which never began`, "not-executed");
    this.#fill(partial, reader);
    if (partial.filled < partial.totalBytes) return undefined;
    this.#incomplete.delete(number);
    this.#announcedBytes -= partial.totalBytes;
    return partial;
  }

  /** The message is read: its memory is used again. */
  letGo(message: WholeMessage): void {
    this.#blocks.giveBack(message.bytes);
  }

  clear(): void {
    this.#incomplete.clear();
    this.#announcedBytes = 0;
  }

  #fill(partial: Partial, reader: ByteReader): void {
    if (reader.remaining > partial.totalBytes - partial.filled || reader.remaining === 0) {
      throw new RpcError("protocol", "a fragment that does not fit its message", "not-executed");
    }
    this.#makeRoom(partial, reader.remaining);
    partial.bytes.set(reader.bytes.subarray(reader.position, reader.end), partial.filled);
    partial.filled += reader.remaining;
  }

  #makeRoom(partial: Partial, bytes: number): void {
    const needed = partial.filled + bytes;
    if (needed <= partial.bytes.length) return;
    const isWholeDue = needed >= partial.totalBytes * shareBeforeWhole;
    const larger = this.#blocks.borrow(isWholeDue ? partial.totalBytes : Math.min(partial.totalBytes, 2 * needed));
    larger.set(partial.bytes.subarray(0, partial.filled));
    this.#blocks.giveBack(partial.bytes);
    partial.bytes = larger;
  }
}

const nothing = new Uint8Array(0);

export function tooLarge(bytes: number, limit: number): RpcError {
  return new RpcError(
    "limit-exceeded",
    `a message of ${bytes} bytes, limits.maxMessageBytes is ${limit}`,
    "not-executed",
  );
}
