/** The last frame of a session that ends in order. */
import { printable } from "../errors/printable.ts";
import type { CloseReason } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { frame } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";

/** Time for the peer to close its side of an orderly end. */
export const lingerMs = 1_000;
const maxMessageLength = 1_024;
const maxTextBytes = 4_096;

/** A code tells a session's end (`CloseReason`) or why there is none (`RpcErrorCode`). */
export function sendGoodbye(outbox: Outbox, code: string, message: string): void {
  const writer = outbox.begin(frame.goodbye);
  writeText(writer, code);
  writeText(writer, message.slice(0, maxMessageLength));
  outbox.end("control");
}

export function readGoodbye(reader: ByteReader): { readonly code: string; readonly message: string } {
  return { code: reader.text(maxTextBytes), message: printable(reader.text(maxTextBytes)) };
}

/** A length and the text as UTF-8. */
export function writeText(writer: ByteWriter, text: string): void {
  const scratch = new ByteWriter(new Uint8Array(3 * text.length));
  writer.varint(scratch.utf8(text));
  writer.raw(scratch.written());
}

const closeCodes: ReadonlySet<string> = new Set<CloseReason["code"]>([
  "closed",
  "drained",
  "lost",
  "timeout",
  "protocol",
  "limit-exceeded",
  "unauthenticated",
]);

export function closeCodeFrom(code: string): CloseReason["code"] {
  return closeCodes.has(code) ? (code as CloseReason["code"]) : "closed";
}
