/** What stands behind a stub: the reference, the manner in which its methods are called, and those that were taken off. */
import type { CallOptions } from "../types/session.ts";
import type { CallerContract } from "./contracts.ts";
import type { FarReference } from "./far-reference.ts";

/** How the methods of a far object are called. */
export interface Manner {
  readonly options: CallOptions | undefined;
  readonly contract: CallerContract | undefined;
  readonly isOneway: boolean;
}

export const plainly: Manner = { options: undefined, contract: undefined, isOneway: false };

type LocalMethod = (...args: unknown[]) => unknown;

/**
 * What stands behind the proxy. Its parts are private and its methods static, for it may be the proxied object itself:
 * nothing of it must show there.
 */
export class Target {
  readonly #reference: FarReference;
  readonly #manner: Manner;
  #taken: TakenMethod | Map<string, LocalMethod> | undefined;

  constructor(reference: FarReference, manner: Manner) {
    this.#reference = reference;
    this.#manner = manner;
  }

  static reference(target: Target): FarReference {
    return target.#reference;
  }

  static manner(target: Target): Manner {
    return target.#manner;
  }

  /** A method taken off twice is the same function, and costs its closure once. */
  static method(target: Target, name: string): LocalMethod {
    return Target.known(target, name) ?? Target.#take(target, name);
  }

  /** The method, if it was taken off before. */
  static known(target: Target, name: string): LocalMethod | undefined {
    const taken = target.#taken;
    if (taken instanceof Map) return taken.get(name);
    for (let method = taken; method; method = method.next) if (method.name === name) return method.call;
    return undefined;
  }

  static #take(target: Target, name: string): LocalMethod {
    const call = methodOf(target.#reference, name, target.#manner);
    const taken = target.#taken;
    if (taken instanceof Map) taken.set(name, call);
    else if (taken?.count === maxListed) target.#taken = mapOf(taken).set(name, call);
    else target.#taken = { name, call, next: taken, count: (taken?.count ?? 0) + 1 };
    return call;
  }
}

/** Under this key a stub tells its target, and nothing else in the world does. */
export const targetKey: unique symbol = Symbol("farref.target");

export function targetOf(value: unknown): Target | undefined {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return undefined;
  const target = (value as { readonly [targetKey]?: unknown })[targetKey];
  return target instanceof Target ? target : undefined;
}

/** Methods in a list: most far objects are called by one or two, for which a Map would be the largest part of a stub. */
interface TakenMethod {
  readonly name: string;
  readonly call: LocalMethod;
  readonly next: TakenMethod | undefined;
  /** How many the list has. */
  readonly count: number;
}

const maxListed = 8;

function mapOf(listed: TakenMethod): Map<string, LocalMethod> {
  const map = new Map<string, LocalMethod>();
  for (let method: TakenMethod | undefined = listed; method; method = method.next) map.set(method.name, method.call);
  return map;
}

function methodOf(reference: FarReference, name: string, { options, contract, isOneway }: Manner): LocalMethod {
  const { owner } = reference;
  if (isOneway) return (...args) => owner.post(reference, name, args, options, contract);
  return (...args) => owner.invoke(reference, name, args, options, contract);
}
