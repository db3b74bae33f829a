import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { roundTrip, sparse } from "./support.ts";

class PaymentError extends Error {
  readonly code = "E_PAYMENT";
}

/** Every kind that is copied; `make` gives a fresh one. */
const kinds: readonly (readonly [name: string, make: () => unknown])[] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["a boolean", () => true],
  ["an integer", () => 70_000],
  ["-0", () => -0],
  ["NaN", () => Number.NaN],
  ["a fraction", () => 0.1],
  ["MAX_SAFE_INTEGER", () => Number.MAX_SAFE_INTEGER],
  ["a bigint", () => 10n],
  ["a bigint of 1 KiB", () => -(2n ** 8192n - 1n)],
  ["a string", () => "text"],
  ["a long string", () => "tëxt😀".repeat(20_000)],
  ["a string with lone surrogates", () => "\udc00 and \ud800"],
  ["a long string with a lone surrogate", () => `${"x".repeat(10_001)}\ud800`],
  ["an array", () => [1, [2]]],
  ["an array with holes", () => sparse(5, { 1: 1, 3: undefined })],
  ["a plain object", () => ({ a: { b: 1 } })],
  ["odd keys", () => ({ "": 1, constructor: 2, prototype: 3, toString: 4, é: 5, "\ud800": 6, ["x".repeat(300)]: 7 })],
  ["a key __proto__", () => JSON.parse('{"__proto__":{"polluted":true},"a":1}')],
  ["a data property named then", () => JSON.parse('{"then":1}')],
  ["an object without prototype", () => Object.assign(Object.create(null), { a: [1] })],
  ["a Date", () => new Date(1_234.5)],
  ["an invalid Date", () => new Date(Number.NaN)],
  ["a RegExp", () => /a\/b\n/giu],
  ["a URL", () => new URL("https://user:pass@exämple.org:8080/p a?q=é#h")],
  ["a data URL", () => new URL(`data:text/plain,${"x".repeat(100_000)}`)],
  [
    "a Map",
    () =>
      new Map<unknown, unknown>([
        ["a", 1],
        [{ k: 1 }, new Map([[undefined, Number.NaN]])],
      ]),
  ],
  ["a Set", () => new Set<unknown>([1, "1", { a: 1 }, Number.NaN])],
  ["a Uint8Array", () => new Uint8Array([1, 2])],
  ["a view into the middle", () => new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2)],
  ["a Buffer", () => Buffer.from("bytes")],
  ["an ArrayBuffer", () => new Uint8Array([1, 2]).buffer],
  ["a DataView", () => new DataView(new Uint8Array([1, 2, 3]).buffer, 1)],
  ["a Float32Array", () => new Float32Array([1.5, Number.NaN])],
  ["a BigUint64Array", () => new BigUint64Array([2n ** 64n - 1n])],
  ["an Error", () => new Error("bad")],
  ["a TypeError with a cause", () => new TypeError("bad", { cause: new RangeError("worse", { cause: { a: 1 } }) })],
  ["an AggregateError", () => new AggregateError([new Error("a"), 1], "both")],
  ["an Error with data", () => Object.assign(new Error("bad"), { code: "ENOENT", errno: -2, list: [1] })],
];

describe.each(kinds)("%s is copied", (_name, make) => {
  test.each<[where: string, wrap: (value: unknown) => unknown]>([
    ["alone", (value) => value],
    ["in an object", (value) => ({ a: { b: value } })],
    ["in an array", (value) => [0, [value]]],
    ["as a Map's value", (value) => new Map([["key", value]])],
    ["as a Map's key", (value) => new Map([[value, "value"]])],
    ["as a Set's member", (value) => new Set([value])],
    ["as an error's cause", (value) => new Error("e", { cause: value })],
    ["as an error's data", (value) => Object.assign(new Error("e"), { data: value })],
  ])("%s", (_where, wrap) => {
    expect(roundTrip(wrap(make()))).toStrictEqual(wrap(make()));
  });
});

describe("arrives exactly", () => {
  test("holes as holes", () => {
    const copy = roundTrip(sparse(3, { 1: undefined })) as unknown[];
    expect(Object.keys(copy)).toEqual(["1"]);
    expect(copy).toHaveLength(3);
  });

  test("a key __proto__ as an own property, with the prototype untouched", () => {
    const copy = roundTrip(JSON.parse('{"__proto__":{"polluted":true}}')) as object;
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.keys(copy)).toEqual(["__proto__"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("no prototype as no prototype", () => {
    expect(Object.getPrototypeOf(roundTrip(Object.create(null)))).toBeNull();
  });

  test("a RegExp with its lastIndex", () => {
    expect(roundTrip(Object.assign(/a/g, { lastIndex: 4 }))).toHaveProperty("lastIndex", 4);
  });

  test("keys in their order", () => {
    expect(Object.keys(roundTrip({ b: 1, a: 2, c: { z: 1, y: 2 } }) as object)).toEqual(["b", "a", "c"]);
  });

  test("a plain object, an array, a Map and an error of another realm", () => {
    const foreign = runInNewContext("({ list: [1], map: new Map([[1, { a: 1 }]]), error: new TypeError('bad') })");
    expect(roundTrip(foreign)).toStrictEqual({ list: [1], map: new Map([[1, { a: 1 }]]), error: new TypeError("bad") });
  });

  test("what a Proxy of a plain object shows", () => {
    expect(roundTrip(new Proxy({ a: 1 }, {}))).toStrictEqual({ a: 1 });
  });

  test("without properties that are not enumerable", () => {
    const object = Object.defineProperty({ a: 1 }, "hidden", { value: 2 });
    expect(roundTrip(object)).toStrictEqual({ a: 1 });
  });
});

describe("bytes", () => {
  test("arrive in memory of their own", () => {
    for (const make of [() => new Uint8Array(3), () => Buffer.from("abc"), () => new Int32Array(1)]) {
      const copy = roundTrip(make()) as Uint8Array;
      expect(copy.buffer.byteLength).toBe(copy.byteLength);
    }
  });
});

describe("errors", () => {
  test("of a class of the program arrive as Error with its name", () => {
    const copy = roundTrip(new PaymentError("broke")) as Error;
    expect(Object.getPrototypeOf(copy)).toBe(Error.prototype);
    expect(copy.name).toBe("PaymentError");
    expect(copy.message).toBe("broke");
    expect(Object.keys(copy)).toEqual(["code"]);
  });

  test("keep the name they were given", () => {
    expect(roundTrip(Object.assign(new PaymentError("x"), { name: "Broke" }))).toHaveProperty("name", "Broke");
    expect(roundTrip(Object.assign(new TypeError("x"), { name: "Odd" }))).toHaveProperty("name", "Odd");
  });

  test("of the platform arrive with name and message", () => {
    const copy = roundTrip(new DOMException("gone", "AbortError")) as Error;
    expect([copy.name, copy.message]).toEqual(["AbortError", "gone"]);
  });

  test("never carry a stack", () => {
    const copy = roundTrip(new RangeError("far")) as Error;
    expect(copy.stack).toBe("RangeError: far");
    expect(Object.keys(copy)).toEqual([]);
    expect(roundTrip(Object.assign(new Error("x"), { stack: "secret" }))).toHaveProperty("stack", "Error: x");
  });

  test("keep the absence of what they lack", () => {
    const copy = roundTrip(new Error()) as Error;
    expect(Object.getOwnPropertyNames(copy)).toEqual(["stack"]);
    expect(Object.hasOwn(roundTrip(new Error("x", { cause: undefined })) as Error, "cause")).toBe(true);
  });
});
