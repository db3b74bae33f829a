/** Object references on the wire: what an exporter hands out, and the inert marker it becomes until it is hydrated. */
import type { WireMark } from "./codec.ts";
import type { Extension } from "./extension.ts";
import { referenceType } from "./extension-types.ts";
import { malformed } from "./malformation.ts";
import { Placeholder } from "./placeholder.ts";
import { readText } from "./text.ts";

const kinds = ["object", "function", "home", "result"] as const;
const maxNameLength = 64;

/** Stands in a decoded value where a stub, a stream or a signal will be. */
export class Marker extends Placeholder {
  readonly kind: WireMark["kind"];
  readonly id: number;
  readonly name: string;
  /** Why an abort signal was aborted. */
  reason: unknown = undefined;

  constructor(kind: WireMark["kind"], id: number, name: string) {
    super();
    this.kind = kind;
    this.id = id;
    this.name = name;
  }
}

export const references: Extension<object> = {
  type: referenceType,
  prototypes: [],
  write({ writer, exporter }, value) {
    const { kind, id, name } = exporter.reference(value);
    writer.ensure(16 + 3 * name.length);
    writer.u8(0xc7);
    const begun = writer.position + 2;
    writer.position = begun;
    writer.u8(kinds.indexOf(kind));
    writer.varint(id);
    writer.utf8(name);
    writer.bytes[begun - 2] = writer.position - begun;
    writer.bytes[begun - 1] = referenceType;
  },
  read(decoder, end) {
    const at = decoder.position;
    const kind = kinds[decoder.u8()];
    if (kind === undefined) throw malformed("a reference of an unknown kind", at);
    const id = decoder.varint();
    const name = readName(decoder.bytes, decoder.position, end);
    if ((kind === "home" || kind === "result") && name !== "") throw malformed(`a reference ${kind} with a name`, at);
    decoder.position = end;
    return decoder.mark(new Marker(kind, id, name));
  },
};

function readName(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  const name = length >= 0 && length <= 3 * maxNameLength ? readText(bytes, start, end) : undefined;
  if (name !== undefined && name.length <= maxNameLength) return name;
  throw malformed(`a reference whose name has not 0 to ${maxNameLength} characters`, start);
}
