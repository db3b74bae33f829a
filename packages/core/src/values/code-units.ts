/** Strings that UTF-8 has no form for, because of lone surrogates: they travel as what they are, UTF-16 code units. */
import type { Extension } from "./extension.ts";
import { codeUnitsType } from "./extension-types.ts";
import { writeExtensionHeader } from "./headers.ts";
import { malformed } from "./malformation.ts";

export const codeUnits: Extension<string> = {
  type: codeUnitsType,
  prototypes: [],
  write({ writer }, text) {
    writeExtensionHeader(writer, codeUnitsType, 2 * text.length);
    writer.ensure(2 * text.length);
    for (let i = 0; i < text.length; i++) writer.u16(text.charCodeAt(i));
  },
  read(decoder, end) {
    const { bytes, position } = decoder;
    if ((end - position) % 2 !== 0) throw malformed("half a code unit", position);
    const parts: string[] = [];
    const units: number[] = [];
    for (let at = position; at < end; at += 2) {
      units.push((bytes[at]! << 8) | bytes[at + 1]!);
      if (units.length === 4096) parts.push(String.fromCharCode(...units.splice(0)));
    }
    decoder.position = end;
    return parts.join("") + String.fromCharCode(...units);
  },
};
