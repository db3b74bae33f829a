/** Serving a contract: an object that offers the contract's methods and no others, each guarded by its schemas. */
import { type ByReferenceMark, boundMethod, byReference, guardMethod, offerInPlaceOf, RpcError } from "@farref/core";
import { findValue } from "../expose.ts";
import type { Api, Implementation } from "./api.ts";
import { type Contract, type Terms, termsOf } from "./contract.ts";

/**
 * Offers an implementation under a contract. The result travels as a reference and may be a front or be published; from
 * afar, arguments and results are validated. Disposing it disposes the implementation. One object under two contracts is
 * two objects from afar.
 *
 * @throws RpcError `invalid-argument` naming the method that the implementation lacks.
 * @example
 * await startService("tcp://127.0.0.1:8787", implement(calculator, { add: (a, b) => a + b }));
 */
export function implement<C extends Contract>(
  contract: C,
  implementation: Implementation<C>,
): Api<C> & ByReferenceMark {
  const terms = termsOf(contract);
  const original = requireObject(implementation);
  const offered = offer(terms, original);
  comesHomeAs(offered, { terms, object: undefined });
  if (!terms.offered.has(original)) terms.offered.set(original, offered);
  return offered as Api<C> & ByReferenceMark;
}

/** What offers an object of ours under a contract: what `implement` made of it, or what is made now. */
export function offeredUnder(terms: Terms, original: object): object {
  const known = terms.offered.get(original);
  if (known) return known;
  const offered = offer(terms, original);
  comesHomeAs(offered, { terms, object: original });
  terms.offered.set(original, offered);
  return offered;
}

interface Home {
  readonly terms: Terms;
  /** What the program gets when the reference comes home, where that is not what left. */
  readonly object: object | undefined;
}

const homeKey: unique symbol = Symbol.for("farref.home") as never;

function comesHomeAs(offered: object, home: Home): void {
  Object.defineProperty(offered, homeKey, { value: home });
}

/** Of an object that offers another under a contract. */
export function homeOf(object: object): Home | undefined {
  return (object as { readonly [homeKey]?: Home })[homeKey];
}

/** @throws RpcError `invalid-argument` */
function offer(terms: Terms, original: object): object {
  const offered: Record<string, unknown> = {};
  for (const [name, guard] of terms.guards) {
    const method = findValue(original, name);
    if (typeof method !== "function") throw lacking(name);
    offered[name] = guardMethod(boundMethod(original, method), guard);
  }
  const dispose = findValue(original, Symbol.dispose);
  if (typeof dispose === "function") {
    Object.defineProperty(offered, Symbol.dispose, { value: () => Reflect.apply(dispose, original, []) });
  }
  return byReference(offerInPlaceOf(offered, original));
}

function requireObject(implementation: unknown): object {
  if (typeof implementation === "object" && implementation !== null) return implementation;
  throw new RpcError("invalid-argument", "implement: expected an object with the contract's methods", "not-sent");
}

function lacking(name: string): RpcError {
  const detail = `implement: the implementation has no method ${JSON.stringify(name)}`;
  return new RpcError("invalid-argument", detail, "not-sent");
}
