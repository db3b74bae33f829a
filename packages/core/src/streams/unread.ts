/**
 * What has come of a stream and was not read: the bytes as they came, one behind the other, so that what a peer makes us
 * hold is what we granted and not the objects it turns into.
 */

/** What a frame of a stream brings. */
export type PieceKind = "item" | "end" | "failure";

export interface Piece {
  readonly kind: PieceKind;
  /** Somebody else's memory: valid until whoever handed out the piece goes on. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const noBytes = new Uint8Array(0);
const leastBytes = 1_024;
/** A buffer larger than this is let go when it has been read empty. */
const keptBytes = 64 * 1024;

export class Unread {
  #bytes = noBytes;
  #start = 0;
  #end = 0;
  /** Lengths and kinds, those before `#first` read already. */
  #pieces: { readonly kind: PieceKind; readonly length: number }[] = [];
  #first = 0;

  get count(): number {
    return this.#pieces.length - this.#first;
  }

  get bytes(): number {
    return this.#end - this.#start;
  }

  /** Copies the piece. */
  put({ kind, bytes, start, end }: Piece): void {
    const length = end - start;
    if (this.#end + length > this.#bytes.length) this.#makeRoom(length);
    this.#bytes.set(bytes.subarray(start, end), this.#end);
    this.#end += length;
    this.#pieces.push({ kind, length });
  }

  take(): Piece | undefined {
    const piece = this.#pieces[this.#first];
    if (!piece) return undefined;
    const taken = { kind: piece.kind, bytes: this.#bytes, start: this.#start, end: this.#start + piece.length };
    this.#start = taken.end;
    this.#first++;
    if (this.#first === this.#pieces.length) this.#becomeEmpty();
    return taken;
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
