/** What can't be sent, and what to do instead: asked only once a value is known to be refused. */
import { type Refusal, unsupported } from "./refusal.ts";

const cures: readonly (readonly [kind: string, cure: string])[] = [
  ["Promise", "promises are not copied; await it before sending"],
  ["SharedArrayBuffer", "shared memory is not copied; send a copy of its bytes"],
  ["WeakMap", "a WeakMap can't be copied; send a Map"],
  ["WeakSet", "a WeakSet can't be copied; send a Set"],
  ["WeakRef", "a WeakRef can't be copied; send what it refers to"],
  ["Number", "boxed primitives are not copied; send the number itself"],
  ["String", "boxed primitives are not copied; send the string itself"],
  ["Boolean", "boxed primitives are not copied; send the boolean itself"],
  ["BigInt", "boxed primitives are not copied; send the bigint itself"],
  ["Symbol", "boxed primitives are not copied; send a string"],
  ["ReadableStream", "streams are not copied here; send their content"],
  ["AbortSignal", "an AbortSignal is not copied here; pass { signal } with the options of the call"],
];
const classInstance =
  "class instances are not copied; mark the class with ByReference, use byReference(object) or registerValue";

export function refusalOf(value: object): Refusal {
  const known = cures.find(([kind]) => isKind(value, kind));
  if (known) return unsupported(known[1]);
  if (isIterable(value))
    return unsupported("iterators and generators are not copied here; send an array of their items");
  return unsupported(classInstance);
}

function isKind(value: object, kind: string): boolean {
  const Kind: unknown = Reflect.get(globalThis, kind);
  return typeof Kind === "function" && value instanceof Kind;
}

/** An iterator of the language itself, whose prototypes have no names. */
function isIterable(value: object): boolean {
  return generators.some((prototype) => Object.prototype.isPrototypeOf.call(prototype, value));
}

const generators: readonly object[] = [
  Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())),
  Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})()).constructor.prototype),
];
