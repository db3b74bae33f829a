/** Strings as UTF-8 `str`, both ways: short ASCII by hand, where crossing into the engine costs more than the bytes do. */
import type { ByteWriter } from "../wire/byte-writer.ts";

/** Longest string written and read by hand. */
const shortLength = 40;
/** Beyond this, room for the worst case would cost more than a copy. */
const hugeLength = 65_536;
const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes a `str`. `false`, and nothing written, for a string with lone surrogates: UTF-8 has no form for it. */
export function writeText(writer: ByteWriter, text: string): boolean {
  return (text.length <= shortLength && writeShortAscii(writer, text)) || writeLongText(writer, text);
}

function writeShortAscii(writer: ByteWriter, text: string): boolean {
  const length = text.length;
  writer.ensure(length + 2);
  const { bytes } = writer;
  let at = writer.position;
  if (length < 32) bytes[at++] = 0xa0 | length;
  else {
    bytes[at++] = 0xd9;
    bytes[at++] = length;
  }
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    seen |= code;
    bytes[at++] = code;
  }
  if (seen >= 0x80) return false;
  writer.position = at;
  return true;
}

function writeLongText(writer: ByteWriter, text: string): boolean {
  if (!text.isWellFormed()) return false;
  if (text.length > hugeLength) writeHugeText(writer, encoder.encode(text));
  else writeInPlace(writer, text);
  return true;
}

/** Copies once more, rather than making room for three bytes a character. */
function writeHugeText(writer: ByteWriter, bytes: Uint8Array): void {
  writer.u8(0xdb);
  writer.u32(bytes.length);
  writer.raw(bytes);
}

/** The header is sized for the longest UTF-8 the text can have, so that the bytes are written once, in place. */
function writeInPlace(writer: ByteWriter, text: string): void {
  const most = 3 * text.length;
  writer.ensure(5 + most);
  const header = writer.position - writer.start;
  const width = most < 256 ? 1 : most < 65_536 ? 2 : 4;
  writer.position += 1 + width;
  const length = writer.utf8(text);
  let at = writer.start + header;
  writer.bytes[at++] = width === 1 ? 0xd9 : width === 2 ? 0xda : 0xdb;
  for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) writer.bytes[at++] = length >>> shift;
}

/** The UTF-8 of `bytes[start, end)`. @throws TypeError when it is not valid UTF-8 */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  return length <= shortLength && isAscii(bytes, start, end)
    ? readShortAscii(bytes, start, length)
    : utf8.decode(bytes.subarray(start, end));
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0;
  for (let at = start; at < end; at++) seen |= bytes[at]!;
  return seen < 0x80;
}

const { fromCharCode } = String;
type Read = (b: Uint8Array, at: number) => string;
/** Strings of 0 to 8 characters: spelled out, they are made twice as fast as in a loop. */
const readers: readonly Read[] = [
  () => "",
  (b, at) => fromCharCode(b[at]!),
  (b, at) => fromCharCode(b[at]!, b[at + 1]!),
  (b, at) => fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!),
  (b, at) => fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!),
  (b, at) => fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!),
  (b, at) => fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!),
  (b, at) => fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!, b[at + 6]!),
  (b, at) => fromCharCode(b[at]!, b[at + 1]!, b[at + 2]!, b[at + 3]!, b[at + 4]!, b[at + 5]!, b[at + 6]!, b[at + 7]!),
];

/** Arrays of each length, to spread: the contents of the last string stay until the next of its length. */
const units: readonly number[][] = Array.from({ length: shortLength + 1 }, (_, length) => new Array(length).fill(0));

function readShortAscii(bytes: Uint8Array, start: number, length: number): string {
  const read = readers[length];
  if (read) return read(bytes, start);
  const spread = units[length]!;
  for (let i = 0; i < length; i++) spread[i] = bytes[start + i]!;
  return fromCharCode(...spread);
}
