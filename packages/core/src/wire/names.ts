/** Texts in front of a frame's body: names, contexts, passes. Both ends hold to the same lengths. */
import { RpcError } from "../errors/rpc-error.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** Longest method name or published name, in UTF-8 bytes. */
export const maxNameBytes = 256;
const maxContextEntries = 64;
const maxContextTextBytes = 1_024;
/** With the rest of a call's header it has to stand in the first fragment. */
const maxContextBytes = 16 * 1_024;

const maxPasses = 32;
const maxPassBytes = 64;

const encoder = new TextEncoder();
const loneSurrogate = /\p{Surrogate}/u;

/** A name, ready to be written. @throws RpcError `invalid-argument` when it is too long or no well-formed text */
export function encodeName(name: string, what: string, maxBytes: number = maxNameBytes): Uint8Array {
  if (loneSurrogate.test(name)) throw refused(`${what} has a lone surrogate`);
  const bytes = encoder.encode(name);
  if (bytes.length > maxBytes) throw refused(`${what} has ${bytes.length} bytes, at most ${maxBytes} are allowed`);
  return bytes;
}

/** A length and the bytes of a name. */
export function writeName(writer: ByteWriter, bytes: Uint8Array): void {
  writer.varint(bytes.length);
  writer.raw(bytes);
}

/** Appends a call's context. @throws RpcError `invalid-argument` when it is too large or holds anything but strings */
export function writeContext(writer: ByteWriter, context: Readonly<Record<string, string>>): void {
  const entries = Object.entries(context);
  if (entries.length > maxContextEntries) {
    throw refused(`context has ${entries.length} entries, at most ${maxContextEntries} are allowed`);
  }
  const before = writer.length;
  writer.varint(entries.length);
  for (const [key, value] of entries) {
    if (typeof value !== "string") throw refused(`context.${key}: expected a string, got ${typeof value}`);
    writeName(writer, encodeName(key, "a key of context", maxContextTextBytes));
    writeName(writer, encodeName(value, `context.${key}`, maxContextTextBytes));
  }
  const bytes = writer.length - before;
  if (bytes > maxContextBytes) throw refused(`context has ${bytes} bytes, at most ${maxContextBytes} are allowed`);
}

/** Reads a call's context. @throws RpcError `protocol` */
export function readContext(reader: ByteReader): Readonly<Record<string, string>> {
  const count = reader.varint();
  if (count > maxContextEntries) throw new RpcError("protocol", `a context of ${count} entries`, "not-executed");
  const context: Record<string, string> = Object.create(null);
  for (let i = 0; i < count; i++) {
    const key = reader.text(maxContextTextBytes);
    context[key] = reader.text(maxContextTextBytes);
  }
  return Object.freeze(context);
}

/** Appends the passes of a call. @throws RpcError `limit-exceeded` */
export function writePasses(writer: ByteWriter, passes: readonly string[]): void {
  if (passes.length > maxPasses) {
    const detail = `a call from within ${passes.length} serialized objects, at most ${maxPasses} are allowed`;
    throw new RpcError("limit-exceeded", detail, "not-sent");
  }
  writer.varint(passes.length);
  for (const pass of passes) writeName(writer, encodeName(pass, "a pass", maxPassBytes));
}

/** Reads the passes of a call. @throws RpcError `protocol` */
export function readPasses(reader: ByteReader): readonly string[] {
  const count = reader.varint();
  if (count > maxPasses) throw new RpcError("protocol", `a call with ${count} passes`, "not-executed");
  const passes: string[] = [];
  for (let i = 0; i < count; i++) passes.push(reader.text(maxPassBytes));
  return passes;
}

function refused(detail: string): RpcError {
  return new RpcError("invalid-argument", detail, "not-sent");
}
