/** Errors that only travel to the peer. */
import { type Outcome, RpcError, type RpcErrorCode } from "./rpc-error.ts";

/**
 * An RpcError without a stack: taking the stack down costs seven microseconds, twenty times the rest, and a peer that
 * is refused again and again must not make us busy with it.
 */
export function refusal(code: RpcErrorCode, detail: string, outcome: Outcome): RpcError {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  const isTraced = typeof limit === "number" && Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return new RpcError(code, detail, outcome);
  } finally {
    if (isTraced) Reflect.set(Error, "stackTraceLimit", limit);
  }
}
