/** How a program tells farref of its classes. Nothing is global: what these make goes into the `types` of an endpoint. */
import { printable } from "../errors/printable.ts";
import { RemoteError } from "../errors/remote-error.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { standardExtensions } from "./extensions.ts";
import { isMarked } from "./marks.ts";
import { packError, unpackError } from "./registered-errors.ts";
import { PackedType } from "./registered-types.ts";
import { iteratesAsynchronously } from "./streams.ts";
import { UnknownValue } from "./unknown-values.ts";
import { invalidType, type ValueType } from "./value-type.ts";

/**
 * Makes instances of a class travel as data: `pack` turns one into any value that can be sent, `unpack` makes one of it on
 * the other side. Both sides pass the type, under the same name, as `types` to `startService` and `connect`.
 *
 * `unpack` gets what the peer sent: it may be anything, and what `unpack` throws fails that call alone
 * (`invalid-argument`). Both run synchronously, and `pack` may run more than once for one call. Instances of a subclass
 * are no instances of the class: register it too.
 *
 * @throws RpcError `invalid-argument` for a name that is not 1 to 64 printable characters, and for a class that travels in
 * a way of its own: a built-in one, one that extends `ByReference`, one that iterates asynchronously.
 * @example
 * const money = registerValue(Money, {
 *   name: "money",
 *   pack: ({ cents, currency }) => ({ cents, currency }),
 *   unpack: (data) => Money.from(data),
 * });
 * await connect<Shop>("tcp://127.0.0.1:8787", { types: [money] });
 */
export function registerValue<V, W>(
  Class: { readonly prototype: V },
  options: { readonly name: string; pack(value: V): W; unpack(data: unknown): V },
): ValueType {
  const prototype = checkedPrototype(Class);
  if (typeof options?.pack !== "function" || typeof options.unpack !== "function") {
    throw invalidType("registerValue: expected the functions pack and unpack");
  }
  checkName(options.name);
  return new PackedType({
    name: options.name,
    prototype,
    isThrowable: false,
    pack: (value) => options.pack(value as V), // an instance, as its prototype says
    unpack: (data) => options.unpack(data),
  });
}

/**
 * Makes errors of a class keep it, thrown by a method or as data: name, message, cause and own properties travel, all that
 * are enumerable or those named in `fields`. Both sides pass the type, under the same name, as `types`; that is the class's
 * unless `name` says otherwise, as it should where code is minified.
 *
 * An error arrives without its constructor being run: this is for classes that keep what they know in properties, not in
 * `#private` ones. Nor does it say, as an `RpcError` or a `RemoteError` does, that the method ran. A caller that lacks the
 * class gets a `RemoteError`.
 *
 * @throws RpcError `invalid-argument` for a name that is not 1 to 64 printable characters, and for a class that is built
 * in or farref's own.
 * @example
 * class OutOfStock extends Error { constructor(readonly left: number) { super(`only ${left} left`); } }
 * const outOfStock = registerError(OutOfStock);
 */
export function registerError(
  Class: new (...args: never[]) => Error,
  options: { readonly name?: string | undefined; readonly fields?: readonly string[] | undefined } = {},
): ValueType {
  const prototype = checkedPrototype(Class);
  const { name = Class.name, fields } = options;
  if (!(prototype instanceof Error)) throw invalidType("registerError: expected a class that extends Error");
  checkName(name);
  checkFields(fields);
  return new PackedType({
    name,
    prototype,
    isThrowable: true,
    pack: (error) => packError(error as Error, fields), // an instance, as its prototype says
    unpack: (data) => unpackError(data, prototype, fields),
  });
}

function checkedPrototype(Class: { readonly prototype: unknown }): object {
  const prototype: unknown = Class?.prototype;
  if (typeof prototype !== "object" || prototype === null) throw invalidType("expected a class to register");
  const why = travelsAlready(prototype);
  if (why) throw invalidType(`this class can't be registered: ${why}`);
  return prototype;
}

function travelsAlready(prototype: object): string | undefined {
  if (isBuiltIn(prototype)) return "farref has its own way with it";
  if ([RpcError, RemoteError].some((Own) => isOfClass(prototype, Own.prototype))) return "it is farref's own";
  if (isMarked(prototype)) return "its instances travel by reference";
  if (iteratesAsynchronously(prototype)) return "its instances travel as streams";
  return "then" in prototype ? "its instances would be taken for promises" : undefined;
}

/** Classes without a row that farref has its own way with, or none. Others that are built in may be registered, as `Headers`. */
const withoutRow =
  "Object Array Uint8Array Function Promise WeakMap WeakSet WeakRef Number String Boolean BigInt Symbol SharedArrayBuffer ReadableStream AbortSignal".split(
    " ",
  );

function isBuiltIn(prototype: object): boolean {
  // Global constructors by name: there is no type for that.
  const globals = globalThis as unknown as Record<string, { readonly prototype?: unknown } | undefined>;
  const hasRow = standardExtensions.some((row) => row.prototypes.includes(prototype));
  return hasRow || withoutRow.some((name) => globals[name]?.prototype === prototype);
}

function isOfClass(prototype: object, own: object): boolean {
  return prototype === own || Object.prototype.isPrototypeOf.call(own, prototype);
}

/** @throws RpcError `invalid-argument` */
function checkName(name: string): void {
  new UnknownValue(name, undefined);
  if (printable(name) !== name || !name.isWellFormed()) throw invalidType("expected a type's name that can be printed");
}

function checkFields(fields: readonly string[] | undefined): void {
  if (fields === undefined) return;
  const isList = Array.isArray(fields) && fields.every((field) => typeof field === "string");
  if (!isList || new Set(fields).size < fields.length) throw invalidType("fields: expected a list of different names");
  if (fields.includes("stack")) throw invalidType("fields: a stack travels with exposeStacks only");
}
