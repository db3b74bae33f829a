/**
 * Puts messages together that came in several frames, within an announced and bounded amount of memory. Attachments are
 * put where they stay: their memory becomes the value.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { Blocks } from "./blocks.ts";
import type { Attachments, ByteReader } from "./byte-reader.ts";
import { carriesData, maxAttachments, maxFragmentBytes, minAttachmentBytes, optional } from "./frames.ts";

/** A message that has come whole: its body is the first `bodyBytes` of `body`. */
export interface WholeMessage {
  /** Byte 0 of its first frame, without the bit that says so. */
  readonly code: number;
  readonly body: Uint8Array;
  readonly bodyBytes: number;
  readonly attachments: Attachments | undefined;
}

/** The body of a message, or an attachment, of which something may be there. */
interface Part {
  readonly size: number;
  /** Where it ends up: a body in a block that is lent, an attachment in a buffer of exactly its size. */
  readonly memory: "lent" | "own";
  /** What has come, and room for more of it. */
  bytes: Uint8Array;
  filled: number;
}

/** A message of which a part has come. */
interface Partial {
  readonly code: number;
  readonly totalBytes: number;
  /** The body, then the attachments. */
  readonly parts: readonly Part[];
  /** The first of them that is not whole. */
  current: number;
}

/**
 * Memory is taken for what is there, not for what is announced: for the whole once so much of it has come. What has come
 * until then is copied to it in one go, so it is little. Blocks lent before are shorter than the whole, at most
 * 2 · 2 / 32 of it, so that an attachment always ends up in memory of its own.
 */
const shareBeforeWhole = 1 / 32;

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
  /** The message that the last fragment was of: what comes of it in parts has no other between them. */
  #last = 0;

  constructor(maxMessageBytes: number, blocks: Blocks) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#blocks = blocks;
  }

  get count(): number {
    return this.#incomplete.size;
  }

  /**
   * Takes the first fragment of a message, and leaves the reader at what it has of the body.
   * @throws RpcError `protocol`, `limit-exceeded`
   */
  begin(code: number, reader: ByteReader): void {
    const number = reader.varint();
    const total = reader.varint();
    if (total > this.#maxMessageBytes) throw tooLarge(total, this.#maxMessageBytes);
    if (total <= maxFragmentBytes || this.#incomplete.has(number)) {
      throw broken(`message ${number} of ${total} bytes begins as a fragment`);
    }
    this.#announce(total);
    const partial = { code, totalBytes: total, parts: partsOf(code, total, reader), current: 0 };
    this.#incomplete.set(number, partial);
    const { position, end } = reader;
    this.#fill(partial, reader);
    if (partial.current === partial.parts.length) throw misfit();
    reader.at(reader.bytes, position, Math.min(end, position + (partial.parts[0] as Part).size));
  }

  /** Takes a further fragment; returns the message when it is whole, to be let go when it is read. @throws RpcError `protocol` */
  add(reader: ByteReader): WholeMessage | undefined {
    this.#last = reader.varint();
    return this.addRest(reader);
  }

  /** Takes more of the fragment that was added last. @throws RpcError `protocol` */
  addRest(reader: ByteReader): WholeMessage | undefined {
    const partial = this.#incomplete.get(this.#last);
    if (!partial) {
      throw broken(`a fragment of message ${this.#last}, which is not under way`);
    }
    this.#fill(partial, reader);
    if (partial.current < partial.parts.length) return undefined;
    this.#incomplete.delete(this.#last);
    this.#announcedBytes -= partial.totalBytes;
    const [body, ...attachments] = partial.parts as [Part, ...Part[]];
    return {
      code: partial.code,
      body: body.bytes,
      bodyBytes: body.size,
      attachments: attachments.length > 0 ? attachments.map(({ bytes }) => bytes) : undefined,
    };
  }

  /** The message is read: the memory of its body is used again. */
  letGo(message: WholeMessage): void {
    this.#blocks.giveBack(message.body);
  }

  clear(): void {
    this.#incomplete.clear();
    this.#announcedBytes = 0;
  }

  #announce(bytes: number): void {
    const announced = this.#announcedBytes + bytes;
    if (announced > maxIncompleteBytes(this.#maxMessageBytes) || this.#incomplete.size >= maxIncompleteMessages) {
      throw new RpcError("limit-exceeded", `${announced} bytes of incomplete messages`, "not-executed");
    }
    this.#announcedBytes = announced;
  }

  /** Puts all that the reader has where it belongs. */
  #fill(partial: Partial, reader: ByteReader): void {
    if (reader.remaining === 0) throw misfit();
    while (reader.remaining > 0) {
      const part = partial.parts[partial.current];
      if (!part) throw misfit();
      const end = Math.min(reader.end, reader.position + part.size - part.filled);
      this.#makeRoom(part, end - reader.position);
      part.bytes.set(reader.bytes.subarray(reader.position, end), part.filled);
      part.filled += end - reader.position;
      reader.position = end;
      if (part.filled === part.size) partial.current++;
    }
  }

  #makeRoom(part: Part, bytes: number): void {
    const needed = part.filled + bytes;
    if (needed <= part.bytes.length) return;
    const isWholeDue = needed >= part.size * shareBeforeWhole;
    const before = part.bytes;
    if (isWholeDue && part.memory === "own") part.bytes = new Uint8Array(part.size);
    else part.bytes = this.#blocks.borrow(isWholeDue ? part.size : Math.min(part.size, 2 * needed));
    part.bytes.set(before.subarray(0, part.filled));
    this.#blocks.giveBack(before);
  }
}

const nothing = new Uint8Array(0);

/** Reads how long the attachments are; the body is what they leave of the message. @throws RpcError `protocol` */
function partsOf(code: number, total: number, reader: ByteReader): readonly Part[] {
  const count = reader.varint();
  if (count > (carriesData(code) || code & optional ? maxAttachments : 0)) {
    throw broken(`a message with ${count} attachments`);
  }
  const body = { size: total, bytes: nothing, filled: 0, memory: "lent" as const };
  const parts: Part[] = [body];
  for (let i = 0; i < count; i++) {
    const size = reader.varint();
    body.size -= size;
    if (size < minAttachmentBytes || body.size < 1) {
      throw broken(`an attachment of ${size} bytes to a message of ${total}`);
    }
    parts.push({ size, bytes: nothing, filled: 0, memory: "own" });
  }
  return parts;
}

function misfit(): RpcError {
  return broken("a fragment that does not fit its message");
}

function broken(detail: string): RpcError {
  return new RpcError("protocol", detail, "not-executed");
}

export function tooLarge(bytes: number, limit: number): RpcError {
  return new RpcError(
    "limit-exceeded",
    `a message of ${bytes} bytes, limits.maxMessageBytes is ${limit}`,
    "not-executed",
  );
}
