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
  /** Binary that came beside it, which is nobody else's. */
  readonly attachments?: Attachments | undefined;
  readonly attachedBytes: number;
  /** What it says, where that was read ahead: then its bytes are gone. */
  readonly ahead?: ReadAhead | undefined;
}

/** In bytes, of memory and of credit. */
export function sizeOf({ start, end, attachedBytes }: Piece): number {
  return end - start + attachedBytes;
}

/** With what it refers to. */
export type ReadAhead =
  | { readonly ok: true; readonly value: unknown; readonly references: readonly unknown[] }
  | { readonly ok: false; readonly error: unknown };

const noBytes = new Uint8Array(0);
const leastBytes = 1_024;
/** A buffer larger than this is let go when it has been read empty. */
const keptBytes = 64 * 1024;

interface Entry {
  readonly kind: PieceKind;
  readonly flags: number;
  readonly length: number;
  readonly attachments: Attachments | undefined;
  readonly attachedBytes: number;
  readonly ahead: ReadAhead | undefined;
}

export class Unread {
  #bytes = noBytes;
  #start = 0;
  #end = 0;
  /** Those before `#first` are read already. */
  #pieces: Entry[] = [];
  #first = 0;
  /** Of what is not among the bytes here: it was read ahead, or came beside them. */
  #otherBytes = 0;

  get count(): number {
    return this.#pieces.length - this.#first;
  }

  get bytes(): number {
    return this.#end - this.#start + this.#otherBytes;
  }

  /** Copies the piece. */
  put({ kind, flags, bytes, start, end, attachments, attachedBytes, ahead }: Piece): void {
    const length = end - start;
    this.#otherBytes += attachedBytes;
    if (ahead) {
      this.#otherBytes += length;
      this.#pieces.push({ kind, flags, length, attachments: undefined, attachedBytes, ahead });
    } else {
      this.#pieces.push({ kind, flags, length, attachments, attachedBytes, ahead });
      this.#copy(bytes, start, end);
    }
  }

  take(): Piece | undefined {
    const entry = this.#pieces[this.#first];
    if (!entry) return undefined;
    const piece = entry.ahead ? this.#takeAhead(entry) : this.#takeBytes(entry);
    this.#otherBytes -= entry.attachedBytes;
    this.#first++;
    if (this.#first === this.#pieces.length) this.#becomeEmpty();
    return piece;
  }

  #takeAhead({ kind, flags, length, attachedBytes, ahead }: Entry): Piece {
    this.#otherBytes -= length;
    return { kind, flags, bytes: noBytes, start: 0, end: length, attachedBytes, ahead };
  }

  #takeBytes({ kind, flags, length, attachments, attachedBytes }: Entry): Piece {
    const start = this.#start;
    this.#start += length;
    return { kind, flags, bytes: this.#bytes, start, end: this.#start, attachments, attachedBytes };
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
    this.#pieces = this.#pieces.slice(this.#first);
    this.#first = 0;
  }
}
