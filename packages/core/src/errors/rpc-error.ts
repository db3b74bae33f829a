/** The one error class of farref's own failures: what went wrong, and whether the method may have run. */

/** Everything that can go wrong, as a closed set: programs switch over it. */
export type RpcErrorCode =
  | "bad-uri"
  | "unknown-scheme"
  | "unreachable"
  | "refused"
  | "unauthenticated"
  | "denied"
  | "not-exposed"
  | "not-found"
  | "invalid-argument"
  | "invalid-result"
  | "unsupported-value"
  | "stale-reference"
  | "limit-exceeded"
  | "overloaded"
  | "timeout"
  | "cancelled"
  | "closed"
  | "protocol"
  | "unimplemented"
  | "internal";

/**
 * Whether the method may have run. `not-sent`: nothing left this process. `not-executed`: the far side refused before
 * running it. `unknown`: it may or may not have run. `executed`: it ran.
 */
export type Outcome = "not-sent" | "not-executed" | "unknown" | "executed";

/**
 * A call, a connection or a value that farref could not carry through.
 *
 * @example
 * try { await calculator.add(5, 3); }
 * catch (error) {
 *   if (error instanceof RpcError && error.outcome !== "unknown" && error.outcome !== "executed") retryLater();
 * }
 */
export class RpcError extends Error {
  readonly code: RpcErrorCode;
  readonly outcome: Outcome;
  /** What was attempted, on what, what was expected: the message without the code. */
  readonly detail: string;

  constructor(code: RpcErrorCode, detail: string, outcome: Outcome, options?: { cause?: unknown }) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
    this.outcome = outcome;
  }
}
// On the prototype, so that an error's own properties are only what a reader wants to see printed.
Object.defineProperty(RpcError.prototype, "name", { value: "RpcError", writable: true, configurable: true });

const codes: ReadonlySet<string> = new Set<RpcErrorCode>([
  "bad-uri",
  "unknown-scheme",
  "unreachable",
  "refused",
  "unauthenticated",
  "denied",
  "not-exposed",
  "not-found",
  "invalid-argument",
  "invalid-result",
  "unsupported-value",
  "stale-reference",
  "limit-exceeded",
  "overloaded",
  "timeout",
  "cancelled",
  "closed",
  "protocol",
  "unimplemented",
  "internal",
]);

/** Tells whether a string from a peer is one of the codes this version knows. */
export function isRpcErrorCode(code: string): code is RpcErrorCode {
  return codes.has(code);
}
