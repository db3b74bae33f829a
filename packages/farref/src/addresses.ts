/** Finds the transport for an address, and the name behind its `#`. */
import { RpcError, type Transport } from "@farref/core";

export interface Address {
  /** The address without its name. */
  readonly uri: string;
  /** The published object it selects; `undefined` for the front. */
  readonly name: string | undefined;
}

export function splitName(where: string): Address {
  const at = where.indexOf("#");
  return at < 0 ? { uri: where, name: undefined } : { uri: where.slice(0, at), name: where.slice(at + 1) };
}

/** @throws RpcError `bad-uri` without a scheme, `unknown-scheme` when no transport has it */
export function transportFor(uri: string, transports: readonly Transport[]): Transport {
  const [, scheme, rest = ""] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)/s.exec(uri) ?? [];
  const transport = transports.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme.toLowerCase()));
  if (transport) return transport;
  if (scheme === undefined || isPort(rest)) {
    const expected = "expected scheme://…, as in tcp://localhost:8787";
    throw new RpcError("bad-uri", `${JSON.stringify(uri)}: ${expected}`, "not-sent");
  }
  const known = transports.flatMap(({ schemes }) => schemes).join(", ");
  throw new RpcError("unknown-scheme", `${uri}: no transport for ${scheme}: (there are ${known})`, "not-sent");
}

/** What stands before it is a host then, and the scheme was left out. */
function isPort(rest: string): boolean {
  return /^\d+(\/|$)/.test(rest);
}
