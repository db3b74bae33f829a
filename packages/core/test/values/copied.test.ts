import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { difference } from "./difference.ts";
import { roundTrip } from "./support.ts";
import { rows, valueIn, wrappings } from "./table.ts";

class PaymentError extends Error {
  readonly code = "E_PAYMENT";
}

describe.each(rows)("$name is copied", ({ name, make }) => {
  test.each(wrappings)("$where", ({ where, wrap }) => {
    expect(difference(roundTrip(wrap(make())), valueIn(name, where))).toBeUndefined();
  });
});

test("each row of the table has a name of its own, and makes a fresh value each time", () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const { make } of rows) expect(difference(make(), make())).toBeUndefined();
});

describe("arrives exactly", () => {
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

describe("where looking would cost more than sending", () => {
  test("properties of its own stay behind with a view of more than 64 elements", () => {
    for (const view of [new Uint8Array(65), Buffer.alloc(65), new Float64Array(65)]) {
      const copy = roundTrip(Object.assign(view.slice(), { extra: 1 })) as object;
      expect(Object.keys(copy)).toEqual(Object.keys(view));
    }
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
