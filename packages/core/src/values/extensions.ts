/** The table of extensions: one row for each kind of value MessagePack lacks, found by type or by an object. */
import { attachments, buffers, views } from "./binary.ts";
import { codeUnits } from "./code-units.ts";
import { maps, nullPrototypes, sets } from "./collections.ts";
import { errors } from "./errors-as-values.ts";
import type { Extension } from "./extension.ts";
import { bigints } from "./numbers.ts";
import { references } from "./references.ts";
import { dates, regexps, urls } from "./scalars.ts";
import { signals } from "./signals.ts";
import { iterables, readables } from "./streams.ts";
import { unknownValues } from "./unknown-values.ts";

/** The rows of every endpoint; one that has registered classes has a row of its own in place of the last. */
export const standardExtensions: readonly Extension[] = [
  references,
  codeUnits,
  bigints,
  dates,
  regexps,
  urls,
  maps,
  sets,
  nullPrototypes,
  errors,
  buffers,
  views,
  attachments,
  iterables,
  readables,
  signals,
  unknownValues,
];

export class ExtensionTable {
  readonly #byType: (Extension | undefined)[] = [];
  readonly #byPrototype = new Map<object, Extension>();

  constructor(extensions: readonly Extension[]) {
    for (const extension of extensions) {
      this.#byType[extension.type] = extension;
      for (const prototype of extension.prototypes) this.#byPrototype.set(prototype, extension);
    }
  }

  forType(type: number): Extension | undefined {
    return this.#byType[type];
  }

  forObject(value: object, prototype: object | null): Extension | undefined {
    if (prototype === null) return nullPrototypes;
    return this.#byPrototype.get(prototype) ?? (value instanceof Error ? errors : undefined);
  }
}
