/**
 * What a trip does to a value's type: `FromAfar` where it arrives from the other side, `ToAfar` where it is given to
 * it. Data stays the type it is; only types that hold a function, a marked object or a stream somewhere change.
 *
 * TypeScript can't tell an unmarked class instance from a plain object, so both read as data: fields by value, the
 * functions among them as references. (When it runs, the instance is refused, naming the path.) A promise inside data
 * can't travel: `never`.
 *
 * The order of the questions is what keeps the compiler fast: `scripts/type-cost.mjs` measures it.
 */
import type { ByReferenceMark } from "../values/marks.ts";
import type { AnyFunction, Settled } from "./method.ts";
import type { RegisteredValues, Remote, Stub } from "./remote.ts";

/** A value as it arrives: functions and marked objects as remotes, what is iterated asynchronously as an iterator. */
export type FromAfar<T> = T extends Primitive
  ? T
  : T extends Referenced
    ? Arriving<T>
    : T[keyof T] extends Primitive
      ? T
      : Named<T, Copy<T, "from">, "from">;

/** What may be given where the far side declares `T`: the value as declared, or remotes of what it refers to. */
type ToAfar<T> = T extends Primitive
  ? T
  : T extends Referenced
    ? Given<T>
    : T[keyof T] extends Primitive
      ? T
      : Named<T, Copy<T, "to">, "to">;

/** `ToAfar` of each in a list of parameters. */
export type ListToAfar<A extends readonly unknown[]> = A extends readonly Primitive[]
  ? A
  : { [I in keyof A]: ToAfar<A[I]> };

type ListFromAfar<A extends readonly unknown[]> = A extends readonly Primitive[]
  ? A
  : { [I in keyof A]: FromAfar<A[I]> };

// biome-ignore lint/suspicious/noConfusingVoidType: what a method without a result is declared to return.
type Primitive = string | number | boolean | bigint | undefined | null | void;

type Referenced = AnyFunction | ByReferenceMark | Stub<unknown>;

/** What arrives is always a remote. */
type Arriving<T> = T extends Stub<unknown> ? T : Remote<T>;

/** What is given may be the thing itself or a remote of it; a function of one's own takes what arrives. */
type Given<T> = T extends AnyFunction ? Local<T> : T extends Stub<infer Original> ? T | Local<Original> : T | Remote<T>;

/** What a program gives of its own for `T`: a function may be synchronous or not. Remotes of such functions fit too. */
type Local<T> = T extends (...args: infer A) => infer R ? (...args: ListFromAfar<A>) => Returned<Settled<R>> : T;

/** A function that nobody expects a value from may return anything. */
// biome-ignore lint/suspicious/noConfusingVoidType: only a return type of void takes functions that return something.
type Returned<R> = [R] extends [void] ? void : ToAfar<R> | Promise<ToAfar<R>>;

/**
 * Named types stay named: the mapped copy `M` takes the place of `T`, or of a stream's items, only where it differs.
 * Asked of the outermost type alone, for a recursive type would ask about itself within itself.
 */
type Named<T, M, Way> = [T, M] extends [M, T]
  ? T
  : [T, M] extends [AsyncIterable<infer Item>, AsyncIterable<infer Moved>]
    ? [Item, Moved] extends [Moved, Item]
      ? Iteration<Item, Way>
      : M
    : M;

type Iteration<Item, Way> = Way extends "from" ? AsyncIterableIterator<Item> : AsyncIterable<Item>;

/** A part of what is copied. */
type Part<T, Way> = T extends Primitive
  ? T
  : T extends Referenced
    ? Way extends "from"
      ? Arriving<T>
      : Given<T>
    : T[keyof T] extends Primitive
      ? T
      : Copy<T, Way>;

/** Plain objects have no symbols among their keys, which most of what is not one has. */
type Copy<T, Way> = keyof T extends string
  ? T extends ReadableStream | StringKeyedAtom | RegisteredValues[keyof RegisteredValues]
    ? CopyOfOther<T, Way>
    : { [K in keyof T]: Part<T[K], Way> }
  : T extends readonly unknown[]
    ? { [K in keyof T]: Part<T[K], Way> }
    : CopyOfOther<T, Way>;

type StringKeyedAtom = Error | URL | AbortSignal;

/** Copied whole: nothing inside them is looked at. */
type Atom = StringKeyedAtom | Date | RegExp | ArrayBuffer | ArrayBufferView | RegisteredValues[keyof RegisteredValues];

/** One row for each kind of value. */
type CopyOfOther<T, Way> = T extends Atom
  ? T
  : T extends ReadableStream<infer Item>
    ? ReadableStream<Part<Item, Way>>
    : T extends AsyncIterable<infer Item> | Generator<infer Item>
      ? Iteration<Part<Item, Way>, Way>
      : T extends ReadonlyMap<infer Key, infer Value>
        ? T extends Map<Key, Value>
          ? Map<Part<Key, Way>, Part<Value, Way>>
          : ReadonlyMap<Part<Key, Way>, Part<Value, Way>>
        : T extends ReadonlySet<infer Item>
          ? T extends Set<Item>
            ? Set<Part<Item, Way>>
            : ReadonlySet<Part<Item, Way>>
          : T extends PromiseLike<unknown>
            ? never
            : { [K in keyof T]: Part<T[K], Way> };
