/** What MessagePack libraries lose or change, one by one: each is told by what a program would see. */
import { describe, expect, test } from "vitest";
import { decode, encode, fromHex, roundTrip, toHex } from "./support.ts";
import { sparse } from "./table.ts";

describe("numbers", () => {
  test("-0 is not 0", () => {
    expect(1 / (roundTrip(-0) as number)).toBe(Number.NEGATIVE_INFINITY);
    expect(1 / (roundTrip(0) as number)).toBe(Number.POSITIVE_INFINITY);
    expect(roundTrip([-0, 0])).toStrictEqual([-0, 0]);
  });

  test("NaN is NaN, whatever its bits say", () => {
    const [odd] = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0123n]).buffer);
    expect(roundTrip(odd)).toBeNaN();
    for (const bits of ["7ff8000000000000", "7ff0000000000001", "fff8000000000000", "ffffffffffffffff"]) {
      expect(decode(fromHex(`cb ${bits}`)).value).toBeNaN();
    }
  });

  test("beyond 2^53 are the numbers they are, and stay numbers", () => {
    for (const number of [2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64, -(2 ** 63), Number.MAX_VALUE]) {
      expect(roundTrip(number)).toBe(number);
    }
  });

  test("single precision is not what they are cut to", () => {
    for (const number of [0.1, 1 / 3, 16_777_217.5, Number.MIN_VALUE]) expect(roundTrip(number)).toBe(number);
  });
});

describe("bigints", () => {
  const edges = [0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n, 2n ** 127n, 2n ** 8_191n];
  test.each(edges.map((edge) => [edge.toString(16).length * 4, edge] as const))(
    "around an edge of %i bits keep every digit, their sign, and their kind",
    (_bits, edge) => {
      for (const bigint of [edge - 1n, edge, edge + 1n, -edge - 1n, -edge, -edge + 1n]) {
        expect(roundTrip(bigint)).toBe(bigint);
      }
    },
  );
});

describe("strings", () => {
  const units = (text: unknown) => Array.from({ length: String(text).length }, (_, i) => String(text).charCodeAt(i));

  test("with lone surrogates keep them: none becomes a replacement character", () => {
    for (const text of ["\ud800", "\udfff", "a\ud800b", "\udc00\ud800", "\ud83d\ud83d\ude00", "😀\ude00"]) {
      expect(units(roundTrip(text))).toEqual(units(text));
    }
  });

  test("with lone surrogates are keys too, of objects, Maps and Sets", () => {
    const key = "\udc00";
    expect(Object.keys(roundTrip({ [key]: 1, "\ufffd": 2 }) as object)).toEqual([key, "\ufffd"]);
    expect([...(roundTrip(new Map([[key, 1]])) as Map<string, number>).keys()]).toEqual([key]);
    expect((roundTrip(new Set([key, "\ufffd"])) as Set<string>).size).toBe(2);
  });

  test("begin with a byte order mark, and hold NUL, where they do", () => {
    for (const text of ["\ufeff", "\ufeffa", "\u0000", "a\u0000b"]) expect(units(roundTrip(text))).toEqual(units(text));
  });

  test.each([0, 1, 31, 32, 255, 256, 65_535, 65_536])("of %i characters are whole, of however many bytes", (length) => {
    for (const character of ["a", "é", "€", "😀"]) {
      const text = character.repeat(length);
      expect(roundTrip(text) === text).toBe(true);
      expect(Object.keys(roundTrip({ [text]: 1 }) as object)[0] === text).toBe(true);
    }
  });
});

describe("objects", () => {
  test("with a key __proto__ have it as their own, and the prototype they had", () => {
    const copy = roundTrip(JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":null}}')) as { a: object };
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.keys(copy)).toEqual(["__proto__", "a"]);
    expect(Object.getOwnPropertyDescriptor(copy, "__proto__")).toMatchObject({ value: { polluted: true } });
    expect(Object.getOwnPropertyDescriptor(copy.a, "__proto__")).toMatchObject({ value: null, enumerable: true });
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("with a property of undefined have it, and no other", () => {
    expect(Object.keys(roundTrip({ a: undefined }) as object)).toEqual(["a"]);
    expect(Object.keys(roundTrip({}) as object)).toEqual([]);
    expect("a" in (roundTrip({ b: 1 }) as object)).toBe(false);
  });

  test("without a prototype have none", () => {
    const copy = roundTrip(Object.assign(Object.create(null), { toString: 1 })) as object;
    expect(Object.getPrototypeOf(copy)).toBeNull();
    expect(Object.keys(copy)).toEqual(["toString"]);
    expect(Object.getPrototypeOf(roundTrip({}))).toBe(Object.prototype);
  });

  test("keep the order of their keys", () => {
    expect(Object.keys(roundTrip({ b: 1, a: 2, c: { z: 1, y: 2 } }) as object)).toEqual(["b", "a", "c"]);
  });

  test("keep keys that JavaScript has a meaning for", () => {
    const odd = { constructor: 1, prototype: 2, toJSON: 3, valueOf: 4, hasOwnProperty: 5, "": 6 };
    expect(roundTrip(odd)).toStrictEqual(odd);
  });
});

describe("arrays", () => {
  test("with holes have holes, which are not undefined", () => {
    const copy = roundTrip(sparse(3, { 1: undefined })) as unknown[];
    expect([copy.length, Object.keys(copy)]).toEqual([3, ["1"]]);
    expect([0, 1, 2].map((i) => i in copy)).toEqual([false, true, false]);
  });

  test("that are sparse have their length and nothing else", () => {
    const copy = roundTrip(sparse(1_000, { 500: "middle" })) as unknown[];
    expect([copy.length, Object.keys(copy)]).toEqual([1_000, ["500"]]);
    expect(roundTrip(new Array(3))).toStrictEqual(new Array(3));
  });

  test("of 65,536 are whole", () => {
    const list = Array.from({ length: 65_536 }, (_, i) => i);
    expect(roundTrip(list)).toEqual(list);
  });
});

describe("built-in objects", () => {
  test("an invalid Date is a Date, and invalid", () => {
    const copy = roundTrip(new Date(Number.NaN)) as Date;
    expect(copy).toBeInstanceOf(Date);
    expect(copy.getTime()).toBeNaN();
  });

  test("a Date of any year keeps its milliseconds", () => {
    for (const time of [0, -1, 1_700_000_000_123, 253_402_300_800_001, 8.64e15, -8.64e15]) {
      expect((roundTrip(new Date(time)) as Date).getTime()).toBe(time);
    }
  });

  test("a RegExp goes on matching where it was", () => {
    const regexp = /a/g;
    regexp.exec("aaa");
    const copy = roundTrip(regexp) as RegExp;
    expect(copy.lastIndex).toBe(1);
    expect(copy.exec("aaa")?.index).toBe(1);
    expect(roundTrip(Object.assign(/a/y, { lastIndex: 2 ** 40 }))).toHaveProperty("lastIndex", 2 ** 40);
  });

  test("a Map keeps keys of any kind, in their order", () => {
    const keys = [Number.NaN, undefined, null, 0, "0", 0n, "", false, "__proto__"];
    const copy = roundTrip(new Map<unknown, number>(keys.map((key, i) => [key, i]))) as Map<unknown, number>;
    expect([...copy.keys()]).toEqual(keys);
    expect(keys.map((key) => copy.get(key))).toEqual(keys.map((_, i) => i));
  });

  test("an AggregateError keeps its errors, their kinds and its cause", () => {
    const copy = roundTrip(new AggregateError([new TypeError("a"), "b"], "both", { cause: new RangeError("c") }));
    expect(copy).toBeInstanceOf(AggregateError);
    const { errors, message, cause } = copy as AggregateError;
    expect([message, errors.length, errors[1]]).toEqual(["both", 2, "b"]);
    expect(errors[0]).toBeInstanceOf(TypeError);
    expect(cause).toBeInstanceOf(RangeError);
    expect(Object.keys(copy as object)).toEqual([]);
  });
});

describe("bytes", () => {
  test("a Buffer is a Buffer, a Uint8Array is none", () => {
    const [buffer, bytes] = roundTrip([Buffer.from("é"), new Uint8Array([195, 169])]) as [Buffer, Uint8Array];
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect(buffer.toString()).toBe("é");
    expect(Buffer.isBuffer(bytes)).toBe(false);
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
  });

  test.each([
    ["Int8Array", Int8Array, [-128, 127]],
    ["Uint8Array", Uint8Array, [0, 255]],
    ["Uint8ClampedArray", Uint8ClampedArray, [0, 255]],
    ["Int16Array", Int16Array, [-32_768, 32_767]],
    ["Uint16Array", Uint16Array, [0, 65_535]],
    ["Int32Array", Int32Array, [-(2 ** 31), 2 ** 31 - 1]],
    ["Uint32Array", Uint32Array, [0, 2 ** 32 - 1]],
    ["Float32Array", Float32Array, [-0, Number.NaN, 2 ** -149, Number.NEGATIVE_INFINITY]],
    ["Float64Array", Float64Array, [-0, Number.NaN, Number.MIN_VALUE, Number.MAX_VALUE]],
    ["BigInt64Array", BigInt64Array, [-(2n ** 63n), 2n ** 63n - 1n]],
    ["BigUint64Array", BigUint64Array, [0n, 2n ** 64n - 1n]],
  ] as const)(
    "a %s is one, of its elements, out of the middle of its memory too, and empty",
    (_name, View, elements) => {
      // Each kind is made of its own elements; the compiler can't follow that through the table.
      const make = View as unknown as { new (from: unknown, offset?: number, length?: number): ArrayLike<unknown> };
      const whole = new make(elements);
      expect(Object.getPrototypeOf(roundTrip(whole))).toBe(View.prototype);
      expect(Array.from(roundTrip(whole) as ArrayLike<unknown>)).toStrictEqual([...elements]);
      const around = new make([...elements, ...elements, ...elements]) as unknown as ArrayBufferView;
      const middle = new make(around.buffer, around.byteLength / 3, elements.length);
      const copy = roundTrip(middle) as ArrayLike<unknown> & ArrayBufferView;
      expect(Array.from(copy)).toStrictEqual([...elements]);
      expect([copy.byteOffset, copy.buffer.byteLength]).toEqual([0, copy.byteLength]);
      expect(roundTrip(new make(0))).toStrictEqual(new make(0));
    },
  );

  test("a DataView shows what it showed", () => {
    const view = new DataView(new Uint8Array([9, 1, 2, 9]).buffer, 1, 2);
    const copy = roundTrip(view) as DataView;
    expect(copy).toBeInstanceOf(DataView);
    expect([copy.byteLength, copy.getUint16(0), copy.getUint16(0, true)]).toEqual([2, 0x0102, 0x0201]);
    expect(roundTrip(new DataView(new ArrayBuffer(0)))).toStrictEqual(new DataView(new ArrayBuffer(0)));
  });

  test("floats keep even the bits of a NaN, as they are bytes", () => {
    const bits = new BigUint64Array([0x7ff8_0000_0000_0123n, 0xfff0_0000_0000_0001n]);
    const copy = roundTrip(new Float64Array(bits.buffer)) as Float64Array;
    expect([...new BigUint64Array(copy.buffer)]).toEqual([...bits]);
  });
});

test("what is empty is empty, and of its kind", () => {
  for (const make of [() => "", () => [], () => ({}), () => new Map(), () => new Set(), () => new ArrayBuffer(0)]) {
    expect(roundTrip(make())).toStrictEqual(make());
    expect(toHex(encode(roundTrip(make())))).toBe(toHex(encode(make())));
  }
});
