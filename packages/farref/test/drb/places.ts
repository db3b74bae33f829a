/** Where DRb's suite runs: over a socket of each kind, and pairs on it that leave nothing behind. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { leakCheckedPair, type PairSetUp } from "../../../conformance/src/index.ts";
import { tcpTransport, unixTransport, webSocketTransport } from "../../../transports/src/index.ts";

export { leakCheckedPair };

export interface Place {
  readonly place: "tcp" | "unix" | "ws";
  readonly at: PairSetUp;
}

const directory = mkdtempSync(join(tmpdir(), "farref-drb-"));
afterAll(() => rmSync(directory, { recursive: true }));
let sockets = 0;

export const places: readonly Place[] = [
  { place: "tcp", at: { transport: tcpTransport, freshUri: () => "tcp://127.0.0.1:0" } },
  { place: "unix", at: { transport: unixTransport, freshUri: () => `unix:${join(directory, `${++sockets}.sock`)}` } },
  { place: "ws", at: { transport: webSocketTransport, freshUri: () => "ws://127.0.0.1:0/farref" } },
];

/** A stub whose methods are asked for by any name: what it offers is told by the answer. */
export type AnyMethods = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

export function byAnyName(stub: object): AnyMethods {
  // Every name is a method of a stub; its type says only which of them the far object offers.
  return stub as AnyMethods;
}
