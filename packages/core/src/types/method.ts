/** How one method looks from afar: parameters as a caller may give them, the result as a promise of what arrives. */
import type { FromAfar, ListToAfar } from "./travel.ts";

/** Any function. `never` parameters: a function of any parameters extends it. */
export type AnyFunction = (...args: never[]) => unknown;

/**
 * A function as a caller sees it. Where the last signature stands for all, as it does where there is one, it is mapped
 * alone: what else a function may be costs the compiler more.
 */
export type RemoteMethod<F> = F extends (...args: infer A) => infer R
  ? ((...args: [...A, ...NoMore[]]) => R) extends F
    ? (...args: ListToAfar<A>) => Promise<FromAfar<Settled<R>>>
    : OverloadedMethod<F>
  : F;

/** No parameter's type: a signature that ends in it does not stand for one with more parameters. */
interface NoMore {
  readonly [noMore]: never;
}
declare const noMore: unique symbol;

/**
 * A generic or overloaded function. Where every signature is asynchronous and carries data only, it is the same from
 * afar, type parameters and all; else it has up to four signatures, and type parameters become their constraints.
 * (Of fewer than four signatures TypeScript infers the first more than once.)
 */
type OverloadedMethod<F> = F extends {
  (...args: infer A1): infer R1;
  (...args: infer A2): infer R2;
  (...args: infer A3): infer R3;
  (...args: infer A4): infer R4;
}
  ? KeptOr<F, RemoteSignature<A1, R1> & RemoteSignature<A2, R2> & RemoteSignature<A3, R3> & RemoteSignature<A4, R4>>
  : never;

/** One of several signatures from afar. */
type RemoteSignature<A extends readonly unknown[], R> = (...args: ListToAfar<A>) => Promise<FromAfar<Settled<R>>>;

type KeptOr<F, M> = F extends M ? F : M;

/** `Awaited`, for a tenth of what that costs where the result is a promise or data. */
export type Settled<R> = R extends Promise<infer V> ? Settled<V> : R extends PromiseLike<unknown> ? Awaited<R> : R;
