/**
 * Looks into a schema's own definition, which libraries keep in plain objects (`def` of zod's, `pipe` and `entries` of
 * valibot's), for what the common interface does not tell. A library that is not known here tells nothing.
 */
import type { Schema } from "./schema.ts";

/** Larger definitions are not looked through to the end. */
const maxParts = 10_000;

/** zod's transforms and codecs, valibot's transformations: what they put out need not be what they take. */
export function isTransforming(schema: Schema): boolean {
  return somePart(schema, (part) => {
    const { type, kind, reverseTransform } = part as Readonly<Record<string, unknown>>;
    return type === "transform" || kind === "transformation" || typeof reverseTransform === "function";
  });
}

export function hasAsyncFunction(schema: Schema): boolean {
  return somePart(
    schema,
    (part) => (part as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === "AsyncFunction",
  );
}

function somePart(schema: Schema, isSuch: (part: object) => boolean): boolean {
  const parts = new Set<object>([schema]);
  for (const part of parts) {
    if (isSuch(part)) return true;
    if (parts.size > maxParts) return false;
    for (const inner of valuesOf(part)) {
      if (typeof inner === "function" || (typeof inner === "object" && inner !== null)) parts.add(inner);
    }
  }
  return false;
}

/** Some definitions have accessors, which may fail. */
function valuesOf(part: object): unknown[] {
  try {
    return Object.values(part);
  } catch {
    return [];
  }
}
