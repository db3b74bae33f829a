/**
 * Where contracts take hold. Core knows nothing of schemas: at the callee a method may carry a guard, at the caller a
 * stub may be under a contract (`underContract`); both are asked at the right moment of a call.
 */
import type { CallOptions } from "../types/session.ts";
import type { Method } from "./method-table.ts";

/** What a contract says of one offered method, at the side that runs it. */
export interface MethodGuard {
  /** What a policy may want to know: `Authorize` gets it as `scope`. */
  readonly scope?: string | undefined;
  /** After this time the method's signal fires, whatever the caller allows. */
  readonly timeoutMs?: number | undefined;
  /**
   * The arguments as the method gets them. `references` are the stubs, and objects come home, that arrived in them.
   * @throws RpcError `invalid-argument`, `not-executed`
   */
  prepare(args: unknown[], references: readonly unknown[]): unknown[] | Promise<unknown[]>;
  /** The result as it leaves, in a `Leaving` where it is no plain value. @throws RpcError `invalid-result`, `executed` */
  complete(result: unknown): unknown;
}

const leavingKey: unique symbol = Symbol.for("farref.leaving") as never;

/**
 * A result, or an item of a stream, as a contract lets it leave: no object by reference, function or stream may stand in
 * it but those that are permitted.
 */
export class Leaving {
  readonly value: unknown;
  readonly #permitted: Set<unknown>;

  constructor(value: unknown, permitted: Iterable<unknown>) {
    this.value = value;
    this.#permitted = new Set(permitted);
  }

  get [leavingKey](): this {
    return this;
  }

  permits(value: unknown): boolean {
    return this.#permitted.has(value);
  }

  /** `other` stands for what is permitted. */
  permitFor(value: unknown, other: unknown): void {
    if (this.permits(value)) this.#permitted.add(other);
  }
}

/** What is sent of a value: what is in a `Leaving`, else itself. */
export function bareOf(value: unknown): unknown {
  const leaving = leavingOf(value);
  return leaving ? leaving.value : value;
}

export function leavingOf(value: unknown): Leaving | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as { readonly [leavingKey]?: Leaving })[leavingKey];
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
  /** @throws RpcError `not-exposed`, `not-sent` for what the contract lacks */
  method(name: string): CallerMethod;
}

/** What it says of one method; a function's only one has the name `""`. */
export interface CallerMethod {
  /** Options of its calls, under those that the caller gives. */
  readonly options: CallOptions | undefined;
  /** Nobody waits for the result: the call is made as by `oneway`. */
  readonly isOneway?: boolean | undefined;
  /** The contract of the object it returns, for calls on a result that is not there yet; `any` for one without. */
  readonly result?: CallerContract | "any" | undefined;
  /** The arguments as they are sent. @throws RpcError `invalid-argument`, `not-sent` */
  outgoing(args: readonly unknown[]): readonly unknown[];
  /** The result as the caller gets it; `references` as in `prepare`. @throws RpcError `invalid-result`, `executed` */
  incoming(result: unknown, references: readonly unknown[]): unknown;
}

const originalKey: unique symbol = Symbol.for("farref.original") as never;

/** Tells that an object only offers the methods of another: that one is held, disposed and revoked in its place. */
export function offerInPlaceOf<T extends object>(offered: T, original: object): T {
  return Object.defineProperty(offered, originalKey, { configurable: true, value: originalOf(original) });
}

/** The object behind one that offers its methods; any other is itself. */
export function originalOf(object: object): object {
  return (object as { readonly [originalKey]?: object })[originalKey] ?? object;
}

const behindKey: unique symbol = Symbol.for("farref.behind") as never;

/** A function that calls `method` on `object` and does nothing beside: whoever calls it calls the method. */
export function boundMethod(object: object, method: Method): Method {
  const self = originalOf(object);
  const bound = (...args: unknown[]) => Reflect.apply(method, self, args);
  return Object.defineProperty(bound, behindKey, { value: method });
}

/** Whether calling `called` is calling `method` and nothing else. */
export function isCallOf(method: Method, called: Method | undefined): boolean {
  for (let next = called; next; next = (next as { readonly [behindKey]?: Method })[behindKey]) {
    if (next === method) return true;
  }
  return false;
}
