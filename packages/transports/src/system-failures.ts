/** Turns what an operating system reports while connecting and listening into farref's errors, once, at the edge. */
import { RpcError } from "@farref/core";
import { quote } from "./uri.ts";

/** The address is taken or not ours to take. */
export function cannotListen(uri: string, cause: unknown): RpcError {
  if (cause instanceof RpcError) return cause;
  return new RpcError("refused", `listen on ${quote(uri)}: ${systemReasonOf(cause)}`, "not-sent", { cause });
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
export function systemReasonOf(error: unknown): string {
  const code = codeOf(error);
  const words = code && reasons.get(code);
  if (words) return `${words} (${code})`;
  if (error instanceof AggregateError && error.errors.length > 0) return systemReasonOf(error.errors[0]);
  return error instanceof Error && error.message ? error.message : (code ?? "failed");
}
