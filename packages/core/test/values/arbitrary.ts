/**
 * Generated values: anything that is copied, in containers of such values, the same object in several places. What fails is
 * printed with the seed and the path that lead to it again.
 */
import fc from "fast-check";
import { views } from "./table.ts";

export const seed = 20_240_607;

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom("then", "__proto__", "constructor", ""),
);
const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
const bytes = fc.uint8Array({ maxLength: 300 });
const number = fc.oneof(fc.integer(), fc.double(), fc.integer({ min: 0, max: 0xffff_ffff }), fc.maxSafeInteger());
const bigint = fc.oneof(
  fc.bigInt({ min: -(2n ** 64n) - 2n, max: 2n ** 64n + 2n }),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.constantFrom(2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 53n),
);

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, false),
  number,
  text,
  codeUnits,
  bigint,
  fc.date({ noInvalidDate: false }),
  fc.constantFrom("a", "a|b", "(?<x>.)", "").chain((source) =>
    fc.tuple(fc.subarray([..."dgimsuy"]), fc.nat(100)).map(([flags, lastIndex]) => {
      return Object.assign(new RegExp(source, flags.join("")), { lastIndex });
    }),
  ),
  fc.webUrl({ withQueryParameters: true }).map((href) => new URL(href)),
);

/** Views of every kind, out of the middle of their memory. */
const binary = fc.oneof(
  bytes,
  bytes.map((given) => Buffer.from(given)),
  bytes.map((given) => given.slice().buffer),
  fc
    .tuple(fc.uint8Array({ minLength: 24, maxLength: 80 }), fc.nat(1), fc.nat(2), fc.nat(10))
    .map(
      ([memory, offset, length, kind]) => new (views[kind] ?? Uint8Array)(memory.slice().buffer, 8 * offset, length),
    ),
  fc
    .tuple(fc.uint8Array({ minLength: 8, maxLength: 20 }), fc.nat(4), fc.nat(4))
    .map(([memory, offset, length]) => new DataView(memory.slice().buffer, offset, length)),
);
const errorKinds = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError] as const;

/** Any value that is copied, containers of such values and the same object in several places included. */
export const { value } = fc.letrec<{ value: unknown; error: unknown; shared: unknown; cyclic: unknown }>((tie) => {
  const list = fc.array(tie("value"), { maxLength: 5 });
  const entries = fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 });
  const fields = fc.dictionary(text, tie("value"), { maxKeys: 6 });
  return {
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      leaf,
      binary,
      list,
      fc.tuple(list, fc.nat(5)).map(([elements, hole]) => without(elements, hole)),
      fields,
      fields.map((given) => ({ ...given, again: given })),
      entries.map((given) => new Map(given)),
      list.map((members) => new Set(members)),
      tie("error"),
      tie("shared"),
      tie("cyclic"),
    ),
    error: fc.oneof(
      fc
        .tuple(text, tie("value"), fc.nat(6))
        .map(([message, cause, kind]) => new errorKinds[kind]!(message, { cause })),
      fc.tuple(list, text).map(([errors, message]) => new AggregateError(errors, message)),
      fc
        .tuple(text, text, tie("value"))
        .map(([message, code, data]) => Object.assign(new Error(message), { code, data })),
    ),
    shared: tie("value").map((given) => [given, new Map([[given, given]]), { given }]),
    cyclic: fc.tuple(fields, tie("value")).map(([object, held]) => Object.assign(object, { round: [object, held] })),
  };
});

function without(elements: unknown[], hole: number): unknown[] {
  if (hole < elements.length) delete elements[hole];
  return elements;
}
