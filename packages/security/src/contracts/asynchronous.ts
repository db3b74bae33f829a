/**
 * How zod is asked where a schema has functions of the program's, which may be asynchronous: nobody knows before they are
 * called. Its common way tries synchronously, and when a promise turns up does all over again; that promise is left to
 * nobody. So zod is told from the beginning that there may be promises, and answers at once where there were none.
 *
 * What zod then says of a value that is refused has no words yet. Such a value is asked about again, for the words.
 */
import { accepted, type Checked, type Issue, type Schema } from "./schema.ts";
import { type Failures, watchFunctions, whileWatching } from "./watched.ts";

/** A way to ask such a schema; `undefined` for any other, which is asked in the common way. */
export function watchedForm(schema: Schema): ((value: unknown) => Checked | Promise<Checked>) | undefined {
  if (!isZod(schema) || !watchFunctions(schema)) return undefined;
  let hasMadePromises = false;
  return (value) => {
    if (hasMadePromises) return asked(schema, value);
    const failures: Failures = [];
    const run = whileWatching(failures, () => schema._zod.run({ value, issues: [] }, { async: true }));
    if (!(run instanceof Promise)) return judged(run, failures, schema, value);
    hasMadePromises = true;
    return run.then((payload) => judged(payload, failures, schema, value));
  };
}

/** What of zod is relied on, beside the common way. */
interface Zod extends Schema {
  readonly _zod: { run(payload: Payload, context: { readonly async: true }): Payload | Promise<Payload> };
  safeParseAsync(value: unknown): Promise<Parsed>;
}

interface Payload {
  readonly value: unknown;
  readonly issues: readonly unknown[];
}

type Parsed =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };

function isZod(schema: Schema): schema is Zod {
  const { _zod, safeParseAsync } = schema as Partial<Zod>;
  return (
    schema["~standard"].vendor === "zod" && typeof _zod?.run === "function" && typeof safeParseAsync === "function"
  );
}

function judged(payload: Payload, failures: Failures, schema: Zod, value: unknown): Checked | Promise<Checked> {
  if (failures.length > 0) throw failures[0];
  return payload.issues.length === 0 ? accepted(payload.value) : asked(schema, value);
}

async function asked(schema: Zod, value: unknown): Promise<Checked> {
  const failures: Failures = [];
  const parsed = await whileWatching(failures, () => schema.safeParseAsync(value));
  if (failures.length > 0) throw failures[0];
  return parsed.success ? accepted(parsed.data) : { issues: parsed.error.issues };
}
