/**
 * How encoding fails: a refusal gathers its path on the way out, one step at each level, so that a value which can be
 * sent pays nothing for it. At the top it becomes an `RpcError`: `args[0].user.account: an instance of Account is not copied; …`.
 */
import { type Outcome, RpcError, type RpcErrorCode } from "../errors/rpc-error.ts";

export class Refusal {
  path = "";
  readonly code: RpcErrorCode;
  readonly why: string;
  readonly outcome: Outcome;
  readonly cause: unknown;

  constructor(code: RpcErrorCode, why: string, cause?: unknown, outcome: Outcome = "not-sent") {
    this.code = code;
    this.why = why;
    this.cause = cause;
    this.outcome = outcome;
  }
}

export function unsupported(why: string): Refusal {
  return new Refusal("unsupported-value", why);
}

export function tooMuch(why: string): Refusal {
  return new Refusal("limit-exceeded", why);
}

/** The same failure seen from one level up: `step` is what led to it. */
export function within(step: string, error: unknown): Refusal {
  const refusal = asRefusal(error);
  refusal.path = step + refusal.path;
  return refusal;
}

export function toRpcError(root: string, error: unknown): RpcError {
  const { code, path, why, outcome, cause } = asRefusal(error);
  return new RpcError(code, `${root}${path}: ${why}`, outcome, cause === undefined ? undefined : { cause });
}

/** `.name` where it reads well, `["odd key"]` where it doesn't. */
export function propertyStep(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${clip(key)}` : `[${JSON.stringify(clip(key))}]`;
}

/** `.get("k")`: the value of a Map's entry. */
export function entryStep(key: unknown): string {
  if (typeof key === "string") return `.get(${JSON.stringify(clip(key))})`;
  return `.get(${typeof key === "object" && key !== null ? "<object>" : clip(typeof key === "symbol" ? "<symbol>" : `${key}`)})`;
}

/** What a registered value was packed into. */
export function packedStep(name: string): string {
  return `<packed ${name}>`;
}

function clip(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}

/** What an exporter says keeps its code; what a Proxy, a forged built-in or a full stack throws makes a value unfit. */
function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof RpcError) return new Refusal(error.code, error.detail, error.cause, error.outcome);
  return new Refusal("unsupported-value", `reading it failed: ${describe(error)}; send plain data`, error);
}

/** What was thrown, in a few words. */
export function describe(error: unknown): string {
  try {
    return clip(String(error));
  } catch {
    return "an error that can't be printed";
  }
}
