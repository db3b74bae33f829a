/**
 * Where contracts take hold. Core knows nothing of schemas: at the callee a method may carry a guard, at the caller a
 * reference may carry a contract; both are asked at the right moment of a call.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallOptions } from "../types/session.ts";
import type { Method } from "./method-table.ts";
import { referenceOf } from "./stub.ts";

/** What a contract says of one offered method, at the side that runs it. */
export interface MethodGuard {
  /** What a policy may want to know: `Authorize` gets it as `scope`. */
  readonly scope?: string | undefined;
  /** After this time the method's signal fires, whatever the caller allows. */
  readonly timeoutMs?: number | undefined;
  /** The arguments as the method gets them. @throws RpcError `invalid-argument`, `not-executed` */
  prepare(args: unknown[]): unknown[] | Promise<unknown[]>;
  /** The result as it leaves. @throws RpcError `invalid-result`, `executed` */
  complete(result: unknown): unknown;
}

const guardKey: unique symbol = Symbol.for("farref.methodGuard") as never;

/** Gives a function its guard; the same function, for the method table of the object it is put into. */
export function guardMethod<M extends Method>(method: M, guard: MethodGuard): M {
  return Object.defineProperty(method, guardKey, { value: guard });
}

export function guardOf(method: Method): MethodGuard | undefined {
  return (method as { readonly [guardKey]?: MethodGuard })[guardKey];
}

/** What a contract says of a far object, at the side that calls it. */
export interface CallerContract {
  /** Options of a method's calls, under those that the caller gives. @throws RpcError `not-exposed`, `not-sent` */
  options(method: string): CallOptions | undefined;
  /** The arguments as they are sent: callbacks and references under their own contracts. */
  outgoing(method: string, args: readonly unknown[]): readonly unknown[];
  /** The result as the caller gets it. @throws RpcError `invalid-result`, `executed` */
  incoming(method: string, result: unknown): unknown;
}

/** Binds the reference behind a stub to a contract, unless it has one. @throws RpcError `invalid-argument` for no stub */
export function bindContract(remote: unknown, contract: CallerContract): void {
  const reference = referenceOf(remote);
  if (!reference) throw new RpcError("invalid-argument", "a contract binds remote objects only", "not-sent");
  reference.contract ??= contract;
}
