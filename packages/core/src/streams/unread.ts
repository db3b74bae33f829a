/**
 * What has come of a stream and was not read: the bytes as they came, one behind the other, so that what a peer makes us
 * hold is what we granted and not the objects it turns into. Pieces that were read ahead keep their place among them.
 */
import type { Attachments } from "../wire/byte-reader.ts";

/** What a frame of a stream brings. */
export type PieceKind = "item" | "end" | "failure";

export interface Piece {
  readonly kind: PieceKind;
  /** As they came with it. */
  readonly flags: number;
  /** Somebody else's memory: valid until whoever handed out the piece goes on. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Binary that came beside them, which is nobody else's. */
  readonly attachments: Attachments | undefined;
  /** In bytes: what it takes of memory and of credit. */
  readonly size: number;
  /** What it says, where that was read ahead: then its bytes are gone. */
  readonly ahead?: ReadAhead | undefined;
}

/** With what it refers to. */
export type ReadAhead =
  | { readonly ok: true; readonly value: unknown; readonly references: readonly unknown[] }
  | { readonly ok: false; readonly error: unknown };

const noBytes = new Uint8Array(0);
const leastBytes = 1_024;
/** A buffer larger than this is let go when it has been read empty. */
const keptBytes = 64 * 1024;
/** From so many on, those that were read are dropped when they are the half. */
const mostSpent = 64;

interface Entry {
  readonly kind: PieceKind;
  readonly flags: number;
  /** Of what was copied. */
  readonly length: number;
  readonly size: number;
  readonly attachments: Attachments | undefined;
  readonly ahead: ReadAhead | undefined;
}

/** Stands for one that was read, and holds nothing of it. */
const spent: Entry = { kind: "item", flags: 0, length: 0, size: 0, attachments: undefined, ahead: undefined };

export class Unread {
  #bytes = noBytes;
  #start = 0;
  #end = 0;
  /** Those before `#first` are read already. */
  #pieces: Entry[] = [];
  #first = 0;
  /** Of what is unread. */
  #size = 0;

  get count(): number {
    return this.#pieces.length - this.#first;
  }

  get bytes(): number {
    return this.#size;
  }

  /** Copies the piece, but for its attachments. */
  put({ kind, flags, bytes, start, end, attachments, size, ahead }: Piece): void {
    this.#size += size;
    if (ahead) this.#pieces.push({ kind, flags, length: 0, size, attachments: undefined, ahead });
    else {
      this.#pieces.push({ kind, flags, length: end - start, size, attachments, ahead });
      this.#copy(bytes, start, end);
    }
  }

  take(): Piece | undefined {
    const entry = this.#pieces[this.#first];
    if (!entry) return undefined;
    const { kind, flags, length, size, attachments, ahead } = entry;
    const start = this.#start;
    const piece = { kind, flags, bytes: this.#bytes, start, end: start + length, attachments, size, ahead };
    this.#start += length;
    this.#size -= size;
    this.#pieces[this.#first++] = spent;
    if (this.#first === this.#pieces.length) this.#becomeEmpty();
    else if (this.#first >= mostSpent && 2 * this.#first >= this.#pieces.length) this.#dropSpent();
    return piece;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#end + length > this.#bytes.length) this.#makeRoom(length);
    this.#bytes.set(bytes.subarray(start, end), this.#end);
    this.#end += length;
  }

  #becomeEmpty(): void {
    this.#pieces = [];
    this.#first = 0;
    this.#start = 0;
    this.#end = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = noBytes;
  }

  /** Moves what is left to the front of a buffer that has room for it. */
  #makeRoom(length: number): void {
    const left = this.#bytes.subarray(this.#start, this.#end);
    const size = left.length + length;
    const isRoomy = size <= this.#bytes.length / 2;
    const room = isRoomy ? this.#bytes : new Uint8Array(Math.max(leastBytes, 2 * size));
    room.set(left);
    this.#bytes = room;
    this.#start = 0;
    this.#end = left.length;
    this.#dropSpent();
  }

  #dropSpent(): void {
    this.#pieces = this.#pieces.slice(this.#first);
    this.#first = 0;
  }
}
