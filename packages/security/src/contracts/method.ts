/** One method of a contract: schemas of its parameters and its result, and how it is called. */
import { RpcError } from "@farref/core";
import { isSchema, type Schema } from "./schema.ts";

export interface MethodOptions {
  /** The time a call has, unless the caller says otherwise; the method's signal fires after it in any case. */
  readonly timeoutMs?: number | undefined;
  /** Running it twice is as good as once. */
  readonly idempotent?: boolean | undefined;
  /** Nobody waits for what it returns: it has no result. */
  readonly oneway?: boolean | undefined;
  /** Told to `authorize`. */
  readonly scope?: string | undefined;
}

export interface MethodSpec<A extends readonly Schema[] = readonly Schema[], R extends Schema = Schema> {
  readonly params: A;
  readonly result: R | undefined;
  readonly options: MethodOptions;
}

/**
 * Describes a method: a schema for each parameter, one for the result (none: it returns nothing), options. A parameter
 * whose schema takes `undefined` may be left out at the end.
 *
 * @throws RpcError `invalid-argument` for what is no schema, and for options that contradict each other.
 * @example
 * const divide = method([z.number(), z.number()], z.number(), { timeoutMs: 1_000, idempotent: true });
 */
export function method<const A extends readonly Schema[], R extends Schema>(
  params: A,
  result: R,
  options?: MethodOptions,
): MethodSpec<A, R>;
export function method<const A extends readonly Schema[]>(
  params: A,
  result?: undefined,
  options?: MethodOptions,
): MethodSpec<A, Schema<void>>;
export function method(params: readonly Schema[], result?: Schema, options: MethodOptions = {}): MethodSpec {
  const [odd] = [...params.entries()].filter(([, schema]) => !isSchema(schema));
  if (odd) throw wrong(`parameter ${odd[0]} is not a schema`);
  if (result !== undefined && !isSchema(result)) throw wrong("the result is not a schema");
  if (options.oneway && result) throw wrong("a oneway method has no result");
  if (options.timeoutMs !== undefined && !(options.timeoutMs > 0)) {
    throw wrong(`timeoutMs: expected a positive number, got ${options.timeoutMs}`);
  }
  return Object.freeze({ params, result, options });
}

function wrong(why: string): RpcError {
  return new RpcError("invalid-argument", `method: ${why}`, "not-sent");
}

export function isMethodSpec(value: unknown): value is MethodSpec {
  if (typeof value !== "object" || value === null) return false;
  const { params, options } = value as Partial<MethodSpec>;
  return Array.isArray(params) && typeof options === "object";
}
