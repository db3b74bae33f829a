/** How an end is told, of a session or of a reference: to calls, to streams and signals, to monitors. */
import type { Clock } from "../clock/clock.ts";
import { RpcError, type RpcErrorCode } from "../errors/rpc-error.ts";
import type { CloseReason, Down } from "../types/session.ts";
import { closeCodeFrom } from "./goodbye.ts";
import type { PendingCall } from "./pending-call.ts";

export class SessionEnd {
  readonly reason: CloseReason;
  readonly #address: string;
  readonly #clock: Clock;

  /** `address` is the peer's, as people know it. */
  constructor(reason: CloseReason, address: string, clock: Clock) {
    this.reason = reason;
    this.#address = address;
    this.#clock = clock;
  }

  /** What a call fails with: it may have run where it has left. */
  ofCall(call: PendingCall, hasLeft: boolean): RpcError {
    const { code, message, error } = this.reason;
    const elapsedMs = Math.round(this.#clock.now() - call.madeAt);
    const what = hasLeft ? `${message} (${elapsedMs} ms after the call)` : message;
    return call.error(errorCodeOf(code), what, hasLeft ? "unknown" : "not-sent", error);
  }

  /** What a stream or a signal ends with. */
  of(what: "a stream" | "a signal"): RpcError {
    const { code, message, error } = this.reason;
    return new RpcError(errorCodeOf(code), `${what} of ${this.#address}: ${message}`, "unknown", { cause: error });
  }

  /** The end as the monitors of references are told of it. */
  get down(): Down {
    const { code, message, by, error } = this.reason;
    if (code === "closed" || code === "drained") return { reason: "closed" };
    const told = error ?? new RpcError(errorCodeOf(code), message, "unknown");
    return { reason: by === "network" ? "session-lost" : "closed", error: told };
  }
}

/** Why a call on a reference that is gone is not made. */
export function refusalAfter({ reason, error }: Down, call: PendingCall): RpcError {
  if (reason === "released") return call.error("stale-reference", "the reference was released", "not-sent");
  if (reason === "disposed") return call.error("stale-reference", "its owner has revoked it", "not-sent");
  return call.error("closed", "the connection that it was passed on by has ended", "not-sent", error);
}

/** The code of a call that fails because its session ended so. */
export function errorCodeOf(code: CloseReason["code"]): RpcErrorCode {
  return code === "protocol" || code === "limit-exceeded" || code === "unauthenticated" ? code : "closed";
}

/** Why a session ended, from the error that ended it. */
export function closeReasonOf(error: RpcError, by: CloseReason["by"]): CloseReason {
  return { code: closeCodeFrom(error.code === "internal" ? "protocol" : error.code), message: error.detail, by, error };
}
