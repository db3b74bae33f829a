/**
 * The call whose method is running right now, on this stack. One of the two pieces of module-level state in core: a
 * method has no other way to be told without a parameter. Set around the synchronous part of a method only.
 */
import { RpcError } from "../errors/rpc-error.ts";
import { isCallOf } from "../references/contracts.ts";
import type { Method } from "../references/method-table.ts";
import type { CallContext, CallOptions } from "../types/session.ts";

/** A context that also knows how deep in a chain of calls it stands. */
export interface NestedCall extends CallContext {
  readonly depth: number;
  /** Until its deadline, by its session's clock; `undefined` without one. */
  readonly remainingMs: number | undefined;
}

/** A call that can begin later than its function does. */
export interface PostponableCall extends NestedCall {
  /** The function that answers it. */
  readonly runs: Method | undefined;
  /** That function has begun, but what it does for the call will only later: `givenUp` is called when it never need. */
  postpone(givenUp: (refusal: RpcError) => void): void;
  /** Now it does. @throws RpcError `cancelled`, `timeout`, `not-executed` when it need not any more */
  begin(): void;
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
  const { signal, context, remainingMs } = current;
  return remainingMs === undefined ? { signal, context } : { signal, context, timeoutMs: Math.max(1, remainingMs) };
}

/** Depth of a call made here: 0 outside of a method's synchronous part. */
export function depthOfNextCall(): number {
  return current ? current.depth + 1 : 0;
}

/** Runs the synchronous part of a method as part of `call`. */
export function applyInCall(call: NestedCall, method: Method, self: unknown, args: readonly unknown[]): unknown {
  const outer = current;
  current = call;
  try {
    return Reflect.apply(method, self, args);
  } finally {
    current = outer;
  }
}

/** Begins what was put off, as part of the call that was current then. */
export type Begin = (task: () => unknown) => unknown;

/**
 * For what has to wait before it does anything: keeps the current call for it, if there is one. Where `method` is given
 * and is all that the call runs, the call counts as not begun until then. When its caller gives it up first, `givenUp`
 * gets the error to fail with, and `Begin` would throw it.
 */
export function postpone(method: Method | undefined, givenUp: (refusal: RpcError) => void): Begin {
  const call = current;
  if (!call) return (task) => task();
  if (!method || !isPostponable(call) || !isCallOf(method, call.runs)) {
    return (task) => applyInCall(call, task, undefined, []);
  }
  call.postpone(givenUp);
  return (task) => {
    call.begin();
    return applyInCall(call, task, undefined, []);
  };
}

function isPostponable(call: NestedCall): call is PostponableCall {
  return "postpone" in call;
}
