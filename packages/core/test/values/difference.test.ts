import { describe, expect, test } from "vitest";
import { difference } from "./difference.ts";

const shared = {};
/** A ring of so many objects. */
const cycle = (length: number) => {
  const ring: { next?: object }[] = Array.from({ length }, () => ({}));
  for (const [i, object] of ring.entries()) object.next = ring[(i + 1) % length] as object;
  return ring[0];
};

describe("are not the same", () => {
  test.each<[what: string, a: unknown, b: unknown]>([
    ["0 and -0", [0], [-0]],
    ["undefined and a missing property", { a: undefined }, {}],
    ["undefined and a hole", [undefined], new Array(1)],
    ["a number and its text", 1, "1"],
    ["a number and a bigint", 1, 1n],
    ["null and undefined", null, undefined],
    ["two orders of properties", { a: 1, b: 2 }, { b: 2, a: 1 }],
    [
      "two orders of entries",
      new Map([
        [1, 1],
        [2, 2],
      ]),
      new Map([
        [2, 2],
        [1, 1],
      ]),
    ],
    ["two orders of members", new Set([1, 2]), new Set([2, 1])],
    ["an object with a prototype and one without", {}, Object.create(null)],
    ["a property that is shown and one that is hidden", { a: 1 }, Object.defineProperty({}, "a", { value: 1 })],
    ["two states of a RegExp", /a/g, Object.assign(/a/g, { lastIndex: 1 })],
    ["two flags of a RegExp", /a/g, /a/i],
    ["two dates, one of them invalid", new Date(0), new Date(Number.NaN)],
    ["two kinds of views", new Uint8Array([1]), new Int8Array([1])],
    ["two bytes", new Uint8Array([1]), new Uint8Array([2])],
    ["two lengths", new Uint8Array(1), new Uint8Array(2)],
    ["two kinds of errors", new Error("a"), new TypeError("a")],
    ["an error with a cause of undefined and one without", new Error("a", { cause: undefined }), new Error("a")],
    ["one object twice and two that are equal", [shared, shared], [{}, {}]],
    ["two that are equal and one object twice", [{}, {}], [shared, shared]],
    ["a cycle of one and a cycle of two", cycle(1), cycle(2)],
    ["two addresses", new URL("a:b"), new URL("a:c")],
    ["two functions", () => {}, () => {}],
    ["a longer list and a shorter one", [1, 2], [1]],
  ])("%s", (_what, a, b) => {
    expect(difference(a, b)).toBeTypeOf("string");
    expect(difference(b, a)).toBeTypeOf("string");
    expect(difference({ deep: [a] }, { deep: [b] })).toMatch(/^\/deep\/0/);
  });
});

describe("are the same", () => {
  test.each<[what: string, make: () => unknown]>([
    ["NaN", () => Number.NaN],
    ["cycles", () => cycle(3)],
    ["objects shared in the same way", () => [shared, shared, new Map([[shared, shared]])]],
    ["errors from two places", () => new AggregateError([new Error("a")], "b", { cause: 1 })],
    ["invalid dates", () => new Date(Number.NaN)],
    ["lists with holes", () => Object.assign(new Array(3), { 1: 1 })],
    ["objects without a prototype", () => Object.assign(Object.create(null), { a: 1 })],
  ])("%s", (_what, make) => {
    expect(difference(make(), make())).toBeUndefined();
  });

  test("views that show the same bytes of different memory", () => {
    const large = new Uint16Array([7, 1, 2, 7]);
    expect(difference(new Uint16Array([1, 2]), new Uint16Array(large.buffer, 2, 2))).toBeUndefined();
  });
});
