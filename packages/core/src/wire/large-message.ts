/** A message on its way in fragments, so that others get their turn between them. */
import type { ByteWriter } from "./byte-writer.ts";
import {
  type AttachedLengths,
  firstOfMany,
  frame,
  frameHeaderBytes,
  maxFragmentBytes,
  maxPayloadBytes,
} from "./frames.ts";

/** What a message counts as while it is unsent. Items of streams count for nobody: who sends them waits by itself. */
export type Purpose = "call" | "reply" | "item" | "control";

/** `memory[start, end)`. The memory is the message's from now on. */
export interface Memory {
  readonly memory: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Attachments stand at its end. */
export interface Payload extends Memory {
  readonly attached: AttachedLengths;
}

export class LargeMessage {
  readonly number: number;
  readonly purpose: Purpose;
  readonly totalBytes: number;
  /** Where its first fragment stands, once it has begun. */
  begun: { readonly batch: number; readonly offset: number } | undefined;
  readonly #code: number;
  /** What it was written into: the payload is what is left of it up to `#end`. */
  readonly memory: Uint8Array;
  #position: number;
  readonly #end: number;
  readonly #attached: readonly number[];

  constructor(number: number, code: number, purpose: Purpose, { memory, start, end, attached }: Payload) {
    this.number = number;
    this.purpose = purpose;
    this.totalBytes = end - start;
    this.#code = code;
    this.memory = memory;
    this.#position = start;
    this.#end = end;
    this.#attached = attached ?? [];
  }

  get unsentBytes(): number {
    return this.#end - this.#position;
  }

  /** Appends the first fragment: from here on the message has its place in the order of calls. */
  writeFirst(writer: ByteWriter): void {
    const header = writer.position - writer.start;
    writer.u32(0);
    writer.varint(this.number);
    writer.varint(this.totalBytes);
    writer.varint(this.#attached.length);
    for (const length of this.#attached) writer.varint(length);
    const room = header + frameHeaderBytes + maxPayloadBytes - writer.length;
    writer.raw(this.#fragment(Math.min(room, maxFragmentBytes)));
    writeHeader(writer, writer.start + header, this.#code | firstOfMany);
  }

  /**
   * The next fragment, framed, with a ping before it. In place where that is allowed, which is where nobody has the bytes
   * before it any more: its header is written over the end of the fragment that has left.
   */
  next(isInPlace: boolean): Uint8Array {
    const start = this.#position;
    const fragment = this.#fragment(maxFragmentBytes);
    const numberBytes = varintBytes(this.number);
    const headerBytes = 2 * frameHeaderBytes + numberBytes;
    const bytes = isInPlace
      ? this.memory.subarray(start - headerBytes, this.#position)
      : new Uint8Array(headerBytes + fragment.length);
    if (!isInPlace) bytes.set(fragment, headerBytes);
    const header = new DataView(bytes.buffer, bytes.byteOffset);
    header.setUint32(0, frame.ping << 24);
    header.setUint32(frameHeaderBytes, (frame.more << 24) | (numberBytes + fragment.length));
    putVarint(bytes, 2 * frameHeaderBytes, this.number);
    return bytes;
  }

  #fragment(maxBytes: number): Uint8Array {
    const start = this.#position;
    this.#position = Math.min(this.#end, start + maxBytes);
    return this.memory.subarray(start, this.#position);
  }
}

/** Fills in the header at `at` for a frame that ends at the writer's position. */
export function writeHeader(writer: ByteWriter, at: number, code: number): void {
  writer.setU32(at, (code << 24) | (writer.position - at - frameHeaderBytes));
}

export function writePing(writer: ByteWriter): void {
  writer.u32(frame.ping << 24);
}

/** Where there is room for it and nothing else: a `ByteWriter` wants some to spare. */
function putVarint(bytes: Uint8Array, at: number, value: number): void {
  let position = at;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[position++] = (rest % 0x80) | 0x80;
  bytes[position] = rest;
}

function varintBytes(number: number): number {
  let bytes = 1;
  for (let rest = number; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
