/**
 * Whether two values are the same, to the last thing a program can see: their kinds and prototypes, their own properties
 * with order and enumerability, bytes, and which of the objects in them are one. Runs in Node and in pages.
 */

/** Where and how `actual` differs from `expected`; `undefined` where it does not. */
export function difference(actual: unknown, expected: unknown): string | undefined {
  return compare(actual, expected, { counterparts: new Map(), originals: new Map() });
}

/** Which object stands for which, both ways: each is met once, and then it has to be the same again. */
interface Met {
  readonly counterparts: Map<object, object>;
  readonly originals: Map<object, object>;
}

function compare(actual: unknown, expected: unknown, met: Met): string | undefined {
  if (!isObject(actual) || !isObject(expected)) {
    return Object.is(actual, expected) ? undefined : `: ${print(actual)} instead of ${print(expected)}`;
  }
  const { counterparts, originals } = met;
  if (counterparts.has(expected) || originals.has(actual)) {
    const isSame = counterparts.get(expected) === actual && originals.get(actual) === expected;
    return isSame ? undefined : ": not the object it was elsewhere";
  }
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return ": another prototype";
  counterparts.set(expected, actual);
  originals.set(actual, expected);
  return compareParts(partsOf(actual), partsOf(expected), met);
}

type Part = readonly [step: string | number, value: unknown];

function compareParts(actual: readonly Part[], expected: readonly Part[], met: Met): string | undefined {
  for (const [i, [step, value]] of expected.entries()) {
    const part = actual[i];
    if (part?.[0] !== step) return `: has ${part?.[0]} where ${step} is expected`;
    const found = compare(part[1], value, met);
    if (found !== undefined) return `/${step}${found}`;
  }
  const more = actual[expected.length];
  return more && `: has ${more[0]}, which is not expected`;
}

function isObject(value: unknown): value is object {
  // Functions are what they are, or others.
  return typeof value === "object" && value !== null;
}

function partsOf(object: object): Part[] {
  return [...contents(object), ...ownParts(object)];
}

/** What a built-in object holds beside its properties. */
function contents(object: object): Part[] {
  if (object instanceof Date) return [["time", object.getTime()]];
  if (object instanceof RegExp) return [["regexp", `${object.source}/${object.flags}`]];
  if (object instanceof URL) return [["href", object.href]];
  if (object instanceof Map)
    return [...object].flatMap(([key, value], i) => [part("key", i, key), part("value", i, value)]);
  if (object instanceof Set) return [...object].map((member, i) => part("member", i, member));
  if (object instanceof ArrayBuffer) return [["bytes", textOf(new Uint8Array(object))]];
  if (!ArrayBuffer.isView(object)) return [];
  return [["bytes", textOf(new Uint8Array(object.buffer, object.byteOffset, object.byteLength))]];
}

/** A character for each byte: texts are compared at once. */
function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return text;
}

function part(what: string, i: number, value: unknown): Part {
  return [`${what} ${i}`, value];
}

function ownParts(object: object): Part[] {
  return ownKeys(object).flatMap((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    if (!descriptor) return [];
    const value: unknown = "value" in descriptor ? descriptor.value : "an accessor";
    return [[descriptor.enumerable ? String(key) : `hidden ${String(key)}`, value]];
  });
}

/**
 * The elements of a view are its bytes: there their keys say nothing, and those of a long one are not even listed. An error's
 * stack stays at home, and its properties have no order of their own.
 */
function ownKeys(object: object): (string | symbol)[] {
  const isView = ArrayBuffer.isView(object);
  if (isView && object.byteLength > 1_000) return [];
  const keys = Reflect.ownKeys(object);
  if (isView) return keys.filter((key) => !/^\d+$/.test(String(key)));
  if (!(object instanceof Error)) return keys;
  return keys.filter((key) => key !== "stack").sort((a, b) => (String(a) < String(b) ? -1 : 1));
}

function print(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  return isObject(value) ? Object.prototype.toString.call(value) : String(value);
}
