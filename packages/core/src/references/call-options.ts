/** Options of calls: what a program may ask for, looked at when it asks. */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallOptions } from "../types/session.ts";

/** Under this key a view that is no stub tells how it takes options. */
export const optionsKey: unique symbol = Symbol("farref.options");

/** Options added to those a view has. @throws RpcError `invalid-argument` */
export function checkedOptions(options: CallOptions | undefined, more: CallOptions): CallOptions {
  checkOptions(more);
  return { ...options, ...more };
}

const optionNames: ReadonlySet<string> = new Set(["timeoutMs", "signal", "idempotent", "context"]);

/** What is wrong here must not be found out when the call has already left. */
function checkOptions(options: CallOptions): void {
  const unknown = Object.keys(options).find((name) => !optionNames.has(name));
  if (unknown !== undefined) throw notKnown(unknown);
  const { timeoutMs, signal, context } = options;
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw badOption("timeoutMs", "a positive number", timeoutMs);
  if (signal !== undefined && !isSignal(signal)) throw badOption("signal", "an AbortSignal", signal);
  if (context !== undefined && !isPlainObject(context)) throw badOption("context", "an object of strings", context);
}

function notKnown(name: string): RpcError {
  const detail = `withOptions: there is no option ${name}; there are ${[...optionNames].join(", ")}`;
  return new RpcError("invalid-argument", detail, "not-sent");
}

function badOption(name: string, expected: string, given: unknown): RpcError {
  const got = typeof given === "number" ? given : typeof given;
  return new RpcError("invalid-argument", `${name}: expected ${expected}, got ${got}`, "not-sent");
}

/** By its looks: a signal may come from another realm, or from a polyfill. */
function isSignal(value: Partial<AbortSignal>): boolean {
  return typeof value.aborted === "boolean" && typeof value.addEventListener === "function";
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
