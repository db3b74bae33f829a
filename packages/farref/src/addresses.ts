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
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    throw new RpcError("bad-uri", `${JSON.stringify(uri)}: expected scheme:…, as in tcp://127.0.0.1:8787`, "not-sent");
  }
  const transport = transports.find((candidate) => candidate.schemes.includes(scheme));
  if (transport) return transport;
  const known = transports.flatMap((candidate) => candidate.schemes).join(", ");
  throw new RpcError("unknown-scheme", `${uri}: no transport for ${scheme}: (there are ${known})`, "not-sent");
}
