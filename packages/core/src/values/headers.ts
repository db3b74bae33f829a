/** The headers of MessagePack's containers and extensions, as the encoder writes them. */
import type { ByteWriter } from "../wire/byte-writer.ts";

export function writeMapHeader(writer: ByteWriter, count: number): void {
  if (count < 16) writer.u8(0x80 | count);
  else writeLongHeader(writer, 0xde, count);
}

export function writeArrayHeader(writer: ByteWriter, count: number): void {
  if (count < 16) writer.u8(0x90 | count);
  else writeLongHeader(writer, 0xdc, count);
}

/** A map's or an array's: 16 bits wide at `code`, 32 bits at the next. */
function writeLongHeader(writer: ByteWriter, code: number, count: number): void {
  if (count < 65_536) {
    writer.u8(code);
    writer.u16(count);
  } else {
    writer.u8(code + 1);
    writer.u32(count);
  }
}

export function writeBinHeader(writer: ByteWriter, length: number): void {
  writeLength(writer, 0xc4, length);
}

export function writeExtensionHeader(writer: ByteWriter, type: number, length: number): void {
  const fixed = fixedCodes[length];
  if (fixed === undefined) writeLength(writer, 0xc7, length);
  else writer.u8(fixed);
  writer.u8(type);
}

const fixedCodes: readonly (number | undefined)[] = [undefined, 0xd4, 0xd5, undefined, 0xd6, ...Array(3), 0xd7];

/** 8, 16 and 32 bits wide at three codes in a row. */
function writeLength(writer: ByteWriter, code: number, length: number): void {
  if (length < 256) {
    writer.u8(code);
    writer.u8(length);
  } else if (length < 65_536) {
    writer.u8(code + 1);
    writer.u16(length);
  } else {
    writer.u8(code + 2);
    writer.u32(length);
  }
}

/** Begins an extension whose length is known only afterwards. Returns what `endExtension` needs. */
export function beginExtension(writer: ByteWriter, type: number): number {
  writer.u8(0xc9);
  writer.u32(0);
  writer.u8(type);
  return writer.length;
}

export function endExtension(writer: ByteWriter, begun: number): void {
  writer.setU32(writer.start + begun - 5, writer.length - begun);
}
