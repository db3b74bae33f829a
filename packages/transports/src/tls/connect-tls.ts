/** The client's side of TLS, for `tls:` and `wss:` alike, and what its failures mean. */
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { RpcError, toError } from "@farref/core";
import { unreachable } from "../failures.ts";
import { codeOf, systemReasonOf } from "../system-failures.ts";
import { type HostAddress, quote } from "../uri.ts";
import { clientOptions, withOptionsOf } from "./tls-options.ts";

/** Begins to connect. @throws RpcError `invalid-argument` for options that Node does not take */
export function connectTls(uri: string, { host, port }: HostAddress, tls: ConnectionOptions = {}): TLSSocket {
  const options = clientOptions(tls, uri);
  // An address is no name to ask for; the certificate is checked against it all the same.
  const servername = options.servername ?? (isIP(host) ? "" : host);
  const { checkServerIdentity: check = checkServerIdentity } = options;
  const target = {
    ...{ noDelay: true, ...options, servername, host, port, path: undefined },
    checkServerIdentity: (name: string, certificate: PeerCertificate) => guarded(() => check(name, certificate)),
  };
  return withOptionsOf(uri, () => connect(target));
}

/** Why there is no connection: the server is nobody we trust, does not want us, speaks no TLS, or is not there. */
export function dialTlsFailure(uri: string, error: Error, socket: TLSSocket): RpcError {
  if (isRefusal(error, socket)) {
    return failure("unauthenticated", uri, `the server's certificate is not accepted: ${reasonOf(error)}`, error);
  }
  if (isCertificateAlert(error)) return certificateRefused(error);
  if (isTlsFailure(error)) return failure("protocol", uri, `no TLS could be agreed on: ${reasonOf(error)}`, error);
  if (codeOf(error) !== "ECONNRESET") return unreachable(uri, systemReasonOf(error), error);
  return failure("unreachable", uri, "the connection was closed during the TLS handshake (ECONNRESET)", error);
}

/** Whether it was us who refused the server. Node keeps the code, or the message; where it was told to go on, it went on. */
export function isRefusal(error: Error, { authorizationError }: TLSSocket): boolean {
  return authorizationError !== null && String(authorizationError) === (codeOf(error) ?? error.message);
}

/** What ends a connection after the handshake; TLS 1.3 tells a client only then that its certificate is not accepted. */
export function tlsChannelError(error: Error): Error {
  return isCertificateAlert(error) ? certificateRefused(error) : error;
}

/** A check of the program's own refuses by what it returns; what it throws must not end the process. */
function guarded(check: () => Error | undefined): Error | undefined {
  try {
    return check();
  } catch (thrown) {
    return toError(thrown);
  }
}

/** OpenSSL's reasons have a prefix; a write that runs into them is EPROTO. */
export function isTlsFailure(error: Error): boolean {
  const code = codeOf(error);
  return code === "EPROTO" || code?.startsWith("ERR_SSL_") === true;
}

/** On one line and of bounded length: the peer's certificate may have put anything into it. */
export function reasonOf(error: Error): string {
  const code = codeOf(error);
  const words = plainMessage(error)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim();
  return `${words.length > 256 ? `${words.slice(0, 256)}…` : words}${code ? ` (${code})` : ""}`;
}

/** OpenSSL's own message is a line of its log; its reason says the same for people. */
function plainMessage(error: Error): string {
  return "library" in error && "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
}

const certificateAlerts = /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)/;

function isCertificateAlert(error: Error): boolean {
  return certificateAlerts.test(codeOf(error) ?? "");
}

function certificateRefused(cause: Error): RpcError {
  const detail = `the peer does not accept our certificate, or wants one: ${reasonOf(cause)}`;
  return new RpcError("unauthenticated", detail, "not-sent", { cause });
}

function failure(code: "unauthenticated" | "protocol" | "unreachable", uri: string, detail: string, cause: Error) {
  return new RpcError(code, `dial ${quote(uri)}: ${detail}`, "not-sent", { cause });
}
