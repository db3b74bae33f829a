/**
 * Golden vectors: what values look like on the wire, written out by hand. Every platform encodes to these bytes and
 * decodes from them. Spaces only help reading.
 */

export interface GoldenVector {
  readonly name: string;
  readonly hex: string;
  make(): unknown;
}

const vector = (name: string, hex: string, make: () => unknown): GoldenVector => ({ name, hex, make });
const memory = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)).buffer;

export const goldenVectors: readonly GoldenVector[] = [
  vector("null", "c0", () => null),
  vector("undefined", "d4 00 00", () => undefined),
  vector("false", "c2", () => false),
  vector("true", "c3", () => true),

  vector("0", "00", () => 0),
  vector("127", "7f", () => 127),
  vector("128", "cc 80", () => 128),
  vector("256", "cd 0100", () => 256),
  vector("65536", "ce 00010000", () => 65_536),
  vector("2^32 - 1", "ce ffffffff", () => 0xffff_ffff),
  vector("2^32", "cb 41f0000000000000", () => 2 ** 32),
  vector("-1", "ff", () => -1),
  vector("-32", "e0", () => -32),
  vector("-33", "d0 df", () => -33),
  vector("-129", "d1 ff7f", () => -129),
  vector("-2^31", "d2 80000000", () => -(2 ** 31)),
  vector("-2^31 - 1", "cb c1e0000000200000", () => -(2 ** 31) - 1),
  vector("-0", "cb 8000000000000000", () => -0),
  vector("1.5", "cb 3ff8000000000000", () => 1.5),
  vector("infinity", "cb 7ff0000000000000", () => Number.POSITIVE_INFINITY),
  vector("NaN", "cb 7ff8000000000000", () => Number.NaN),
  vector("1n", "d3 0000000000000001", () => 1n),
  vector("-2^63 as bigint", "d3 8000000000000000", () => -(2n ** 63n)),
  vector("2^63 as bigint", "cf 8000000000000000", () => 2n ** 63n),
  vector("2^64 as bigint", "c7 0a 04 00 010000000000000000", () => 2n ** 64n),
  vector("-2^64 as bigint", "c7 0a 04 01 010000000000000000", () => -(2n ** 64n)),

  vector("empty string", "a0", () => ""),
  vector("short string", "a2 6869", () => "hi"),
  vector("32 characters", `d9 20 ${"61".repeat(32)}`, () => "a".repeat(32)),
  vector("two-byte character", "d9 02 c3a9", () => "é"),
  vector("character beyond the plane", "d9 04 f09f9880", () => "😀"),
  vector("byte order mark", "d9 03 efbbbf", () => "\ufeff"),
  vector("lone surrogate", "d5 03 d83d", () => "\ud83d"),
  vector("surrogates in the wrong order", "d6 03 de00 d83d", () => "\ude00\ud83d"),

  vector("empty array", "90", () => []),
  vector("array", "93 01 a162 c0", () => [1, "b", null]),
  vector("array with a hole", "93 01 d40001 d40000", () => Object.assign(new Array(3), { 0: 1, 2: undefined })),
  vector("16 elements", `dc 0010 ${"00".repeat(16)}`, () => new Array(16).fill(0)),
  vector("plain object", "82 a161 01 a162 81 a163 02", () => ({ a: 1, b: { c: 2 } })),
  vector(
    "16 keys",
    `de 0010 ${[..."abcdefghijklmnop"].map((k) => `a1${k.charCodeAt(0).toString(16)}00`).join("")}`,
    () => Object.fromEntries([..."abcdefghijklmnop"].map((key) => [key, 0])),
  ),
  vector("key __proto__", "81 a9 5f5f70726f746f5f5f 81 a161 01", () => JSON.parse('{"__proto__":{"a":1}}')),
  vector("key with a lone surrogate", "81 d503d800 01", () => ({ "\ud800": 1 })),
  vector("object without prototype", "c9 00000004 0a 81 a161 01", () => Object.assign(Object.create(null), { a: 1 })),

  vector("Uint8Array", "c4 03 010203", () => new Uint8Array([1, 2, 3])),
  vector("ArrayBuffer", "d5 0d 00 07", () => memory("07")),
  vector("DataView", "d5 0d 01 07", () => new DataView(memory("07"))),
  vector("Int8Array", "d5 0d 02 ff", () => new Int8Array([-1])),
  vector("Uint8ClampedArray", "d5 0d 03 ff", () => new Uint8ClampedArray([300])),
  vector("Int16Array", "c7 03 0d 04 feff", () => new Int16Array([-2])),
  vector("Uint16Array", "c7 03 0d 05 0201", () => new Uint16Array([0x0102])),
  vector("Int32Array", "c7 05 0d 06 feffffff", () => new Int32Array([-2])),
  vector("Uint32Array", "c7 05 0d 07 04030201", () => new Uint32Array([0x01020304])),
  vector("Float32Array", "c7 05 0d 08 0000c03f", () => new Float32Array([1.5])),
  vector("Float64Array", "c7 09 0d 09 000000000000f83f", () => new Float64Array([1.5])),
  vector("BigInt64Array", "c7 09 0d 0a ffffffffffffffff", () => new BigInt64Array([-1n])),
  vector("BigUint64Array", "c7 09 0d 0b 0100000000000000", () => new BigUint64Array([1n])),

  vector("Date", "d7 05 4014000000000000", () => new Date(5)),
  vector("invalid Date", "d7 05 7ff8000000000000", () => new Date(Number.NaN)),
  vector("RegExp", "c9 00000008 06 a3 612b62 a2 6769 00", () => /a+b/gi),
  vector("RegExp at work", "c9 00000005 06 a1 61 a1 67 03", () => Object.assign(/a/g, { lastIndex: 3 })),
  vector("URL", "c7 0b 07 687474703a2f2f612e622f", () => new URL("http://a.b/")),
  vector(
    "Map",
    "c9 00000008 08 82 a161 01 92 02 03 c0",
    () =>
      new Map<unknown, unknown>([
        ["a", 1],
        [[2, 3], null],
      ]),
  ),
  vector("Set", "c9 00000004 09 92 a161 01", () => new Set(["a", 1])),

  vector("Error", "c9 00000014 0b a5 4572726f72 81 a7 6d657373616765 a3 626164 80", () => new Error("bad")),
  vector("RangeError without message", "c9 0000000d 0b aa 52616e67654572726f72 80 80", () => new RangeError()),
  vector(
    "Error with cause and code",
    "c9 00000025 0b a5 4572726f72 82 a7 6d657373616765 a1 78 a5 6361757365 07 81 a4 636f6465 a6 454f46203131",
    () => Object.assign(new Error("x", { cause: 7 }), { code: "EOF 11" }),
  ),
  vector(
    "AggregateError",
    "c9 00000024 0b ae 4167677265676174654572726f72 82 a7 6d657373616765 a1 78 a6 6572726f7273 91 01 80",
    () => new AggregateError([1], "x"),
  ),

  vector("same object twice", "92 80 d4 01 01", () => {
    const shared = {};
    return [shared, shared];
  }),
  vector("cycle", "81 a4 73656c66 d4 01 00", () => {
    const object: Record<string, unknown> = {};
    object["self"] = object;
    return object;
  }),
];
