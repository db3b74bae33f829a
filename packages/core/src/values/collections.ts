/** Map, Set and objects without a prototype, both ways. */
import { Crowding } from "./crowding.ts";
import type { Extension } from "./extension.ts";
import { mapType, nullPrototypeType, setType } from "./extension-types.ts";
import { beginExtension, endExtension, writeArrayHeader, writeMapHeader } from "./headers.ts";
import { malformed } from "./malformation.ts";
import { requireBare } from "./own-properties.ts";
import { entryStep, within } from "./refusal.ts";

export const maps: Extension<Map<unknown, unknown>> = {
  type: mapType,
  prototypes: [Map.prototype],
  write(encoder, map, depth) {
    const entries = [...Map.prototype.entries.call(map)];
    requireBare(map);
    encoder.enter(depth);
    encoder.charge(2 * entries.length);
    const begun = beginExtension(encoder.writer, mapType);
    writeMapHeader(encoder.writer, entries.length);
    for (const [i, [key, value]] of entries.entries()) {
      attempt(`<key ${i}>`, () => encoder.value(key, depth + 1));
      attempt(entryStep(key), () => encoder.value(value, depth + 1));
    }
    endExtension(encoder.writer, begun);
  },
  read(decoder, _end, depth) {
    const at = decoder.position;
    const map = decoder.keep(new Map<unknown, unknown>());
    const count = decoder.mapHeader(depth, 2);
    const crowding = new Crowding();
    for (let i = 0; i < count; i++) {
      const key = decoder.placed(map, "", depth + 1);
      map.set(key, decoder.placed(map, "", depth + 1));
      crowding.added(map, key, at);
    }
    if (map.size !== count) throw malformed("a Map with a repeated key", at);
    return map;
  },
};

export const sets: Extension<Set<unknown>> = {
  type: setType,
  prototypes: [Set.prototype],
  write(encoder, set, depth) {
    const members = [...Set.prototype.values.call(set)];
    requireBare(set);
    encoder.enter(depth);
    encoder.charge(members.length);
    const begun = beginExtension(encoder.writer, setType);
    writeArrayHeader(encoder.writer, members.length);
    for (const [i, member] of members.entries()) attempt(`<member ${i}>`, () => encoder.value(member, depth + 1));
    endExtension(encoder.writer, begun);
  },
  read(decoder, _end, depth) {
    const at = decoder.position;
    const set = decoder.keep(new Set());
    const count = decoder.arrayHeader(depth);
    const crowding = new Crowding();
    for (let i = 0; i < count; i++) {
      const member = decoder.placed(set, "", depth + 1);
      set.add(member);
      crowding.added(set, member, at);
    }
    if (set.size !== count) throw malformed("a Set with a repeated member", at);
    return set;
  },
};

export const nullPrototypes: Extension<object> = {
  type: nullPrototypeType,
  prototypes: [],
  write(encoder, object, depth) {
    const begun = beginExtension(encoder.writer, nullPrototypeType);
    encoder.fields(object, depth);
    endExtension(encoder.writer, begun);
  },
  read(decoder, _end, depth) {
    const object: object = decoder.keep(Object.create(null));
    decoder.fields(object, decoder.mapHeader(depth, 1), depth);
    return object;
  },
};

function attempt(step: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw within(step, error);
  }
}
