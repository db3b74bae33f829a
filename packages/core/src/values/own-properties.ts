/** Looking at what an object holds without running any of its code: descriptors, keys, prototypes. */
import { type Refusal, unsupported } from "./refusal.ts";
import { refusalOf } from "./refused-kinds.ts";

const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf } = Object;

/**
 * Arrays up to here have their keys listed, ten nanoseconds for each; of longer ones their values, which costs a third, but
 * runs an accessor beside the elements before the array is refused for it.
 */
const listedElements = 64;

/** Tells an accessor from a value in 15 nanoseconds; a descriptor takes 70. */
const lookupGetter = (Object.prototype as { __lookupGetter__?(key: PropertyKey): unknown }).__lookupGetter__;

/** The value of an own data property. Twenty nanoseconds dearer than reading it: nothing cheaper spares an accessor. */
export function ownValue(object: object, key: string): unknown {
  const property = getOwnPropertyDescriptor(object, key);
  const value: unknown = property?.value;
  if (value === undefined && !(property && "value" in property)) throw accessor();
  return value;
}

/** Whether an accessor that can be read stands in the place of an element. Runs nothing. */
export function isGetter(list: readonly unknown[], index: number): boolean {
  if (lookupGetter) return lookupGetter.call(list, index) !== undefined;
  return getOwnPropertyDescriptor(list, index)?.get !== undefined;
}

export function accessor(): Refusal {
  return unsupported("accessors are not copied; send a plain property, or mark the object with byReference(object)");
}

export function requireNoSymbols(object: object): void {
  const symbols = getOwnPropertySymbols(object);
  if (symbols.length > 0) requireHarmless(object, symbols);
}

/** Symbols that are not enumerable are left at home, but for those that say the object is no plain one at all. */
function requireHarmless(object: object, symbols: readonly symbol[]): void {
  if (symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(object, symbol))) {
    throw unsupported("symbol keys are not copied; use string keys");
  }
  if (symbols.includes(Symbol.toStringTag)) requireClass(object);
  else if (Object.prototype.toString.call(object) === "[object Arguments]") throw refusalOf(object);
}

/** `Math`, `JSON`, `Intl`, …: plain by their prototype, in any realm, but not by the tag of their own. */
function requireClass(object: object): void {
  const prototype: object | null = getPrototypeOf(object);
  if (prototype === null || getPrototypeOf(prototype) !== null) return;
  throw unsupported(
    "an object with a Symbol.toStringTag of its own is not plain data; " +
      "send its properties in a plain one, or mark it with byReference(object)",
  );
}

/**
 * Counts what an array holds, named properties included: with its holes that must make its length, or it has properties
 * beside its elements, such as the `index` of a match.
 */
export function countElements(list: readonly unknown[]): number {
  requireNoSymbols(list);
  return list.length <= listedElements ? Object.keys(list).length : Object.values(list).length;
}

/** Refuses a Map, a Date, … with properties of its own. */
export function requireBare(object: object): void {
  requireNoSymbols(object);
  if (Object.keys(object).length > 0) throw extras();
}

/** The same for a view. One with many elements is not looked at: listing its keys would cost more than sending it. */
export function requireBareView(view: ArrayBufferView, elements: number): void {
  requireNoSymbols(view);
  if (elements <= listedElements && Object.keys(view).length > elements) throw extras();
}

export function extras(): Refusal {
  return unsupported("properties of its own are not copied with a built-in object; send them beside it");
}

/** The built-in prototype of this realm that one of another realm (a frame, a vm context) stands for. */
export function localPrototype(prototype: object): object | undefined {
  const owner: unknown = getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof owner !== "function" || owner.prototype !== prototype) return undefined;
  const name = /^function (\w+)\(\) \{\s*\[native code\]\s*\}$/.exec(Function.prototype.toString.call(owner))?.[1];
  // Global constructors by name: there is no type for that.
  const local = name && (globalThis as unknown as Record<string, { prototype?: object } | undefined>)[name];
  return local && local.prototype !== prototype ? local.prototype : undefined;
}
