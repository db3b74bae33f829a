/** What a contract asks of the libraries that describe data: zod, valibot, arktype and others share this interface. */
import type { StandardSchemaV1 } from "@standard-schema/spec";

/** A schema of any library that has the Standard Schema interface. */
// biome-ignore lint/suspicious/noExplicitAny: schemas of every type extend it.
export type Schema<I = any, O = I> = StandardSchemaV1<I, O>;

/** What a sender gives. */
export type InputOf<S extends Schema> = NonNullable<S["~standard"]["types"]>["input"];

/** What a receiver gets. */
export type OutputOf<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];

/** What a schema makes of a value: the value, or issues with it. */
export type Checked = StandardSchemaV1.Result<unknown>;

export type Issue = StandardSchemaV1.Issue;

export function accepted(value: unknown): Checked {
  return { value };
}

export function refused(message: string): Checked {
  return { issues: [{ message }] };
}

/** Tells what a value is, in a word and without reading it. */
export function unexpected(expected: string, value: unknown): Checked {
  return refused(`expected ${expected}, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return "a function";
  return typeof value === "object" ? "data" : `a ${typeof value}`;
}

export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = (value as Partial<Schema>)["~standard"];
  return typeof standard === "object" && standard !== null && "validate" in standard;
}
