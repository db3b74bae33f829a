/** Where the tests of sessions run: on memory, on TCP, and on memory with every byte in a chunk of its own. */
import {
  type LeakCheckedPair,
  leakCheckedPair as leakCheckedPairAt,
  type PairOptions,
  type PairSetUp,
  slicingTransport,
} from "../../../conformance/src/index.ts";
import { memoryTransport, tcpTransport } from "../../../transports/src/index.ts";
import type { Front } from "../../src/index.ts";

let names = 0;
const freshUri = () => `memory:session-${++names}`;

export const memory: PairSetUp = { transport: memoryTransport, freshUri };
export const tcp: PairSetUp = { transport: tcpTransport, freshUri: () => "tcp://127.0.0.1:0" };
export const sliced: PairSetUp = { transport: slicingTransport(memoryTransport), freshUri };

export const places: readonly { readonly place: string; readonly at: PairSetUp }[] = [
  { place: "memory", at: memory },
  { place: "tcp", at: tcp },
  { place: "memory, byte by byte", at: sliced },
];

/** A pair over memory, for what no transport has a part in. */
export function leakCheckedPair<F extends object>(
  front: Front<F> | undefined,
  options?: PairOptions,
  at: PairSetUp = memory,
): Promise<LeakCheckedPair<F>> {
  return leakCheckedPairAt(at, front, options);
}
