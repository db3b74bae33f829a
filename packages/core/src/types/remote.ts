/** How an object looks from afar: the type a caller holds in place of the object itself. */
import type { AnyFunction, RemoteMethod } from "./method.ts";

/** Where a stub's type remembers what it stands for. A stub has no such property when it runs: only the compiler looks. */
export const remoteOf: unique symbol = Symbol.for("farref.remoteOf") as never;

/** The local stand-in for a far object or function; disposing it gives up the reference. */
export interface Stub<T> extends Disposable {
  readonly [remoteOf]: T;
}

/**
 * How `T` looks from afar: each method returns a promise, and nothing but methods is left. A function type becomes a
 * function that returns a promise.
 *
 * Gone: private and protected members, names that begin with `_` or `#`, symbols, fields, accessors, and the names a stub
 * answers itself (`then`, `constructor`, `toString`, …). Data stays as it is; functions and objects of `ByReference`
 * classes become remotes where they come back, and may be given as they are or as remotes where they are parameters.
 *
 * @example
 * const calculator: Remote<Calculator> = await connect<Calculator>("tcp://127.0.0.1:8787");
 * const sum: number = await calculator.add(5, 3);
 */
export type Remote<T> = Stub<Itself<T>> & Methods<Itself<T>>;

/**
 * Value classes that travel as data, by any name. Programs add theirs, beside passing `registerValue(…)` as a type.
 *
 * @example
 * declare module "farref" { interface RegisteredValues { money: Money } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be augmented.
export interface RegisteredValues {}

/** The names of `T`'s methods that a far caller may use. */
export type MethodName<T> = string & keyof T & keyof { [K in keyof T as OfferedName<K, T[K]>]: true };

/** The methods of `T` alone, or the function, without what makes it a stub. */
type Methods<T> = T extends AnyFunction
  ? RemoteMethod<T>
  : { readonly [K in keyof T as OfferedName<K, T[K]>]: RemoteMethod<T[K]> };

/** `K` where it names a method that is offered, else `never`. A method may be optional. */
export type OfferedName<K, M> = K extends HiddenName ? never : NonNullable<M> extends AnyFunction ? K : never;

/** What a remote stands for: `Remote<Remote<T>>` is `Remote<T>`. */
type Itself<T> = T extends Stub<infer Original> ? Original : T;

/** What is never offered, and what a stub answers itself, so that awaiting, printing or comparing it makes no call. */
type HiddenName =
  | symbol
  | number
  | `_${string}`
  | `#${string}`
  | "constructor"
  | "prototype"
  | "then"
  | "catch"
  | "finally"
  | "toString"
  | "valueOf"
  | "toJSON"
  | "$$typeof"
  | "asymmetricMatch";
