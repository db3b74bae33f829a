/** Puts messages together that came in several frames, within an announced and bounded amount of memory. */
import { RpcError } from "../errors/rpc-error.ts";
import type { ByteReader } from "./byte-reader.ts";
import { maxFragmentBytes } from "./frames.ts";

/** What has come of a message: memory is taken for what is there, not for what is announced. */
interface Partial {
  readonly kind: number;
  readonly totalBytes: number;
  readonly pieces: Uint8Array[];
  filled: number;
}

/** Both ends count the same way, so an honest sender never passes it. */
export function maxIncompleteBytes(maxMessageBytes: number): number {
  return 4 * maxMessageBytes;
}
/** Few enough, too, that it does not matter which numbers a peer chooses for them. */
const maxIncompleteMessages = 1_024;

export class Fragments {
  readonly #maxMessageBytes: number;
  readonly #incomplete = new Map<number, Partial>();
  #announcedBytes = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
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
    const partial = { kind, totalBytes: total, pieces: [], filled: 0 };
    this.#incomplete.set(number, partial);
    this.#fill(partial, reader);
  }

  /** Takes a further fragment; returns the message when it is whole. @throws RpcError `protocol` */
  add(reader: ByteReader): { readonly kind: number; readonly bytes: Uint8Array } | undefined {
    const number = reader.varint();
    const partial = this.#incomplete.get(number);
    if (!partial) throw new RpcError("protocol", `a fragment of message ${number}, which never began`, "not-executed");
    this.#fill(partial, reader);
    if (partial.filled < partial.totalBytes) return undefined;
    this.#incomplete.delete(number);
    this.#announcedBytes -= partial.totalBytes;
    return { kind: partial.kind, bytes: joined(partial) };
  }

  clear(): void {
    this.#incomplete.clear();
    this.#announcedBytes = 0;
  }

  #fill(partial: Partial, reader: ByteReader): void {
    if (reader.remaining > partial.totalBytes - partial.filled || reader.remaining === 0) {
      throw new RpcError("protocol", "a fragment that does not fit its message", "not-executed");
    }
    partial.pieces.push(reader.bytes.slice(reader.position, reader.end));
    partial.filled += reader.remaining;
  }
}

function joined({ totalBytes, pieces }: Partial): Uint8Array {
  const bytes = new Uint8Array(totalBytes);
  let filled = 0;
  for (const piece of pieces) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return bytes;
}

export function tooLarge(bytes: number, limit: number): RpcError {
  return new RpcError(
    "limit-exceeded",
    `a message of ${bytes} bytes, limits.maxMessageBytes is ${limit}`,
    "not-executed",
  );
}
