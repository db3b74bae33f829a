/** Reads the few integers in front of a frame's body, by hand and checked. */
import { RpcError } from "../errors/rpc-error.ts";

const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Binary that came beside the body of a message, in its order: each all of a buffer that nobody else has. */
export type Attachments = readonly Uint8Array[];

/** The bytes of all attachments: they count as those of the body do. */
export function attachedBytes(attachments: Attachments | undefined): number {
  return attachments ? attachments.reduce((sum, { length }) => sum + length, 0) : 0;
}

/** Reads `bytes` from `position` up to `end`. Made once and pointed at frame after frame. */
export class ByteReader {
  bytes: Uint8Array = new Uint8Array(0);
  position = 0;
  end = 0;
  attachments: Attachments | undefined;

  at(bytes: Uint8Array, start: number, end: number, attachments?: Attachments): this {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.attachments = attachments;
    return this;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** @throws RpcError `protocol` when the frame ends here. */
  u8(): number {
    if (this.position >= this.end) throw truncated();
    return this.bytes[this.position++] as number;
  }

  /** An unsigned LEB128 integer up to 2^53 - 1. @throws RpcError `protocol` */
  varint(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 0x80;
    for (let i = 1; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return checkInteger(value);
      scale *= 0x80;
    }
    throw new RpcError("protocol", "an integer of more than eight bytes", "not-executed");
  }

  /** A length and that many bytes of UTF-8. @throws RpcError `protocol` */
  text(maxBytes: number): string {
    const length = this.varint();
    if (length > maxBytes)
      throw new RpcError("protocol", `a name of ${length} bytes, at most ${maxBytes}`, "not-executed");
    if (length > this.remaining) throw truncated();
    return this.#utf8(length);
  }

  #utf8(length: number): string {
    const start = this.position;
    this.position += length;
    try {
      return textDecoder.decode(this.bytes.subarray(start, this.position));
    } catch (cause) {
      throw new RpcError("protocol", "a name that is not UTF-8", "not-executed", { cause });
    }
  }
}

function checkInteger(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new RpcError("protocol", "an integer above 2^53 - 1", "not-executed");
  return value;
}

function truncated(): RpcError {
  return new RpcError("protocol", "a frame that ends before its header does", "not-executed");
}
