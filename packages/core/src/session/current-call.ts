/**
 * The call whose method is running right now, on this stack. One of the two pieces of module-level state in core: a
 * method has no other way to be told without a parameter. Set around the synchronous part of a method only.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallContext, CallOptions } from "../types/session.ts";

/** A context that also knows how deep in a chain of calls it stands. */
export interface NestedCall extends CallContext {
  readonly depth: number;
}

let current: NestedCall | undefined;

/**
 * The call that the running method answers: who calls, until when, with which context. Read it before the method's first
 * `await`; keep what you need.
 *
 * @throws RpcError `not-found` outside a call.
 * @example
 * class Files { async read(path: string) { const { principal, signal } = currentCall(); … } }
 */
export function currentCall(): CallContext {
  if (current) return current;
  throw new RpcError(
    "not-found",
    "currentCall: no call runs here; read it before the method's first await",
    "not-sent",
  );
}

/** What a call that is only passed on takes along of the call that brought it. */
export function relayedOptions(): CallOptions | undefined {
  if (!current) return undefined;
  const { signal, context, deadline } = current;
  return { signal, context, timeoutMs: deadline === undefined ? undefined : Math.max(1, deadline - performance.now()) };
}

/** Depth of a call made here: 0 outside of a method's synchronous part. */
export function depthOfNextCall(): number {
  return current ? current.depth + 1 : 0;
}

/** Runs the synchronous part of a method as part of `call`. */
// biome-ignore lint/complexity/noBannedTypes: a method of unknown signature.
export function applyInCall(call: NestedCall, method: Function, self: unknown, args: readonly unknown[]): unknown {
  const outer = current;
  current = call;
  try {
    return Reflect.apply(method, self, args);
  } finally {
    current = outer;
  }
}
