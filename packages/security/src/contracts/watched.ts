/**
 * The functions of a program's in a schema of zod's. zod leaves promises of theirs to nobody: those behind one that failed,
 * those beside a function that threw. The first such promise that rejects would end the process, and a peer chooses when.
 * So while farref asks, what a function fails with is taken down, and zod hears nothing of it; whoever asked fails with it.
 * At other times, and in later turns, the functions do what they did.
 */
import { partsOf } from "./definition.ts";
import type { Schema } from "./schema.ts";

/** What functions have failed with since somebody began to ask. */
export type Failures = unknown[];

/** Where zod keeps them: `refine`, `superRefine` and `check` as checks, `transform` and `preprocess` as transforms. */
interface Internals {
  readonly def?: { readonly check?: unknown; transform?: unknown; reverseTransform?: unknown };
  check?: unknown;
}

const watchedKey: unique symbol = Symbol.for("farref.watched") as never;

/** Set while a schema is asked, never across a turn. */
let current: Failures | undefined;

/** Watches the functions of a schema, once however many schemas share them. Whether there are any. */
export function watchFunctions(schema: Schema): boolean {
  let hasAny = false;
  for (const part of partsOf(schema)) {
    const internals = (part as { readonly _zod?: Internals })._zod;
    if (!internals?.def) continue;
    const isCheck = internals.def.check === "custom" && watch(internals, "check");
    const isTransform = watch(internals.def, "transform");
    hasAny = watch(internals.def, "reverseTransform") || isCheck || isTransform || hasAny;
  }
  return hasAny;
}

/** Asks a schema, and takes down what its functions fail with. */
export function whileWatching<T>(failures: Failures, ask: () => T): T {
  const before = current;
  current = failures;
  try {
    return ask();
  } finally {
    current = before;
  }
}

function watch<K extends string>(holder: { [key in K]?: unknown }, key: K): boolean {
  const original = holder[key];
  if (typeof original !== "function") return false;
  if (!(watchedKey in original)) Reflect.set(holder, key, watched(original));
  return true;
}

// biome-ignore lint/complexity/noBannedTypes: a function of unknown signature, only ever called through Reflect.apply.
function watched(original: Function): Function {
  const call = function (this: unknown, ...args: unknown[]) {
    const apply = () => Reflect.apply(original, this, args);
    return current ? heard(current, apply) : notLeft(apply());
  };
  return Object.defineProperty(call, watchedKey, { value: true });
}

/** Whoever waits for a promise still hears of it. */
function notLeft(made: unknown): unknown {
  if (made instanceof Promise) made.catch(() => {});
  return made;
}

function heard(failures: Failures, call: () => unknown): unknown {
  const take = (error: unknown) => void failures.push(error);
  try {
    const made = call();
    return made instanceof Promise ? made.then(undefined, take) : made;
  } catch (error) {
    return take(error);
  }
}
