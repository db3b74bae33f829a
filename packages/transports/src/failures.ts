/** Turns what the platform reports while connecting and listening into farref's errors, once, at the edge. */
import { RpcError } from "@farref/core";
import { quote } from "./uri.ts";

/** Nobody could be reached at the address. */
export function unreachable(uri: string, cause: unknown): RpcError {
  return new RpcError("unreachable", `dial ${quote(uri)}: ${reasonOf(cause)}`, "not-sent", { cause });
}

/** The caller gave up. An `RpcError` as the signal's reason is the caller's own verdict and stands as it is. */
export function dialAborted(uri: string, signal: AbortSignal): RpcError {
  const reason: unknown = signal.reason;
  if (reason instanceof RpcError) return reason;
  return new RpcError("cancelled", `dial ${quote(uri)}: aborted`, "not-sent", { cause: reason });
}

/** The address is taken or not ours to take. */
export function cannotListen(uri: string, cause: unknown): RpcError {
  if (cause instanceof RpcError) return cause;
  return new RpcError("refused", `listen on ${quote(uri)}: ${reasonOf(cause)}`, "not-sent", { cause });
}

export function listenerClosed(uri: string): RpcError {
  return new RpcError("closed", `listen on ${quote(uri)}: the listener was closed`, "not-sent");
}

export function listenerStarted(uri: string): RpcError {
  return new RpcError("refused", `listen on ${quote(uri)}: the listener was started before`, "not-sent");
}

/** The error code of the operating system, where there is one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Anything that was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`thrown: ${String(thrown)}`, { cause: thrown });
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission denied"],
  ["EPERM", "not permitted"],
  ["EADDRINUSE", "the address is in use"],
  ["EADDRNOTAVAIL", "the address is not available on this machine"],
  ["EAI_AGAIN", "the host name could not be resolved for now"],
  ["ENOTFOUND", "the host name could not be resolved"],
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset"],
  ["EPIPE", "connection closed"],
  ["EHOSTUNREACH", "no route to the host"],
  ["ENETUNREACH", "the network is unreachable"],
  ["ETIMEDOUT", "connection timed out"],
  ["ENOENT", "no such file or directory"],
]);

/** Several addresses of one name fail as an AggregateError: its first error speaks for it. */
function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const words = code && reasons.get(code);
  if (words) return `${words} (${code})`;
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message ? error.message : (code ?? "failed");
}
