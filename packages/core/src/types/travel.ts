/**
 * What a trip does to a value's type: `FromAfar` where it arrives from the other side, `ToAfar` where it is given to
 * it. Data stays the type it is; only types that hold a function, a marked object or a stream somewhere change.
 *
 * TypeScript can't tell an unmarked class instance from a plain object, so both read as data: fields by value, the
 * functions among them as references. (When it runs, the instance is refused, naming the path.) A promise inside data
 * can't travel: `never`.
 */
import type { ByReferenceMark } from "../values/marks.ts";
import type { AnyFunction } from "./method.ts";
import type { RegisteredValues, Remote, Stub } from "./remote.ts";

/** A value as it arrives: functions and marked objects as remotes, what is iterated asynchronously as an iterator. */
export type FromAfar<T> = T extends Primitive ? T : unknown extends T ? T : Named<T, Trip<T, "from">, "from">;

/** What may be given where the far side declares `T`: the value as declared, or remotes of what it refers to. */
export type ToAfar<T> = T extends Primitive ? T : unknown extends T ? T : Named<T, Trip<T, "to">, "to">;

/** `ToAfar` of each in a list of parameters. */
export type ListToAfar<A extends readonly unknown[]> = A extends readonly Primitive[]
  ? A
  : { [I in keyof A]: ToAfar<A[I]> };

type ListFromAfar<A extends readonly unknown[]> = A extends readonly Primitive[]
  ? A
  : { [I in keyof A]: FromAfar<A[I]> };

// biome-ignore lint/suspicious/noConfusingVoidType: what a method without a result is declared to return.
type Primitive = string | number | boolean | bigint | undefined | null | void;

/** Copied whole: nothing inside them is looked at. */
type Atom =
  | Date
  | RegExp
  | URL
  | Error
  | ArrayBuffer
  | ArrayBufferView
  | AbortSignal
  | RegisteredValues[keyof RegisteredValues];

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

/** One row for each kind of value; the last is arrays, tuples and plain objects, and the shortcut for flat ones. */
type Trip<T, Way> = T extends Primitive
  ? T
  : unknown extends T
    ? T
    : T extends AnyFunction | ByReferenceMark | Stub<unknown>
      ? Reference<T, Way>
      : T[keyof T] extends Primitive
        ? T
        : T extends Atom
          ? T
          : T extends ReadableStream<infer Item>
            ? ReadableStream<Trip<Item, Way>>
            : T extends AsyncIterable<infer Item> | Generator<infer Item>
              ? Iteration<Trip<Item, Way>, Way>
              : T extends ReadonlyMap<infer Key, infer Value>
                ? T extends Map<Key, Value>
                  ? Map<Trip<Key, Way>, Trip<Value, Way>>
                  : ReadonlyMap<Trip<Key, Way>, Trip<Value, Way>>
                : T extends ReadonlySet<infer Item>
                  ? T extends Set<Item>
                    ? Set<Trip<Item, Way>>
                    : ReadonlySet<Trip<Item, Way>>
                  : T extends PromiseLike<unknown>
                    ? never
                    : { [K in keyof T]: Trip<T[K], Way> };

type Iteration<Item, Way> = Way extends "from" ? AsyncIterableIterator<Item> : AsyncIterable<Item>;

/** What arrives is always a remote. What is given may be the thing itself or a remote of it. */
type Reference<T, Way> = Way extends "from"
  ? T extends Stub<unknown>
    ? T
    : Remote<T>
  : T extends Stub<infer Original>
    ? T | Local<Original>
    : T extends AnyFunction
      ? Local<T>
      : T | Remote<T>;

/**
 * What a program gives of its own for `T`: for a function, one that takes what arrives, synchronous or not; remotes of
 * such functions fit too.
 */
type Local<T> = T extends (...args: infer A) => infer R ? (...args: ListFromAfar<A>) => Returned<Awaited<R>> : T;

/** A function that nobody expects a value from may return anything. */
// biome-ignore lint/suspicious/noConfusingVoidType: only a return type of void takes functions that return something.
type Returned<R> = [R] extends [void] ? void : ToAfar<R> | Promise<ToAfar<R>>;
