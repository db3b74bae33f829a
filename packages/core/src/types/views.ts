/** Other looks at the same far object: calls without replies, and calls on results that have not arrived. */
import type { AnyFunction, Settled } from "./method.ts";
import type { OfferedName, Stub } from "./remote.ts";
import type { FromAfar, ListToAfar } from "./travel.ts";

/** `T` from afar where nobody waits for replies: each method's promise is fulfilled when the call is accepted for sending. */
export type Oneway<T> = Stub<T> &
  (T extends AnyFunction ? OnewayMethod<T> : { readonly [K in keyof T as OfferedName<K, T[K]>]: OnewayMethod<T[K]> });

/**
 * `T` from afar where a result can be called before it is there: each step is awaitable, and has the methods of the
 * object it will be.
 *
 * @example
 * const name = await pipeline(bank).account(7).owner().name();
 */
export type Pipelined<T> = T extends AnyFunction
  ? PipelinedMethod<T>
  : { readonly [K in keyof T as OfferedName<K, T[K]>]: PipelinedMethod<T[K]> };

/** A result on its way: the promise of it, and what can be called on it already. */
type Step<R> = Promise<FromAfar<R>> & ResultOfType<FromAfar<R>> & Steps<NonNullable<FromAfar<R>>>;

/** What a step may be given for. A plain promise is none: it could not be sent. */
interface ResultOfType<R> {
  readonly [resultType]: R;
}
declare const resultType: unique symbol;

/** Arguments of a pipelined call: as of any, or results on their way. */
type PipelinedArguments<A extends readonly unknown[]> = {
  [I in keyof A]: ListToAfar<A>[I & keyof ListToAfar<A>] | ResultOfType<FromAfar<A[I]>>;
};

// Overloads have their last signature here, as TypeScript's own `Parameters` has.
type OnewayMethod<F> = F extends (...args: infer A) => unknown ? (...args: ListToAfar<A>) => Promise<void> : F;

type PipelinedMethod<F> = F extends (...args: infer A) => infer R
  ? (...args: PipelinedArguments<A>) => Step<Settled<R>>
  : F;

/** Only what arrives as a remote can be called while it is on its way. */
type Steps<Arrived> = Arrived extends Stub<infer Original> ? Pipelined<Original> : unknown;
