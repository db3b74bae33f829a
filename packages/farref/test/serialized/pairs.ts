/** Pairs that know what is part of what, as those of `startService` and `connect` do. */
import {
  type LeakCheckedPair,
  leakCheckedPair as leakCheckedPairAt,
  type PairOptions,
  type PairSetUp,
} from "../../../conformance/src/index.ts";
import type { Front } from "../../../core/src/index.ts";
import { memory } from "../../../core/test/session/pairs.ts";
import { nodePlatform } from "../../src/node-platform.ts";

const platform = nodePlatform;

export function leakCheckedPair<F extends object>(
  front: Front<F> | undefined,
  options: PairOptions = {},
  at: PairSetUp = memory,
): Promise<LeakCheckedPair<F>> {
  const service = { platform, ...options.service };
  const connection = { platform, ...options.connection };
  return leakCheckedPairAt(at, front, { ...options, service, connection });
}
