import { describe, expect, test } from "vitest";
import { decode, encode, encodeList, fromHex, roundTrip, toHex } from "./support.ts";

const copied: readonly (readonly [name: string, make: () => object])[] = [
  ["an array", () => [1]],
  ["a plain object", () => ({ a: 1 })],
  ["an object without prototype", () => Object.create(null)],
  ["a Map", () => new Map([[1, 2]])],
  ["a Set", () => new Set([1])],
  ["a Date", () => new Date(1)],
  ["a RegExp", () => /a/],
  ["a URL", () => new URL("a:b")],
  ["a Uint8Array", () => new Uint8Array(1)],
  ["a Buffer", () => Buffer.alloc(1)],
  ["an ArrayBuffer", () => new ArrayBuffer(1)],
  ["a typed array", () => new Int32Array(1)],
  ["an error", () => new Error("x")],
];

describe("an object met again is the same object", () => {
  test.each(copied)("%s", (_name, make) => {
    const shared = make();
    const other = make();
    const [a, b, c, d] = roundTrip([shared, other, { deep: [shared] }, other]) as [
      object,
      object,
      { deep: object[] },
      object,
    ];
    expect(c.deep[0]).toBe(a);
    expect(d).toBe(b);
    expect(a).not.toBe(b);
  });

  test("as a Map's key and value, a Set's member, an error's cause", () => {
    const shared = { a: 1 };
    const value = [new Map([[shared, shared]]), new Set([shared]), new Error("x", { cause: shared }), shared] as const;
    const [map, set, error, copy] = roundTrip(value) as typeof value;
    expect([...map][0]).toEqual([copy, copy]);
    expect(map.has(copy)).toBe(true);
    expect(set.has(copy)).toBe(true);
    expect(error.cause).toBe(copy);
  });

  test("among thousands", () => {
    const objects = Array.from({ length: 70_000 }, () => ({}));
    const picks = [0, 23, 24, 25, 255, 256, 65_534, 69_999].map((i) => objects[i]);
    const [copies, again] = roundTrip([objects, picks]) as [object[], object[]];
    expect(again.map((object) => copies.indexOf(object))).toEqual([0, 23, 24, 25, 255, 256, 65_534, 69_999]);
  });

  test("across the arguments of one call, whose list counts for nothing", () => {
    const shared = {};
    const bytes = encodeList([shared, shared]);
    expect(toHex(bytes)).toBe("9280d40100");
  });

  test("but not across messages", () => {
    const shared = {};
    expect(toHex(encode(shared))).toBe("80");
    expect(toHex(encode(shared))).toBe("80");
  });
});

describe("cycles close", () => {
  test("through an object, an array, a Map, a Set and an error", () => {
    const root: Record<string, unknown> = {};
    const list: unknown[] = [root];
    const map = new Map<unknown, unknown>();
    map.set(map, root).set(root, map);
    const set = new Set<unknown>([root]).add(list);
    set.add(set);
    const error = new Error("x", { cause: root });
    Object.assign(error, { self: error });
    Object.assign(root, { root, list, map, set, error });

    const copy = roundTrip(root) as typeof root;
    expect(copy["root"]).toBe(copy);
    expect((copy["list"] as unknown[])[0]).toBe(copy);
    const mapCopy = copy["map"] as typeof map;
    expect([...mapCopy]).toEqual([
      [mapCopy, copy],
      [copy, mapCopy],
    ]);
    expect([...(copy["set"] as typeof set)]).toEqual([copy, copy["list"], copy["set"]]);
    expect(copy["error"]).toMatchObject({ cause: copy });
    expect(Reflect.get(copy["error"] as object, "self")).toBe(copy["error"]);
  });

  test("an AggregateError among its own errors", () => {
    const error = new AggregateError([], "x");
    error.errors.push(error);
    const copy = roundTrip(error) as AggregateError;
    expect(copy.errors[0]).toBe(copy);
  });
});

describe("a reference back", () => {
  test.each([
    ["to nothing before", "d4 01 00"],
    ["to what comes later", "92 d4 01 01 80"],
    ["beyond the last", "92 80 d4 01 02"],
    ["of 32 bits", "91 d6 01 ffffffff"],
    ["of no bytes", "91 c7 00 01"],
    ["of 8 bytes", "91 d7 01 0000000000000000"],
  ])("%s is refused", (_name, hex) => {
    expect(() => decode(fromHex(hex))).toThrow(expect.objectContaining({ code: "protocol", outcome: "not-executed" }));
  });
});
