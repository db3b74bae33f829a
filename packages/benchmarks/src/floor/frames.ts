/**
 * The floor's frames, and nothing a frame could do without:
 *
 *   length of the rest, 4 bytes │ call id, 4 bytes │ method id or status, 1 byte │ MessagePack body
 *
 * Both directions of both transports use them. A connection has one `FrameWriter` and one `FrameReader`, so that every
 * object shape is sent once.
 */
import { Packr, RESERVE_START_SPACE, RESET_BUFFER_MODE, REUSE_BUFFER_MODE, Unpackr } from "msgpackr";

const lengthBytes = 4;
const headerBytes = 9;
/** MessagePack's, of a `bin 32`. */
const binHeaderBytes = 5;
const batchBytes = 64 * 1024;
/** From here on bytes go to the socket as they are, behind a header. */
const largeBytes = 64 * 1024;

/** Hands a batch to the socket; `true` says that its buffer may be used again. */
export type Write = (batch: Buffer) => boolean;

export class FrameWriter {
  // `sequential`: msgpackr sends a shape with the first object that has it.
  readonly #packr = new Packr({ sequential: true });
  readonly #write: Write;
  #batch = Buffer.allocUnsafeSlow(batchBytes);
  #end = 0;

  constructor(write: Write) {
    this.#write = write;
  }

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  append(id: number, tag: number, body: unknown): void {
    if (body instanceof Uint8Array && body.length >= largeBytes) this.#appendLarge(id, tag, body);
    else this.#append(id, tag, body);
  }

  #append(id: number, tag: number, body: unknown): void {
    // In these modes msgpackr leaves room for the header and returns its whole buffer, with `start` and `end` on it.
    const packed = this.#packr.pack(body, packMode) as Buffer & { start: number; end: number };
    writeHeader(packed, packed.start, packed.end - packed.start, id, tag);
    this.#copy(packed, packed.start, packed.end);
  }

  /** Nobody may change the bytes before they have left. */
  #appendLarge(id: number, tag: number, body: Uint8Array): void {
    const header = Buffer.allocUnsafe(headerBytes + binHeaderBytes);
    writeHeader(header, 0, header.length + body.length, id, tag);
    header[headerBytes] = 0xc6;
    writeUint32(header, headerBytes + 1, body.length);
    this.#copy(header, 0, header.length);
    this.flush();
    this.#write(Buffer.from(body.buffer, body.byteOffset, body.length));
  }

  flush(): void {
    if (this.#end === 0) return;
    const isFree = this.#write(this.#batch.subarray(0, this.#end));
    if (!isFree) this.#batch = Buffer.allocUnsafeSlow(batchBytes);
    this.#end = 0;
  }

  #copy(from: Buffer, start: number, end: number): void {
    if (this.#end + end - start > this.#batch.length) this.#makeRoom(end - start);
    // A call into C++ costs more than a loop where the frame is small.
    if (end - start > 64) {
      from.copy(this.#batch, this.#end, start, end);
      this.#end += end - start;
    } else {
      for (let i = start; i < end; i++) this.#batch[this.#end++] = from[i] as number;
    }
  }

  #makeRoom(length: number): void {
    this.flush();
    if (length > this.#batch.length) this.#batch = Buffer.allocUnsafeSlow(length);
  }
}

const packMode = REUSE_BUFFER_MODE | RESET_BUFFER_MODE | RESERVE_START_SPACE | headerBytes;

export type OnFrame = (id: number, tag: number, body: unknown) => void;

export class FrameReader {
  readonly #unpackr = new Unpackr({ sequential: true });
  readonly #onFrame: OnFrame;
  /** The beginning of a frame, in the chunks it came in, and how much more it takes to go on. */
  #parts: Buffer[] = [];
  #missing = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  receive(chunk: Buffer): void {
    if (this.#parts.length === 0) this.#read(chunk);
    else this.#collect(chunk);
  }

  #collect(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#missing -= chunk.length;
    if (this.#missing > 0) return;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#read(bytes);
  }

  #read(bytes: Buffer): void {
    let at = 0;
    let end = endOfFrame(bytes, at);
    while (end <= bytes.length) {
      const body: unknown = this.#unpackr.unpack(bytes, { start: at + headerBytes, end });
      this.#onFrame(readUint32(bytes, at + 4), bytes[at + 8] as number, body);
      at = end;
      end = endOfFrame(bytes, at);
    }
    if (at === bytes.length) return;
    this.#parts.push(bytes.subarray(at));
    this.#missing = end - bytes.length;
  }
}

/** Where the frame that begins at `at` ends, or its length does, where that is not here yet. */
function endOfFrame(bytes: Buffer, at: number): number {
  const body = at + lengthBytes;
  return body <= bytes.length ? body + readUint32(bytes, at) : body;
}

function writeHeader(bytes: Buffer, at: number, frameBytes: number, id: number, tag: number): void {
  writeUint32(bytes, at, frameBytes - lengthBytes);
  writeUint32(bytes, at + 4, id);
  bytes[at + 8] = tag;
}

// Buffer's own methods check what is known here.
function writeUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function readUint32(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
