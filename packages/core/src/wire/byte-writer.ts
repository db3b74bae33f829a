/** A growing run of bytes that frames and values are written into, in place: no copy between value and socket. */
import type { Blocks } from "./blocks.ts";

const scratchFloat = new Float64Array(1);
const scratchBytes = new Uint8Array(scratchFloat.buffer);
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const textEncoder = new TextEncoder();
/** Longest text written by hand: crossing into the engine costs more. */
const shortLength = 40;

/**
 * Writes at `position` of `bytes`. What was written is `bytes.subarray(start, position)`. Hot loops may write into
 * `bytes` directly after `ensure`; they must read `bytes` again after every `ensure`, which may move to a larger buffer.
 * To undo, set `position` back.
 */
export class ByteWriter {
  bytes: Uint8Array;
  start: number;
  position: number;
  /** The buffer that was too small: whoever lent it may want it back. */
  outgrown: { readonly bytes: Uint8Array; readonly start: number } | undefined;

  readonly #blocks: Blocks | undefined;

  /** What it needs beyond `bytes` it borrows from `blocks`, if there are any. */
  constructor(bytes: Uint8Array, start = 0, blocks?: Blocks) {
    this.bytes = bytes;
    this.start = start;
    this.position = start;
    this.#blocks = blocks;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.position - this.start;
  }

  /** The written bytes, as a view. */
  written(): Uint8Array {
    return this.bytes.subarray(this.start, this.position);
  }

  /** Makes room for `size` more bytes. */
  ensure(size: number): void {
    if (this.position + size > this.bytes.length) this.#grow(size);
  }

  #grow(size: number): void {
    const written = this.length;
    // Twice as much for many small parts, no more than it takes for a large one.
    const needed = written + size + Math.max(256, written);
    const larger = this.#blocks?.borrow(needed) ?? new Uint8Array(needed);
    larger.set(this.written());
    if (this.outgrown) this.#blocks?.giveBack(this.bytes);
    else this.outgrown = { bytes: this.bytes, start: this.start };
    this.bytes = larger;
    this.start = 0;
    this.position = written;
  }

  /** Begins again where it was before it grew; `false` when it never did. What was written is nobody's any more. */
  shrink(): boolean {
    if (!this.outgrown) return false;
    this.bytes = this.outgrown.bytes;
    this.start = this.outgrown.start;
    this.position = this.start;
    this.outgrown = undefined;
    return true;
  }

  u8(value: number): void {
    this.ensure(1);
    this.bytes[this.position++] = value;
  }

  u16(value: number): void {
    this.ensure(2);
    this.bytes[this.position++] = value >>> 8;
    this.bytes[this.position++] = value;
  }

  u32(value: number): void {
    this.ensure(4);
    this.setU32(this.position, value);
    this.position += 4;
  }

  /** Overwrites four bytes already written: a length known only afterwards. */
  setU32(at: number, value: number): void {
    this.bytes[at] = value >>> 24;
    this.bytes[at + 1] = value >>> 16;
    this.bytes[at + 2] = value >>> 8;
    this.bytes[at + 3] = value;
  }

  float64(value: number): void {
    this.ensure(8);
    scratchFloat[0] = value;
    for (let i = 0; i < 8; i++) {
      this.bytes[this.position++] = scratchBytes[isLittleEndian ? 7 - i : i] as number;
    }
  }

  /** An unsigned integer up to 2^53 - 1, seven bits a byte, lowest first (LEB128). */
  varint(value: number): void {
    if (this.position + 8 > this.bytes.length) this.#grow(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.position++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** A well-formed string as UTF-8, without a length. Returns the number of bytes written. */
  utf8(text: string): number {
    this.ensure(3 * text.length);
    if (text.length <= shortLength && this.#ascii(text)) return text.length;
    const { written } = textEncoder.encodeInto(text, this.bytes.subarray(this.position));
    this.position += written;
    return written;
  }

  #ascii(text: string): boolean {
    let seen = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      seen |= code;
      this.bytes[this.position + i] = code;
    }
    if (seen >= 0x80) return false;
    this.position += text.length;
    return true;
  }
}
