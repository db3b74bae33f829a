/**
 * A serialized object: the original in every respect, but that the methods it offers from afar go by its line. Methods
 * run on the original, so `#private` members work, and a method that returns its object returns the serialized one.
 */
import { guardMethod, guardOf, isOfferable, type Method, type MethodTable, offerInPlaceOf } from "@farref/core";
import type { Line } from "./line.ts";
import { isThenable } from "./turn.ts";

/** Where an object tells its serialized one. */
export const serializedKey: unique symbol = Symbol.for("farref.serialized") as never;
const inspectKey = Symbol.for("nodejs.util.inspect.custom");

/** `table` has what the original offers. */
export function serializedObject(original: object, line: Line, table: MethodTable): object {
  return new SerializedTraps(original, line, table).serialized;
}

/**
 * What is proxied is an object of our own that holds what the original lacks: it may be frozen, and then a proxy of it
 * could not show other methods than it has.
 */
class SerializedTraps implements ProxyHandler<object> {
  readonly serialized: object;
  readonly #original: object;
  readonly #line: Line;
  readonly #table: MethodTable;
  readonly #prototype: object | null;
  readonly #inLine = new WeakMap<Method, Method>();
  readonly #bound = new WeakMap<Method, Method>();

  constructor(original: object, line: Line, table: MethodTable) {
    this.#original = original;
    this.#line = line;
    this.#table = table;
    const shadow = createShadow(original);
    this.serialized = new Proxy(shadow, this);
    Object.defineProperty(shadow, serializedKey, { configurable: true, value: this.serialized });
    this.#prototype = this.#createPrototype();
  }

  get(shadow: object, key: string | symbol): unknown {
    if (Object.hasOwn(shadow, key)) return Reflect.get(shadow, key);
    return this.#shown(key, Reflect.get(this.#original, key, this.#original));
  }

  set(_shadow: object, key: string | symbol, value: unknown): boolean {
    return Reflect.set(this.#original, key, value, this.#original);
  }

  has(_shadow: object, key: string | symbol): boolean {
    return Reflect.has(this.#original, key);
  }

  deleteProperty(_shadow: object, key: string | symbol): boolean {
    return Reflect.deleteProperty(this.#original, key);
  }

  defineProperty(_shadow: object, key: string | symbol, descriptor: PropertyDescriptor): boolean {
    return Reflect.defineProperty(this.#original, key, descriptor);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.#original);
  }

  getOwnPropertyDescriptor(_shadow: object, key: string | symbol): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(this.#original, key);
    if (!descriptor) return undefined;
    if ("value" in descriptor) descriptor.value = this.#shown(key, descriptor.value);
    // The original may be frozen, its stand-in is not.
    return { ...descriptor, configurable: true };
  }

  getPrototypeOf(): object | null {
    return this.#prototype;
  }

  setPrototypeOf(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }

  apply(_shadow: object, self: unknown, args: unknown[]): unknown {
    return this.#enter(this.serialized as Method, this.#original as Method, self, args);
  }

  construct(_shadow: object, args: unknown[], maker: Method): object {
    const original = this.#original as Method;
    return Reflect.construct(original, args, maker === this.serialized ? original : maker);
  }

  /** A value of the original as a program sees it: methods in line, other inherited functions on the original. */
  #shown(key: string | symbol, value: unknown): unknown {
    if (typeof value !== "function") return value;
    if (this.#offers(key)) return this.#methodInLine(value);
    const isValue = typeof this.#original === "function" || key === "constructor" || Object.hasOwn(this.#original, key);
    return isValue ? value : this.#methodOfOriginal(value);
  }

  /** A plain object offers its own functions, also those that it is given later. */
  #offers(key: string | symbol): boolean {
    if (typeof key !== "string") return false;
    if (isPlain(this.#original)) return isOfferable(key) && Object.hasOwn(this.#original, key);
    return this.#table.has(key);
  }

  #methodInLine(method: Method): Method {
    let inLine = this.#inLine.get(method);
    if (!inLine) {
      inLine = this.#putInLine(method);
      this.#inLine.set(method, inLine);
    }
    return inLine;
  }

  /** A method under a contract keeps its guard: what waits in line has been validated. */
  #putInLine(method: Method): Method {
    const inLine: Method = (...args: unknown[]) => this.#enter(inLine, method, this.#original, args);
    Object.defineProperty(inLine, "name", { configurable: true, value: method.name });
    const guard = guardOf(method);
    return guard ? guardMethod(inLine, guard) : inLine;
  }

  #enter(inLine: Method, method: Method, self: unknown, args: unknown[]): unknown {
    return this.#line.enter(inLine, () => {
      const result: unknown = Reflect.apply(method, self, args);
      if (!isThenable(result)) return this.#returned(result);
      // What is no promise may call back twice, throw, or return nothing: a promise of it does not.
      return Promise.resolve(result).then((value) => this.#returned(value));
    });
  }

  /** `return this` must not let the caller past the line. */
  #returned(value: unknown): unknown {
    return value === this.#original ? this.serialized : value;
  }

  #methodOfOriginal(method: Method): Method {
    let bound = this.#bound.get(method);
    if (!bound) {
      const { serialized } = this;
      const original = this.#original;
      bound = function (this: unknown, ...args: unknown[]) {
        return Reflect.apply(method, this === serialized ? original : this, args);
      };
      this.#bound.set(method, bound);
    }
    return bound;
  }

  /** Between the object and its class: where whoever serves it finds its methods. */
  #createPrototype(): object | null {
    const prototype: object | null = Object.getPrototypeOf(this.#original);
    if (isPlain(this.#original) || typeof this.#original === "function") return prototype;
    const own: object = Object.create(prototype);
    const maker = prototype && Object.getOwnPropertyDescriptor(prototype, "constructor");
    if (maker) Object.defineProperty(own, "constructor", maker);
    for (const [name, method] of this.#table) {
      Object.defineProperty(own, name, { configurable: true, writable: true, value: this.#methodInLine(method) });
    }
    return own;
  }
}

/** It is held and disposed as the original, and printed as it; it can be called if the original can. */
function createShadow(original: object): object {
  const shadow: object = typeof original === "function" ? createCallable() : {};
  Reflect.deleteProperty(shadow, "name");
  Reflect.deleteProperty(shadow, "length");
  Object.defineProperty(shadow, inspectKey, { configurable: true, value: () => original });
  return offerInPlaceOf(shadow, original);
}

/** With everything that a proxy may have to do, and, being bound, without a property that it would have to show. */
function createCallable(): Method {
  const Callable = class {};
  return Callable.bind(undefined);
}

function isPlain(object: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(object);
  return prototype === null || prototype === Object.prototype;
}
