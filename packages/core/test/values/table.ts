/**
 * The values that travel, one row for each, and the places in which they stand. Every run takes all rows in all places: the
 * codec alone, sessions over each transport, a page. A row more is a line more, here and nowhere else.
 */

export interface Row {
  readonly name: string;
  /** A fresh one: identity counts. In a page, what of a Node value arrives there. */
  make(): unknown;
  /** `node`: only Node has such a value, a page receives it as another. */
  readonly from: "anywhere" | "node";
}

export interface Wrapping {
  readonly where: string;
  wrap(value: unknown): unknown;
  /** How a refusal names the place. */
  readonly path: string;
}

export const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

export const wrappings: readonly Wrapping[] = [
  { where: "alone", wrap: (value) => value, path: "" },
  { where: "in an object", wrap: (value) => ({ a: { b: value } }), path: ".a.b" },
  { where: "in an object without a prototype", wrap: (value) => bare({ a: value }), path: ".a" },
  { where: "in an array", wrap: (value) => [0, [value]], path: "[1][0]" },
  { where: "as a Map's value", wrap: (value) => new Map([["key", value]]), path: '.get("key")' },
  { where: "as a Map's key", wrap: (value) => new Map([[value, "value"]]), path: "<key 0>" },
  { where: "as a Set's member", wrap: (value) => new Set([value]), path: "<member 0>" },
  { where: "as an error's cause", wrap: (value) => new Error("e", { cause: value }), path: ".cause" },
  { where: "as an error's data", wrap: (value) => Object.assign(new Error("e"), { data: value }), path: ".data" },
  { where: "among an error's errors", wrap: (value) => new AggregateError([value], "e"), path: ".errors[0]" },
  { where: "twice", wrap: (value) => [value, { again: value }], path: "[0]" },
  { where: "in a cycle", wrap: (value) => cyclic(value), path: ".value" },
];

type Named = readonly [name: string, make: () => unknown];

const primitives: readonly Named[] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["true", () => true],
  ["false", () => false],
];

const numbers: readonly Named[] = [
  ...[0, 1, -1, 31, 32, 127, 128, 255, 256, 65_535, 65_536, -32, -33, -128, -129, -32_768, -32_769],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31), -(2 ** 31) - 1],
  ...[2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53) + 1, -(2 ** 53), 2 ** 63, 2 ** 64, -(2 ** 63)],
  ...[0.1, -1.5, 1 / 3, Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON],
  ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
]
  .map((number): Named => [`the number ${number}`, () => number])
  .concat([["the number -0", () => -0]]);

const bigints: readonly Named[] = [
  ...[0n, 1n, 255n, 2n ** 31n, 2n ** 32n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n],
  ...[2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 64n + 1n],
  ...[10n ** 30n, 2n ** 1_000n],
]
  .flatMap((bigint) => (bigint === 0n ? [bigint] : [bigint, -bigint]))
  .map((bigint): Named => [`the bigint ${bigint.toString().slice(0, 40)}`, () => bigint])
  .concat([
    ["the largest bigint", () => 2n ** 8_192n - 1n],
    ["the smallest bigint", () => -(2n ** 8_192n - 1n)],
  ]);

/** Each length at which a header grows, counted in characters, where a character may have several bytes. */
const strings: readonly Named[] = [0, 1, 31, 32, 255, 256]
  .flatMap((length) => [..."aé€😀"].map((character) => [length, character] as const))
  .concat([65_535, 65_536].flatMap((length) => [..."aé"].map((character) => [length, character] as const)))
  .map(([length, character]): Named => [`${length} times ${character}`, () => character.repeat(length)])
  .concat([
    ["a string of many kinds of characters", () => "tëxt😀\u0000\u2028\ufeff".repeat(100)],
    ["a byte order mark", () => "\ufeff"],
    ["a lone high surrogate", () => "a\ud800"],
    ["a lone low surrogate", () => "\udc00a"],
    ["surrogates in the wrong order", () => "\udc00\ud800"],
    ["a long string with a lone surrogate", () => `${"x".repeat(10_001)}\ud800`],
    ["a string that looks like JSON", () => '{"a":1}'],
  ]);

const arrays: readonly Named[] = [
  ["an empty array", () => []],
  ["an array", () => [1, [2, [3, []]]]],
  ["an array of 15", () => Array.from({ length: 15 }, (_, i) => i)],
  ["an array of 16", () => Array.from({ length: 16 }, (_, i) => i)],
  ["an array of 300", () => Array.from({ length: 300 }, (_, i) => `${i}`)],
  ["an array of undefined", () => [undefined, undefined]],
  ["an array of holes", () => new Array(3)],
  ["an array with holes and undefined", () => sparse(5, { 1: 1, 3: undefined })],
  ["an array that ends in a hole", () => sparse(3, { 0: 1 })],
  ["a sparse array", () => sparse(1_000, { 500: "middle" })],
];

const objects: readonly Named[] = [
  ["an empty object", () => ({})],
  ["a plain object", () => ({ a: { b: 1 } })],
  ["an undefined property", () => ({ there: undefined })],
  ["properties in their order", () => ({ b: 1, a: 2, c: { z: 1, y: 2 } })],
  ["keys that are numbers", () => ({ 2: "b", 1: "a", "-1": "c", "01": "d" })],
  ["odd keys", () => ({ "": 1, constructor: 2, prototype: 3, toString: 4, é: 5, "\ud800": 6, "a.b": 7 })],
  ["long keys", () => ({ ["x".repeat(31)]: 1, ["x".repeat(32)]: 2, ["é".repeat(300)]: 3 })],
  ["the key __proto__", () => JSON.parse('{"__proto__":{"polluted":true},"a":1}')],
  ["data named then", () => JSON.parse('{"then":1,"catch":2,"finally":3,"toJSON":4}')],
  ["an object of 300 properties", () => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, i]))],
  ["an object without a prototype", () => bare({ a: [1] })],
  ["an empty object without a prototype", () => bare({})],
  ["the keys of Object.prototype without a prototype", () => bare({ constructor: 1, hasOwnProperty: 2 })],
  ["the key __proto__ without a prototype", () => bare(JSON.parse('{"__proto__":1}'))],
];

const builtIns: readonly Named[] = [
  ["a Date", () => new Date(1_234)],
  ["a Date before 1970", () => new Date(-1)],
  ["the last Date", () => new Date(8.64e15)],
  ["the first Date", () => new Date(-8.64e15)],
  ["an invalid Date", () => new Date(Number.NaN)],
  ["a RegExp", () => /a\/b\n/giu],
  ["a RegExp of all flags", () => regexp("(?<year>\\d{4})", "dgimsuy")],
  ["a RegExp of Unicode sets", () => regexp("[a--b]", "v")],
  ["an empty RegExp", () => /(?:)/],
  ["a RegExp at work", () => Object.assign(/a/g, { lastIndex: 4 })],
  ["a URL", () => new URL("https://user:pass@exämple.org:8080/p a?q=é#h")],
  ["a file URL", () => new URL("file:///etc/hosts")],
  ["a data URL", () => new URL(`data:text/plain,${"x".repeat(1_000)}`)],
  ["a URL without a host", () => new URL("mailto:a@b.example")],
];

const collections: readonly Named[] = [
  ["an empty Map", () => new Map()],
  [
    "a Map",
    () =>
      new Map<unknown, unknown>([
        ["a", 1],
        [{ k: 1 }, new Map([[undefined, Number.NaN]])],
      ]),
  ],
  [
    "a Map of odd keys",
    () => new Map<unknown, unknown>([undefined, null, Number.NaN, 0, "0", 0n, "", false].map((key) => [key, key])),
  ],
  [
    "a Map of objects as keys",
    () =>
      new Map<object, number>([
        [[], 1],
        [[], 2],
        [{}, 3],
        [new Date(5), 4],
        [new Map(), 5],
      ]),
  ],
  ["the key __proto__ of a Map", () => new Map([["__proto__", { polluted: true }]])],
  ["an empty Set", () => new Set()],
  ["a Set", () => new Set<unknown>([1, "1", 1n, { a: 1 }, { a: 1 }, Number.NaN, undefined])],
  ["a Set of Sets", () => new Set([new Set([new Set()])])],
];

const binaries: readonly Named[] = [
  ...[0, 1, 255, 256, 65_535, 65_536].map((length): Named => [`${length} bytes`, () => counting(length)]),
  ["bytes out of the middle", () => counting(10).subarray(3, 7)],
  ["an ArrayBuffer", () => counting(10).buffer],
  ["an empty ArrayBuffer", () => new ArrayBuffer(0)],
  ["a DataView", () => new DataView(counting(8).buffer)],
  ["a DataView out of the middle", () => new DataView(counting(8).buffer, 3, 2)],
  ["an empty DataView", () => new DataView(new ArrayBuffer(0))],
  ["floats", () => new Float32Array([1.5, -0, Number.NaN, Number.POSITIVE_INFINITY])],
  ["doubles", () => new Float64Array([1.5, -0, Number.NaN, Number.MIN_VALUE])],
  [
    "doubles that are NaN in many ways",
    () => new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0123n, 0xfff0_0000_0000_0001n]).buffer),
  ],
  ["signed bigints", () => new BigInt64Array([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)])],
  ["unsigned bigints", () => new BigUint64Array([0n, 2n ** 64n - 1n])],
  ...views.flatMap((View): Named[] => [
    [`an empty ${View.name}`, () => new View(0)],
    [`a whole ${View.name}`, () => new View(counting(16).buffer)],
    [`a ${View.name} out of the middle`, () => new View(counting(32).buffer, 8, 1)],
  ]),
];

const errors: readonly Named[] = [
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].flatMap((Kind): Named[] => [
    [`a ${Kind.name}`, () => new Kind("bad")],
    [`a ${Kind.name} without a message`, () => new Kind()],
  ]),
  ["an error with an empty message", () => new Error("")],
  ["an error with a cause", () => new TypeError("bad", { cause: new RangeError("worse", { cause: { a: 1 } }) })],
  ["an error whose cause is undefined", () => new Error("bad", { cause: undefined })],
  ["an AggregateError", () => new AggregateError([new Error("a"), 1, [new TypeError("b")]], "both")],
  ["an AggregateError with a cause", () => new AggregateError([new Error("a")], "both", { cause: "why" })],
  ["an empty AggregateError", () => new AggregateError([])],
  ["an error with a code and data", () => Object.assign(new Error("bad"), { code: "ENOENT", errno: -2, list: [1] })],
  ["an error with a number for a code", () => Object.assign(new Error("bad"), { code: 7 })],
  ["an error with a name of its own", () => Object.assign(new TypeError("bad"), { name: "Odd" })],
];

const graphs: readonly Named[] = [
  [
    "one object in many places",
    () => {
      const one = { list: [] };
      return [
        one,
        { one },
        new Map<unknown, unknown>([
          [one, one],
          ["list", one.list],
        ]),
        new Set([one]),
        new Error("e", { cause: one }),
      ];
    },
  ],
  ["equal objects that are two", () => [{ a: 1 }, { a: 1 }, [], []]],
  [
    "one buffer in many places",
    () => {
      const bytes = counting(10);
      const date = new Date(5);
      return [bytes, [bytes], date, { date }];
    },
  ],
  ["an object that holds itself", () => cyclic(1)],
  [
    "an array that holds itself",
    () => {
      const list: unknown[] = [];
      list.push(list, [list]);
      return list;
    },
  ],
  [
    "a Map that is its own key and value",
    () => {
      const map = new Map<unknown, unknown>();
      return map.set(map, map);
    },
  ],
  [
    "a Set that is its own member",
    () => {
      const set = new Set<unknown>();
      return set.add(set);
    },
  ],
  [
    "an error that is its own cause",
    () => {
      const error = new Error("round");
      return Object.defineProperty(error, "cause", { value: error, writable: true, configurable: true });
    },
  ],
  [
    "two that hold each other",
    () => {
      const [a, b]: Record<string, unknown>[] = [{}, {}];
      Object.assign(a!, { b });
      Object.assign(b!, { a });
      return new Map([
        ["a", a],
        ["b", b],
      ]);
    },
  ],
];

/** In a page: the bytes, as a `Uint8Array`. */
const buffers: readonly Named[] = [
  ["a Buffer", () => buffer("bytes")],
  ["an empty Buffer", () => buffer("")],
  ["a large Buffer", () => buffer("é".repeat(300))],
];

export const rows: readonly Row[] = [
  ...[primitives, numbers, bigints, strings, arrays, objects, builtIns, collections, binaries, errors, graphs]
    .flat()
    .map(([name, make]): Row => ({ name, make, from: "anywhere" })),
  ...buffers.map(([name, make]): Row => ({ name, make, from: "node" })),
];

/** The row and the place of these names. */
export function valueIn(name: string, where: string): unknown {
  const row = rows.find((candidate) => candidate.name === name);
  const wrapping = wrappings.find((candidate) => candidate.where === where);
  if (!row || !wrapping) throw new RangeError(`there is no ${name} ${where} in the table`);
  return wrapping.wrap(row.make());
}

/** An array with holes. */
export function sparse(length: number, elements: Readonly<Record<number, unknown>>): unknown[] {
  return Object.assign(new Array(length), elements);
}

/** With flags that are younger than the language the sources are compiled to. */
function regexp(source: string, flags: string): RegExp {
  return new RegExp(source, flags);
}

function bare(properties: object): object {
  return Object.assign(Object.create(null), properties);
}

function cyclic(value: unknown): object {
  const object: Record<string, unknown> = { value };
  object["self"] = object;
  return object;
}

/** Bytes that count up, so that no two offsets look alike. */
function counting(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i;
  return bytes;
}

function buffer(text: string): Uint8Array {
  return typeof Buffer === "undefined" ? new TextEncoder().encode(text) : Buffer.from(text);
}
