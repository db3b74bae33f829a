/** A service under a contract, and two callers of it: one who has the contract, and one who has not. */
import {
  type LeakCheckedPair,
  leakCheckedPair as leakCheckedPairAt,
  type PairOptions,
  type PairSetUp,
} from "../../../conformance/src/index.ts";
import { type Remote, underContract } from "../../../core/src/index.ts";
import { memoryTransport, tcpTransport } from "../../../transports/src/index.ts";
import { type Api, type Contract, callerContract, type Implementation, implement } from "../../src/index.ts";

let names = 0;

export const memory: PairSetUp = { transport: memoryTransport, freshUri: () => `memory:contract-${++names}` };
export const tcp: PairSetUp = { transport: tcpTransport, freshUri: () => "tcp://127.0.0.1:0" };

export const places = [
  { place: "memory", at: memory },
  { place: "tcp", at: tcp },
] as const;

/** A far object without a contract at this side: any method, any arguments. */
export type Unbound = Record<string, (...args: unknown[]) => Promise<unknown>>;

export interface ContractPair<C extends Contract> extends AsyncDisposable {
  readonly pair: LeakCheckedPair<object>;
  readonly bound: Remote<Api<C>>;
  readonly unbound: Required<Unbound> & { readonly [K in keyof Api<C>]: (...args: unknown[]) => Promise<unknown> };
}

/** Serves an implementation of a contract; disposing it asserts that nothing is held any more. */
export async function contractPair<C extends Contract>(
  contract: C,
  implementation: Implementation<C>,
  options: PairOptions = {},
  at: PairSetUp = memory,
): Promise<ContractPair<C>> {
  return pairOn(contract, implement(contract, implementation), options, at);
}

/** Serves any object to a caller that believes it to be under a contract. */
export async function pairOn<C extends Contract>(
  contract: C,
  front: object,
  options: PairOptions = {},
  at: PairSetUp = memory,
): Promise<ContractPair<C>> {
  const pair = await leakCheckedPairAt(at, front, options);
  return {
    pair: pair as LeakCheckedPair<object>,
    bound: underContract(pair.front, callerContract(contract)) as Remote<Api<C>>,
    unbound: pair.front as unknown as ContractPair<C>["unbound"],
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

/** The error a promise fails with; throws when it doesn't. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a failure");
}
