/** A message on its way in fragments, so that others get their turn between them. */
import { ByteWriter } from "./byte-writer.ts";
import { firstOfMany, frame, frameHeaderBytes, maxFragmentBytes } from "./frames.ts";

/** What a message counts as while it is unsent. Items of streams count for nobody: who sends them waits by itself. */
export type Purpose = "call" | "reply" | "item" | "control";

export class LargeMessage {
  readonly number: number;
  readonly purpose: Purpose;
  readonly totalBytes: number;
  /** Where its first fragment stands, once it has begun. */
  begun: { readonly batch: number; readonly offset: number } | undefined;
  readonly #code: number;
  readonly #first: Uint8Array;
  /** The `more` frames, headers included, one behind the other. */
  readonly #rest: Uint8Array;
  #sentBytes = 0;

  /** Copies the payload `bytes[start, end)`, whose buffer is the outbox's. */
  constructor(number: number, code: number, purpose: Purpose, bytes: Uint8Array, start: number, end: number) {
    this.number = number;
    this.purpose = purpose;
    this.totalBytes = end - start;
    this.#code = code;
    this.#first = bytes.slice(start, start + maxFragmentBytes);
    this.#rest = frameRest(number, bytes.subarray(start + maxFragmentBytes, end));
  }

  get unsentBytes(): number {
    return this.#rest.length - this.#sentBytes;
  }

  /** Appends the first fragment: from here on the message has its place in the order of calls. */
  writeFirst(writer: ByteWriter): void {
    const header = writer.position - writer.start;
    writer.u32(0);
    writer.varint(this.number);
    writer.varint(this.totalBytes);
    writer.raw(this.#first);
    writeHeader(writer, writer.start + header, this.#code | firstOfMany);
  }

  /** The next `count` fragments, framed. */
  next(count: number): Uint8Array {
    const from = this.#sentBytes;
    this.#sentBytes = Math.min(this.#rest.length, from + count * (fragmentHeaderBytes(this.number) + maxFragmentBytes));
    return this.#rest.subarray(from, this.#sentBytes);
  }
}

/** Fills in the header at `at` for a frame that ends at the writer's position. */
export function writeHeader(writer: ByteWriter, at: number, code: number): void {
  writer.setU32(at, (code << 24) | (writer.position - at - frameHeaderBytes));
}

function frameRest(number: number, payload: Uint8Array): Uint8Array {
  const fragments = Math.ceil(payload.length / maxFragmentBytes);
  const writer = new ByteWriter(new Uint8Array(payload.length + fragments * fragmentHeaderBytes(number)));
  for (let from = 0; from < payload.length; from += maxFragmentBytes) {
    const header = writer.position;
    writer.u32(0);
    writer.varint(number);
    writer.raw(payload.subarray(from, from + maxFragmentBytes));
    writeHeader(writer, header, frame.more);
  }
  return writer.written();
}

function fragmentHeaderBytes(number: number): number {
  let bytes = frameHeaderBytes + 1;
  for (let rest = number; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
