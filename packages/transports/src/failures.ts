/** What can go wrong while connecting, on any platform, as farref's errors. */
import { RpcError } from "@farref/core";
import { quote } from "./uri.ts";

/** Nobody could be reached at the address. */
export function unreachable(uri: string, reason: string, cause?: unknown): RpcError {
  return new RpcError("unreachable", `dial ${quote(uri)}: ${reason}`, "not-sent", {
    cause: cause ?? new Error(reason),
  });
}

/** The caller gave up. An `RpcError` as the signal's reason is the caller's own verdict and stands as it is. */
export function dialAborted(uri: string, signal: AbortSignal): RpcError {
  const reason: unknown = signal.reason;
  if (reason instanceof RpcError) return reason;
  return new RpcError("cancelled", `dial ${quote(uri)}: aborted`, "not-sent", { cause: reason });
}
