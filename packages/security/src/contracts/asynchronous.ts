/**
 * zod tries a schema synchronously, and when a promise turns up does all over again: what transforms runs twice, and the
 * first promise is left to nobody, so that one which rejects would end the process. Asked through its asynchronous
 * function it does neither.
 */
import { hasAsyncFunction } from "./definition.ts";
import type { Checked, Issue, Schema } from "./schema.ts";

/** Whether a schema is asynchronous, as far as one can see before it is used. */
export function isAsynchronous(schema: Schema): boolean {
  return schema["~standard"].vendor === "zod" && hasAsyncFunction(schema);
}

/** A schema's asynchronous way of validating, where it has one of its own. */
export function asyncForm(schema: Schema): ((value: unknown) => Promise<Checked>) | undefined {
  const { safeParseAsync } = schema as Partial<Parsing>;
  if (schema["~standard"].vendor !== "zod" || typeof safeParseAsync !== "function") return undefined;
  return async (value) => {
    const parsed = await safeParseAsync.call(schema, value);
    return parsed.success ? { value: parsed.data } : { issues: parsed.error.issues };
  };
}

interface Parsing {
  safeParseAsync(value: unknown): Promise<Parsed>;
}

type Parsed =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
