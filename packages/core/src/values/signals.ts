/** Abort signals on the wire: a number while they may still abort, the reason once they have. */
import type { Encoder } from "./encoder.ts";
import type { Extension } from "./extension.ts";
import { signalType } from "./extension-types.ts";
import { beginExtension, endExtension, writeArrayHeader } from "./headers.ts";
import { malformed } from "./malformation.ts";
import { Marker } from "./references.ts";
import { within } from "./refusal.ts";

export function isAbortSignal(value: object): value is AbortSignal {
  return typeof AbortSignal === "function" && value instanceof AbortSignal;
}

const kinds = ["aborted", "signal", "ownSignal"] as const;

export const signals: Extension<AbortSignal> = {
  type: signalType,
  prototypes: [],
  write(encoder, signal, depth) {
    const sent = signal.aborted ? undefined : encoder.exporter.signal(signal);
    const begun = beginExtension(encoder.writer, signalType);
    encoder.writer.u8(sent ? kinds.indexOf(sent.kind) : 0);
    if (sent) encoder.writer.varint(sent.id);
    else writeReason(encoder, signal.reason, depth);
    endExtension(encoder.writer, begun);
  },
  read(decoder, _end, depth) {
    const at = decoder.position;
    const kind = kinds[decoder.u8()];
    if (kind === undefined) throw malformed("a signal of an unknown kind", at);
    if (kind !== "aborted") return decoder.mark(new Marker(kind, decoder.varint(), ""));
    if (decoder.arrayHeader(depth) !== 1) throw malformed("a signal with more reasons than one", at);
    const marker = new Marker(kind, 0, "");
    marker.reason = decoder.placed(marker, "reason", depth + 1);
    return decoder.mark(marker);
  },
};

/** In a list of its own, so that it counts for the depth of the message. */
function writeReason(encoder: Encoder, reason: unknown, depth: number): void {
  encoder.enter(depth);
  encoder.charge(1);
  writeArrayHeader(encoder.writer, 1);
  try {
    encoder.value(reason, depth + 1);
  } catch (error) {
    throw within(".reason", error);
  }
}
