/** Where suites run that every transport passes: over a socket of each kind, and pairs on it that leave nothing behind. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectOptions, ServiceOptions } from "farref";
import { afterAll } from "vitest";
import { leakCheckedPair, type PairSetUp } from "../../conformance/src/index.ts";
import {
  memoryTransport,
  tcpTransport,
  tlsTransport,
  unixTransport,
  webSocketTransport,
} from "../../transports/src/index.ts";
import { createAuthority } from "../../transports/test/certificates.ts";
import { secureTransport } from "../../transports/test/secure-transport.ts";

export { leakCheckedPair };

export interface Place {
  readonly place: "memory" | "tcp" | "unix" | "ws" | "tls" | "wss";
  /** For pairs. */
  readonly at: PairSetUp;
  /** What `startService` and `connect` need there. */
  readonly serving: ServiceOptions;
  readonly connecting: ConnectOptions;
}

const directory = mkdtempSync(join(tmpdir(), "farref-"));
const sockets = join(directory, "sockets");
mkdirSync(sockets);
afterAll(() => rmSync(directory, { recursive: true }));
let names = 0;
const freshSocket = () => `unix:${join(sockets, `${++names}.sock`)}`;

const plain = { serving: {}, connecting: {} };

export const places: readonly Place[] = [
  { place: "tcp", at: { transport: tcpTransport, freshUri: () => "tcp://127.0.0.1:0" }, ...plain },
  { place: "unix", at: { transport: unixTransport, freshUri: freshSocket }, ...plain },
  { place: "ws", at: { transport: webSocketTransport, freshUri: () => "ws://127.0.0.1:0/farref" }, ...plain },
];

export const memoryPlace: Place = {
  place: "memory",
  at: { transport: memoryTransport, freshUri: () => `memory:place-${++names}` },
  ...plain,
};

/** The same under TLS, with a certificate that the client's authority has issued. */
export function securePlaces(): readonly Place[] {
  const authority = createAuthority();
  const at = (transport: typeof tlsTransport, uri: string) => ({
    transport: secureTransport(transport, authority),
    freshUri: () => uri,
  });
  const tls = authority.issue({ name: "a server", hosts: ["127.0.0.1"] });
  const secured = { serving: { tls }, connecting: { tls: { ca: authority.cert } } };
  return [
    { place: "tls", at: at(tlsTransport, "tls://127.0.0.1:0"), ...secured },
    { place: "wss", at: at(webSocketTransport, "wss://127.0.0.1:0/farref"), ...secured },
  ];
}

/** A stub whose methods are asked for by any name: what it offers is told by the answer. */
export type AnyMethods = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

export function byAnyName(stub: object): AnyMethods {
  // Every name is a method of a stub; its type says only which of them the far object offers.
  return stub as AnyMethods;
}
