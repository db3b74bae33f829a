/** What a contract is as a type: the interface a caller sees, and what an implementation has to have. */
import type { Contract } from "./contract.ts";
import type { MethodSpec } from "./method.ts";
import type { InputOf, OutputOf, Schema } from "./schema.ts";

/**
 * The plain interface that a contract describes: parameters as they are given, results as they leave.
 *
 * @example
 * type Calculator = Api<typeof calculator>; // { readonly add: (a: number, b: number) => number }
 */
export type Api<C> = C extends Contract<infer M> ? { [K in keyof M]: ApiMethod<M[K]> } : never;

type ApiMethod<S> = S extends MethodSpec<infer A, infer R> ? (...args: Arguments<A>) => OutputOf<R> : never;

/**
 * What implements a contract: parameters as schemas put them out, results as schemas take them, at once or as a promise.
 */
export type Implementation<C> = C extends Contract<infer M> ? { [K in keyof M]: ImplementationMethod<M[K]> } : never;

type ImplementationMethod<S> =
  S extends MethodSpec<infer A, infer R> ? (...args: Results<A>) => InputOf<R> | Promise<InputOf<R>> : never;

/** What a list of schemas takes; those at the end that take `undefined` may be left out. */
export type Arguments<A extends readonly Schema[]> = A extends readonly [
  ...infer First extends readonly Schema[],
  infer Last extends Schema,
]
  ? undefined extends InputOf<Last>
    ? [...Arguments<First>, InputOf<Last>?]
    : Inputs<A>
  : Inputs<A>;

type Inputs<A extends readonly Schema[]> = { -readonly [I in keyof A]: InputOf<A[I]> };

/** What a list of schemas puts out. */
export type Results<A extends readonly Schema[]> = { -readonly [I in keyof A]: OutputOf<A[I]> };
