/**
 * Which methods an object offers: a table read from property descriptors when the object is first exported. At call time
 * a name from a peer is looked up in that table and nowhere else; no getter runs, no prototype chain is walked.
 */
import { RpcError } from "../errors/rpc-error.ts";
import { maxNameBytes } from "../wire/names.ts";

// biome-ignore lint/complexity/noBannedTypes: a method of unknown signature, only ever called through Reflect.apply.
export type Method = Function;
export type MethodTable = ReadonlyMap<string, Method>;

/** Builds each class's table once. */
export class MethodTables {
  readonly #isPlatformPrototype: (prototype: object) => boolean;
  readonly #byPrototype = new WeakMap<object, MethodTable>();

  /** `isPlatformPrototype` knows the prototypes of the platform's own modules, which offer nothing. */
  constructor(isPlatformPrototype: (prototype: object) => boolean) {
    this.#isPlatformPrototype = isPlatformPrototype;
  }

  /** The methods of an object. @throws RpcError `unsupported-value` when it has a method named `then` */
  of(object: object): MethodTable {
    if (isPlain(object)) return ownMethods(object);
    const prototype: object | null = Object.getPrototypeOf(object);
    return prototype && !Array.isArray(object) ? this.#ofPrototype(prototype) : new Map();
  }

  #ofPrototype(prototype: object): MethodTable {
    const known = this.#byPrototype.get(prototype);
    if (known) return known;
    const table = this.#inherited(prototype);
    this.#byPrototype.set(prototype, table);
    return table;
  }

  /** What the program's own classes declare, the base class's methods overridden by its heirs'. */
  #inherited(prototype: object): MethodTable {
    if (this.#isForeign(prototype)) return new Map();
    const parent: object | null = Object.getPrototypeOf(prototype);
    const table = new Map(parent ? this.#ofPrototype(parent) : []);
    for (const [name, descriptor] of offeredDescriptors(prototype)) {
      // An accessor or a field that overrides a method takes it back.
      if (typeof descriptor.value === "function") table.set(name, descriptor.value);
      else table.delete(name);
    }
    return refuseThen(table);
  }

  #isForeign(prototype: object): boolean {
    const maker: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
    const isBuiltIn = typeof maker === "function" ? isNative(maker) : hasNativeMethod(prototype);
    return isBuiltIn || this.#isPlatformPrototype(prototype);
  }
}

/** Whether an object offers its own function properties, not what a class declares. */
export function isPlain(object: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(object);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf"));
}

function ownMethods(object: object): MethodTable {
  const table = new Map<string, Method>();
  for (const [name, descriptor] of offeredDescriptors(object)) {
    if (typeof descriptor.value === "function") table.set(name, descriptor.value);
  }
  return refuseThen(table);
}

function* offeredDescriptors(object: object): Iterable<[string, PropertyDescriptor]> {
  for (const name of Object.getOwnPropertyNames(object)) {
    if (!isOfferable(name)) continue;
    const descriptor = Object.getOwnPropertyDescriptor(object, name);
    if (descriptor) yield [name, descriptor];
  }
}

/** Whether a method of this name is ever offered. `#name` is what policies know the lookup of a published name by. */
export function isOfferable(name: string): boolean {
  return name !== "constructor" && !/^[_#]/.test(name) && name.length <= maxNameBytes;
}

function refuseThen(table: Map<string, Method>): MethodTable {
  if (!table.has("then")) return table;
  const detail = "an object with a method named then would be taken for a promise; rename the method";
  throw new RpcError("unsupported-value", detail, "not-sent");
}

/** Built-in functions, and those of a browser's own classes, have no source to show. */
function isNative(value: Method): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(value));
}

function hasNativeMethod(prototype: object): boolean {
  return Object.values(Object.getOwnPropertyDescriptors(prototype)).some(
    ({ value }) => typeof value === "function" && isNative(value),
  );
}
