/** Numbers and bigints, both ways. A number is an integer form up to 32 bits or a float64; 64-bit forms are bigints. */
import type { ByteWriter } from "../wire/byte-writer.ts";
import type { Decoder } from "./decoder.ts";
import type { Encoder } from "./encoder.ts";
import type { Extension } from "./extension.ts";
import { bigintType } from "./extension-types.ts";
import { writeExtensionHeader } from "./headers.ts";
import { beyondLimit, malformed } from "./malformation.ts";
import { tooMuch } from "./refusal.ts";

const maxBigintBytes = 1024;
const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

export function writeNumber(writer: ByteWriter, value: number): void {
  writer.ensure(9);
  const integer = value | 0;
  if (integer !== value) writeBeyondInt32(writer, value);
  else if (integer > 0) writePositive(writer, integer);
  else if (integer < 0) writeNegative(writer, integer);
  else if (Object.is(value, -0)) writeFloat(writer, value);
  else writer.bytes[writer.position++] = 0;
}

function writePositive(writer: ByteWriter, integer: number): void {
  if (integer < 128) writer.bytes[writer.position++] = integer;
  else if (integer < 256) put(writer, 0xcc, 1, integer);
  else if (integer < 65_536) put(writer, 0xcd, 2, integer);
  else put(writer, 0xce, 4, integer);
}

function writeNegative(writer: ByteWriter, integer: number): void {
  if (integer >= -32) writer.bytes[writer.position++] = integer;
  else if (integer >= -128) put(writer, 0xd0, 1, integer);
  else if (integer >= -32_768) put(writer, 0xd1, 2, integer);
  else put(writer, 0xd2, 4, integer);
}

function writeBeyondInt32(writer: ByteWriter, value: number): void {
  if (value >>> 0 === value) put(writer, 0xce, 4, value);
  else writeFloat(writer, value);
}

function put(writer: ByteWriter, header: number, width: 1 | 2 | 4, value: number): void {
  const { bytes } = writer;
  let at = writer.position;
  bytes[at++] = header;
  for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) bytes[at++] = value >>> shift;
  writer.position = at;
}

function writeFloat(writer: ByteWriter, value: number): void {
  scratch.setFloat64(0, value);
  const { bytes } = writer;
  let at = writer.position;
  bytes[at++] = 0xcb;
  for (let i = 0; i < 8; i++) bytes[at++] = scratchBytes[i]!;
  writer.position = at;
}

const firstNumberForm = 0xca;
/** How the numbers from 0xca on are read, and their sizes, in the order of their codes. */
const forms = [
  ["getFloat32", 4],
  ["getFloat64", 8],
  ["getUint8", 1],
  ["getUint16", 2],
  ["getUint32", 4],
  ["getBigUint64", 8],
  ["getInt8", 1],
  ["getInt16", 2],
  ["getInt32", 4],
  ["getBigInt64", 8],
] as const;

export function readNumber(decoder: Decoder, byte: number): number | bigint {
  const [get, size] = forms[byte - firstNumberForm]!;
  return loaded(decoder.bytes, decoder.take(size), size)[get](0);
}

export function readFloat64(bytes: Uint8Array, at: number): number {
  return loaded(bytes, at, 8).getFloat64(0);
}

function loaded(bytes: Uint8Array, at: number, size: number): DataView {
  for (let i = 0; i < size; i++) scratchBytes[i] = bytes[at + i]!;
  return scratch;
}

export const bigints: Extension<bigint> = {
  type: bigintType,
  prototypes: [],
  write(encoder, value) {
    const { writer } = encoder;
    const header = BigInt.asIntN(64, value) === value ? 0xd3 : BigInt.asUintN(64, value) === value ? 0xcf : 0;
    if (header !== 0) writeInt64(writer, header, value);
    else writeBeyond64Bits(encoder, value);
  },
  read(decoder, end) {
    const { bytes, position } = decoder;
    const sign = bytes[position];
    if (end - position < 2 || sign === undefined || sign > 1)
      throw malformed("a bigint without sign or digits", position);
    if (end - position > 1 + maxBigintBytes) throw beyondLimit("a bigint larger than 1 KiB", position);
    decoder.charge(costOf(end - position - 1));
    let digits = "0x";
    for (let at = position + 1; at < end; at++) digits += bytes[at]!.toString(16).padStart(2, "0");
    decoder.position = end;
    return sign === 1 ? -BigInt(digits) : BigInt(digits);
  },
};

/** Large ones cost more of a message's budget than one value: reading 1 KiB of digits takes as long as 60 objects. */
function costOf(bytes: number): number {
  return bytes >> 4;
}

function writeInt64(writer: ByteWriter, header: number, value: bigint): void {
  scratch.setBigUint64(0, BigInt.asUintN(64, value));
  writer.u8(header);
  writer.raw(scratchBytes);
}

function writeBeyond64Bits(encoder: Encoder, value: bigint): void {
  const { writer } = encoder;
  const hex = (value < 0n ? -value : value).toString(16);
  const size = Math.ceil(hex.length / 2);
  if (size > maxBigintBytes) throw tooMuch("a bigint of more than 1 KiB; send its digits as a string or its bytes");
  encoder.charge(costOf(size));
  writeExtensionHeader(writer, bigintType, 1 + size);
  writer.u8(value < 0n ? 1 : 0);
  const digits = hex.padStart(2 * size, "0");
  for (let i = 0; i < size; i++) writer.u8(Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
