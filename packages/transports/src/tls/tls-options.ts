/**
 * What a program's TLS options become: nothing below TLS 1.2, and a verification that only the program itself can turn
 * off. What Node would find out with the first connection, or never, is `invalid-argument` here.
 */

import type { ConnectionOptions, TlsOptions } from "node:tls";
import { RpcError } from "@farref/core";

/**
 * @param tls the program's: Node's `tls.TlsOptions`
 * @param uri for errors, where it is asked to listen
 * @throws RpcError `invalid-argument`
 */
export function serverOptions(tls: TlsOptions = {}, uri: string): TlsOptions {
  if (!provesItself(tls)) throw invalid(uri, "listening takes a certificate: give tls: { key, cert }");
  if (tls.requestCert && tls.ca === undefined) {
    throw invalid(uri, "requestCert asks for ca too: without it every public authority could vouch for a client");
  }
  return { ...tls, ...strict(tls, uri) };
}

/**
 * @param tls the program's: Node's `tls.ConnectionOptions`
 * @throws RpcError `invalid-argument`
 */
export function clientOptions(tls: ConnectionOptions = {}, uri: string): ConnectionOptions {
  return { ...tls, ...strict(tls, uri) };
}

/** Runs what hands options to Node, and says whose they were when Node does not take them. */
export function withOptionsOf<T>(uri: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw invalid(uri, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

type Checked = Pick<ConnectionOptions, "minVersion" | "rejectUnauthorized">;

/** `rejectUnauthorized` is said aloud: it then stands above an environment variable that turns the check off. */
function strict({ minVersion = "TLSv1.2", rejectUnauthorized }: Checked, uri: string): Checked {
  if (minVersion === "TLSv1" || minVersion === "TLSv1.1") throw invalid(uri, `${minVersion} is no longer safe`);
  return { minVersion, rejectUnauthorized: rejectUnauthorized !== false };
}

/** By a certificate, by one for each name, or by a key both sides know. */
function provesItself({ cert, pfx, SNICallback, pskCallback }: TlsOptions): boolean {
  return [cert, pfx, SNICallback, pskCallback].some((proof) => proof !== undefined);
}

function invalid(uri: string, detail: string, cause?: unknown): RpcError {
  return new RpcError("invalid-argument", `${uri}: tls: ${detail}`, "not-sent", cause === undefined ? {} : { cause });
}
