/**
 * Looks into a schema's own definition, which libraries keep in plain objects (`def` of zod's, `pipe` and `entries` of
 * valibot's), for what the common interface does not tell. A library that is not known here tells nothing.
 */
import type { Schema } from "./schema.ts";

/** Larger definitions are not looked through to the end. */
const maxParts = 10_000;

/** zod's transforms and codecs, valibot's transformations: what they put out need not be what they take. */
export function isTransforming(schema: Schema): boolean {
  for (const part of partsOf(schema)) {
    const { type, kind, reverseTransform } = part as Readonly<Record<string, unknown>>;
    if (type === "transform" || kind === "transformation" || typeof reverseTransform === "function") return true;
  }
  return false;
}

/** The schema, its definition and all that stands in it, each once. */
export function* partsOf(schema: Schema): Iterable<object> {
  const parts = new Set<object>([schema]);
  for (const part of parts) {
    yield part;
    if (parts.size > maxParts) return;
    for (const inner of valuesOf(part)) {
      if (typeof inner === "function" || (typeof inner === "object" && inner !== null)) parts.add(inner);
    }
  }
}

/** Some definitions have accessors, which may fail. What zod's `lazy` stands for is no property that shows. */
function valuesOf(part: object): unknown[] {
  try {
    return [...Object.values(part), (part as { readonly _zod?: { readonly innerType?: unknown } })._zod?.innerType];
  } catch {
    return [];
  }
}
