/** A place for an object by reference. */
import {
  type ByReferenceMark,
  isMarked,
  isRemote,
  type Remote,
  RpcError,
  type Stub,
  underContract,
} from "@farref/core";
import type { Api, Implementation } from "./api.ts";
import { type Contract, type Terms, termsOf } from "./contract.ts";
import { homeOf, offeredUnder } from "./implement.ts";
import { schemaOf } from "./place.ts";
import { accepted, type Checked, refused, type Schema, unexpected } from "./schema.ts";
import { currentSightings } from "./sightings.ts";

/** What may be given for an object under a contract: what `implement` made, an object of one's own, or a stub. */
export type Referable<C extends Contract> = ((Api<C> | Implementation<C>) & ByReferenceMark) | Stub<Api<C>>;

/**
 * A schema for objects that travel as references. With a contract they have its methods and no others, whoever they
 * belong to: an object of one's own need not be made by `implement`, and is offered under the contract. A contract that
 * speaks of itself is given as a function.
 *
 * @example
 * const bank = defineContract({ account: method([z.string()], reference(account)) });
 */
export function reference(): Schema<ByReferenceMark | Stub<unknown>, Stub<unknown>>;
export function reference<C extends Contract>(contract: C | (() => C)): Schema<Referable<C>, Remote<Api<C>>>;
export function reference(contract?: Contract | (() => Contract)): Schema {
  let terms: Terms | undefined;
  const agreed = () => {
    terms ??= contract && termsOf(typeof contract === "function" ? contract() : contract);
    return terms;
  };
  if (typeof contract === "object") agreed();
  return schemaOf({
    arriving: (value) => arriving(value, agreed()),
    leaving: (value) => leaving(value, agreed()),
    calledBy: () => agreed()?.caller ?? "any",
  });
}

function arriving(value: unknown, terms: Terms | undefined): Checked {
  if (!isObject(value) || !currentSightings()?.has(value)) return unexpected(anObject, value);
  if (isRemote(value)) return underTerms(value, terms);
  const home = homeOf(value);
  if (home && (!terms || home.terms === terms)) return accepted(home.object ?? value);
  return terms ? refused("expected an object of another type") : accepted(value);
}

function leaving(value: unknown, terms: Terms | undefined): Checked {
  if (!isObject(value)) return unexpected(anObject, value);
  if (isRemote(value)) return underTerms(value, terms);
  if (!terms) return isMarked(value) ? accepted(value) : unexpected(anObject, value);
  if (homeOf(value)?.terms === terms) return accepted(value);
  return isMarked(value) || terms.offered.has(value) ? offered(value, terms) : unexpected(anObject, value);
}

function offered(value: object, terms: Terms): Checked {
  try {
    return accepted(offeredUnder(terms, value));
  } catch (error) {
    if (error instanceof RpcError) return refused(error.detail);
    throw error;
  }
}

function underTerms(value: object, terms: Terms | undefined): Checked {
  return accepted(terms ? underContract(value, terms.caller) : value);
}

const anObject = "an object by reference";

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
