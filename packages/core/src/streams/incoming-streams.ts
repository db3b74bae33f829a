/** The streams one session consumes: found by number, bounded, and granted credit as they are read. */
import type { Clock } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { StreamKind } from "../values/codec.ts";
import { attachedBytes, type ByteReader } from "../wire/byte-reader.ts";
import { streamFlag } from "../wire/frames.ts";
import { Numbered } from "../wire/numbered.ts";
import { faceOf, streamOf } from "./far-iterator.ts";
import { IncomingStream, type IncomingStreamHost } from "./incoming-stream.ts";
import type { Failure } from "./steps.ts";
import type { Piece, PieceKind, ReadAhead } from "./unread.ts";
import { maxExcessBytes, windowBytes, windowItems } from "./window.ts";

/** Hears of streams that were dropped without a word, for all sessions of an endpoint. */
export type DroppedStreams = FinalizationRegistry<IncomingStream>;

export function createDroppedStreams(): DroppedStreams {
  return new FinalizationRegistry((stream) => stream.abandon());
}

/**
 * What refers to something is read as it comes, for what is said of that later is said in the order of the wire: that a
 * signal aborts, that a hold is given back. So much of it may be unread in a session; what is beyond waits as bytes.
 */
const maxAheadBytes = 512 * 1024;
/** Time for the producer's `finally`, until whoever ended the stream goes on without it. */
const graceMs = 1_000;
/** A collection is asked for when the table is this full, at most once for so many new streams. */
const pressureShare = 0.75;

export interface IncomingStreamsOptions {
  readonly clock: Clock;
  readonly dropped: DroppedStreams;
  readonly maxStreams: number;
  readonly maxMessageBytes: number;
  /** See `IncomingStreamHost`. */
  read(piece: Piece, references?: unknown[]): unknown;
  readFailure(piece: Piece): Failure;
  discard(piece: Piece): void;
  /** Tells the producer. */
  writeCredit(id: number, items: number, bytes: number): void;
  writeCancel(id: number, reason: unknown): void;
  promise: IncomingStreamHost["promise"];
  /** A producer has said its last word. */
  ended(): void;
  collectGarbage(): void;
}

export class IncomingStreams {
  readonly #options: IncomingStreamsOptions;
  readonly #host: IncomingStreamHost;
  /** Those of which the producer may still say something. */
  readonly #open = new Numbered<IncomingStream>("the peer's");
  /** Those that have ended, with something left to be read. */
  readonly #ended = new Set<IncomingStream>();
  /** What is to be told to producers at the end of the turn. */
  readonly #due = new Set<IncomingStream>();
  readonly #cancelled: { readonly stream: IncomingStream; readonly reason: unknown }[] = [];
  /** What their last words had beyond their credit. */
  readonly #owed: { readonly id: number; readonly bytes: number }[] = [];
  #isTelling = false;
  #isClosed = false;
  /** Bytes that came beyond what was granted. */
  #excessBytes = 0;
  /** Bytes of what was read ahead. */
  #aheadBytes = 0;
  #nextPressureSize: number;

  constructor(options: IncomingStreamsOptions) {
    this.#options = options;
    this.#nextPressureSize = this.#pressureSize;
    this.#host = {
      read: (piece, references) => this.#read(piece, references),
      readFailure: (piece) => this.#readFailure(piece),
      waiting: (piece) => this.#readAhead(piece),
      discard: (piece) => this.#discard(piece),
      consumed: (stream) => this.#consumed(stream),
      cancel: (stream, reason) => this.#cancel(stream, reason),
      ended: (stream) => this.#producerEnded(stream),
      over: (stream) => this.#over(stream),
      promise: (begin) => options.promise(begin),
      afterGrace: (task) => options.clock.setTimer(graceMs, task),
    };
  }

  /** Streams that are open, or not read to their end. */
  get size(): number {
    return this.#open.size + this.#ended.size;
  }

  /** Streams that are being read and will bring more. */
  get readCount(): number {
    let count = 0;
    for (const { isOpen, windowBytes: granted } of this.#open.values()) if (isOpen && granted > 0) count++;
    return count;
  }

  /** A stream has come in a message: what the program gets. @throws RpcError `protocol`, `limit-exceeded` */
  receive(id: number, kind: StreamKind): object {
    const stream = this.#add(id);
    const face = faceOf(stream, kind);
    this.#options.dropped.register(face, stream);
    this.#relievePressure();
    return face;
  }

  /** A stream has come that nobody will read. */
  refuse(id: number): void {
    if (!this.#open.has(id) && !this.#isFull && !this.#isClosed) this.#add(id).abandon();
  }

  /** A frame of a stream's. @throws RpcError `protocol` for what no honest peer sends */
  piece(kind: PieceKind, reader: ByteReader): void {
    const { bytes, end, attachments } = reader;
    const size = reader.remaining + attachedBytes(attachments);
    const id = reader.varint();
    const stream = this.#open.get(id);
    if (!stream) throw new RpcError("protocol", `an item of stream ${id}, which is not open`, "unknown");
    const flags = reader.u8();
    this.#charge(stream, kind, size);
    stream.arrived({ kind, flags, bytes, start: reader.position, end, attachments, size });
  }

  /** The session is over: who reads is told so behind what has come. */
  close(error: RpcError): void {
    const open = [...this.#open.values()];
    this.#isClosed = true;
    this.#open.clear();
    this.#ended.clear();
    this.#due.clear();
    this.#cancelled.length = 0;
    this.#owed.length = 0;
    for (const stream of open) stream.close(error);
  }

  get #isFull(): boolean {
    return this.#open.size >= this.#options.maxStreams;
  }

  #add(id: number): IncomingStream {
    const { maxStreams } = this.#options;
    if (this.#isClosed) throw new RpcError("closed", "the session of the stream is over", "unknown");
    if (id < 1 || this.#open.has(id)) throw new RpcError("protocol", `stream ${id} comes anew`, "not-executed");
    if (this.#isFull) {
      const detail = `${this.#open.size} streams are open, limits.maxStreams is ${maxStreams}`;
      throw new RpcError("limit-exceeded", detail, "not-executed");
    }
    const stream = new IncomingStream(id, this.#host);
    this.#open.set(id, stream);
    return stream;
  }

  /** The answer of a producer that was told to end costs nothing: nothing of it is kept. */
  #charge(stream: IncomingStream, kind: PieceKind, bytes: number): void {
    if (stream.isCancelled && kind !== "item") return;
    if (stream.credit.items < 1 || stream.credit.bytes < 1) throw overrun(stream.id);
    stream.credit.items--;
    this.#addBytes(stream, -bytes);
    if (this.#excessBytes > maxExcessBytes(this.#options.maxMessageBytes)) throw overrun(stream.id);
  }

  #addBytes({ credit }: IncomingStream, bytes: number): void {
    this.#excessBytes -= Math.max(0, -credit.bytes);
    credit.bytes += bytes;
    this.#excessBytes += Math.max(0, -credit.bytes);
  }

  #read(piece: Piece, references?: unknown[]): unknown {
    const ahead = this.#takeAhead(piece);
    if (!ahead) return this.#options.read(piece, references);
    if (!ahead.ok) throw ahead.error;
    references?.push(...ahead.references);
    return ahead.value;
  }

  #readFailure(piece: Piece): Failure {
    const ahead = this.#takeAhead(piece);
    return ahead?.ok ? (ahead.value as Failure) : this.#options.readFailure(piece);
  }

  #discard(piece: Piece): void {
    const ahead = this.#takeAhead(piece);
    if (!ahead) this.#options.discard(piece);
    // Stubs give their holds back when they are collected.
    else if (ahead.ok) for (const value of ahead.references) streamOf(value as object)?.abandon();
  }

  #readAhead(piece: Piece): Piece {
    if (!(piece.flags & streamFlag.refers) || this.#aheadBytes + piece.size > maxAheadBytes) return piece;
    this.#aheadBytes += piece.size;
    return { ...piece, ahead: this.#said(piece) };
  }

  #said(piece: Piece): ReadAhead {
    const references: unknown[] = [];
    try {
      const isFailure = piece.kind === "failure";
      const value = isFailure ? this.#options.readFailure(piece) : this.#options.read(piece, references);
      return { ok: true, value, references };
    } catch (error) {
      return { ok: false, error };
    }
  }

  #takeAhead({ ahead, size }: Piece): ReadAhead | undefined {
    if (ahead) this.#aheadBytes -= size;
    return ahead;
  }

  #consumed(stream: IncomingStream): void {
    if (!stream.isOpen) return;
    const { credit, unread } = stream;
    const isLow =
      credit.items + unread.count <= windowItems / 2 || credit.bytes + unread.bytes <= stream.windowBytes / 2;
    if (!isLow) return;
    this.#due.add(stream);
    this.#tellSoon();
  }

  #cancel(stream: IncomingStream, reason: unknown): void {
    if (this.#isClosed) return;
    this.#due.delete(stream);
    this.#cancelled.push({ stream, reason });
    this.#tellSoon();
  }

  /** One whose last word exceeded its credit is open until that has been read. */
  #producerEnded(stream: IncomingStream): void {
    this.#due.delete(stream);
    if (stream.credit.bytes < 0 && !stream.isCancelled) return;
    this.#open.delete(stream.id);
    this.#excessBytes -= Math.max(0, -stream.credit.bytes);
    if (stream.unread.count > 0) this.#ended.add(stream);
    this.#options.ended();
  }

  #over(stream: IncomingStream): void {
    this.#ended.delete(stream);
    if (!this.#open.delete(stream.id)) return;
    this.#owed.push({ id: stream.id, bytes: -stream.credit.bytes });
    this.#addBytes(stream, -stream.credit.bytes);
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    // Not at once: the program may read a stream in the middle of a value that is being sent.
    this.#options.clock.endOfTurn(() => this.#tell());
  }

  #tell(): void {
    this.#isTelling = false;
    for (const { stream, reason } of this.#cancelled.splice(0)) this.#options.writeCancel(stream.id, reason);
    for (const { id, bytes } of this.#owed.splice(0)) this.#options.writeCredit(id, 0, bytes);
    if (this.#due.size === 0) return;
    const due = [...this.#due];
    this.#due.clear();
    for (const stream of due) this.#grant(stream);
  }

  #grant(stream: IncomingStream): void {
    const { credit, unread } = stream;
    stream.windowBytes = windowBytes(this.#open.size, this.#bytesBeside(stream));
    const items = Math.max(0, windowItems - credit.items - unread.count);
    const bytes = Math.max(0, stream.windowBytes - credit.bytes - unread.bytes);
    if (items + bytes === 0) return;
    credit.items += items;
    this.#addBytes(stream, bytes);
    this.#options.writeCredit(stream.id, items, bytes);
  }

  /** What other streams may have under way or unread. */
  #bytesBeside(stream: IncomingStream): number {
    let bytes = 0;
    for (const other of this.#open.values()) {
      if (other !== stream) bytes += Math.max(0, other.credit.bytes) + other.unread.bytes;
    }
    for (const other of this.#ended) bytes += other.unread.bytes;
    return bytes;
  }

  get #pressureSize(): number {
    return Math.max(1, pressureShare * this.#options.maxStreams);
  }

  /** Dropped streams are cancelled when the engine finds them: it is asked to look before an honest peer is refused. */
  #relievePressure(): void {
    const { size } = this.#open;
    if (size < this.#pressureSize / 2) this.#nextPressureSize = this.#pressureSize;
    if (size < this.#nextPressureSize) return;
    this.#nextPressureSize += Math.max(1, this.#options.maxStreams / 8);
    this.#options.collectGarbage();
  }
}

function overrun(id: number): RpcError {
  return new RpcError("protocol", `more came of stream ${id} than was granted`, "unknown");
}
