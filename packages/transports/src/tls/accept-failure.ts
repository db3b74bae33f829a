/** Why a client that connected got no TLS, for the service's `onError`: clients are told little. */
import type { TLSSocket } from "node:tls";
import { RpcError } from "@farref/core";
import { codeOf } from "../system-failures.ts";
import { isTlsFailure, reasonOf } from "./connect-tls.ts";

export function acceptFailure(error: Error, socket: TLSSocket): RpcError {
  const { authorizationError: refusal } = socket;
  // Node has a string here, whatever its types say.
  if (refusal) return failure("unauthenticated", `a client's certificate is not accepted: ${String(refusal)}`, error);
  if (codeOf(error) === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE")
    return failure("unauthenticated", "a client has no certificate", error);
  if (isTlsFailure(error)) return failure("protocol", `a client could not agree on TLS: ${reasonOf(error)}`, error);
  return failure("unreachable", `a client left, or was cut off, before TLS was agreed on: ${reasonOf(error)}`, error);
}

function failure(code: "unauthenticated" | "protocol" | "unreachable", detail: string, cause: Error): RpcError {
  return new RpcError(code, detail, "not-sent", { cause });
}
