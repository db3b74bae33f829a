/** A contract: a value that names methods with their schemas and options, for whoever serves them and whoever calls them. */
import { type CallerContract, isOfferable, type MethodGuard, RpcError } from "@farref/core";
import { CalleeMethod } from "./callee.ts";
import { CallerSide } from "./caller.ts";
import { isMethodSpec, type MethodSpec } from "./method.ts";

/** What is made of a contract once, for all who use it. */
export interface Terms {
  /** By name, what is asked when a method is called here. */
  readonly guards: ReadonlyMap<string, MethodGuard>;
  /** What is asked when one is called there. */
  readonly caller: CallerContract;
  /** By object, what offers its methods under this contract. */
  readonly offered: WeakMap<object, object>;
}

const termsKey: unique symbol = Symbol.for("farref.contract") as never;

// biome-ignore lint/suspicious/noExplicitAny: contracts of all methods extend it.
export interface Contract<M = any> {
  readonly methods: M;
  readonly [termsKey]: Terms;
}

/**
 * Makes a contract of methods. It is the whole of what may be called: a method that it does not name is `not-exposed`.
 *
 * @throws RpcError `invalid-argument` for a member that `method` has not made, or a name that can never be offered.
 * @example
 * export const calculator = defineContract({ add: method([z.number(), z.number()], z.number()) });
 */
export function defineContract<M>(methods: M): Contract<M> {
  const specs = Object.entries(methods as object).map(([name, spec]) => checkedEntry(name, spec));
  const guards = new Map(specs.map(([name, spec]) => [name, new CalleeMethod(spec)]));
  const caller = new CallerSide(specs);
  return Object.freeze({ methods, [termsKey]: { guards, caller, offered: new WeakMap() } });
}

/** @throws RpcError `invalid-argument` */
export function termsOf(contract: Contract): Terms {
  const terms = (contract as Partial<Contract> | undefined)?.[termsKey];
  if (terms) return terms;
  throw new RpcError("invalid-argument", "expected a contract that defineContract made", "not-sent");
}

/** What a caller's stub is put under. */
export function callerContract(contract: Contract): CallerContract {
  return termsOf(contract).caller;
}

function checkedEntry(name: string, spec: unknown): [name: string, spec: MethodSpec] {
  if (!isOfferable(name) || name === "then") throw wrong(name, "a method of this name is never offered");
  if (!isMethodSpec(spec)) throw wrong(name, "expected what method(…) gives");
  return [name, spec];
}

function wrong(name: string, why: string): RpcError {
  return new RpcError("invalid-argument", `defineContract: ${JSON.stringify(name)}: ${why}`, "not-sent");
}
