/** Object references on the wire: what an exporter hands out, and the inert marker it becomes until it is hydrated. */
import type { WireMark } from "./codec.ts";
import type { Decoder } from "./decoder.ts";
import type { Extension } from "./extension.ts";
import { referenceType } from "./extension-types.ts";
import { type Malformation, malformed } from "./malformation.ts";
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
    const name = readName(decoder, end);
    if ((kind === "home" || kind === "result") && name !== "") throw malformed(`a reference ${kind} with a name`, at);
    decoder.position = end;
    return decoder.mark(new Marker(kind, id, name));
  },
};

function readName({ bytes, position, names }: Decoder, end: number): string {
  const length = end - position;
  if (length < 0 || length > 3 * maxNameLength) throw notAName(position);
  const known = names.find(bytes, position, end);
  if (known !== undefined) return known;
  const name = readText(bytes, position, end);
  if (name.length > maxNameLength) throw notAName(position);
  names.keep(bytes, position, end, name);
  return name;
}

function notAName(at: number): Malformation {
  return malformed(`a reference whose name has not 0 to ${maxNameLength} characters`, at);
}
