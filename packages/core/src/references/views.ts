/** Looks at a far object: the same reference, with its methods called in another manner. */
import type { Remote } from "../types/remote.ts";
import type { CallOptions } from "../types/session.ts";
import type { Oneway } from "../types/views.ts";
import { checkedOptions, optionsKey } from "./call-options.ts";
import type { CallerContract } from "./contracts.ts";
import { invalidStub, viewOf } from "./stub.ts";
import { createStub, stubUnder } from "./stub-proxy.ts";

/**
 * A view of a stub whose calls carry `options`: the same reference, with the view's options added to those it has.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub or `timeoutMs` is not a positive number.
 * @example
 * const patient = withOptions(report, { timeoutMs: 60_000, signal: controller.signal });
 */
export function withOptions<R>(remote: R, options: CallOptions): R {
  const seen = viewOf(remote);
  if (seen) return createStub(seen.reference, { ...seen, options: checkedOptions(seen.options, options) }) as R;
  const view = (remote as { readonly [optionsKey]?: (more: CallOptions) => R } | null | undefined)?.[optionsKey];
  if (typeof view !== "function") throw invalidStub("withOptions");
  return view(options);
}

/**
 * A view of a stub whose calls nobody waits for: a method's promise is fulfilled, with nothing, when the call is accepted
 * for sending. Calls keep their order, and their number is held to what the peer takes, as that of others is. What the
 * method returns is dropped; what it throws, or why it was refused, is told to `onError`.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 * @example
 * await oneway(log).write("started");
 */
export function oneway<T>(remote: Remote<T>): Oneway<T> {
  const seen = viewOf(remote);
  if (!seen) throw invalidStub("oneway", remote);
  return createStub(seen.reference, { ...seen, isOneway: true }) as Oneway<T>;
}

/**
 * A far object as a contract of this side sees it: calls go by the contract. Later calls give the same; another contract
 * gives another, and the stub itself stays without.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 */
export function underContract(remote: unknown, contract: CallerContract): object {
  const seen = viewOf(remote);
  if (!seen) throw invalidStub("a contract");
  if (seen.contract === contract) return remote as object;
  return stubUnder(seen.reference, contract);
}
