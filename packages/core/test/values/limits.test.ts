import { describe, expect, test } from "vitest";
import { decode, encode, encodeList, fromHex, limits, sparse, TestExporter } from "./support.ts";

const within = (maxDepth: number, maxNodes = 1_000) => ({ maxDepth, maxNodes });
const beyond = (outcome: string, why: RegExp) =>
  expect.objectContaining({ code: "limit-exceeded", outcome, detail: expect.stringMatching(why) });

/** `levels` containers, one in another. */
const nests: readonly (readonly [name: string, wrap: (inner: unknown) => object])[] = [
  ["arrays", (inner) => [inner]],
  ["objects", (inner) => ({ a: inner })],
  ["objects without prototype", (inner) => Object.assign(Object.create(null), { a: inner })],
  ["Maps", (inner) => new Map([[1, inner]])],
  ["Map keys", (inner) => new Map([[inner, 1]])],
  ["Sets", (inner) => new Set([inner])],
  ["causes", (inner) => new Error("x", { cause: inner })],
];

function nest(wrap: (inner: unknown) => object, levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

describe.each(nests)("depth counts %s", (_name, wrap) => {
  test("up to the limit and not beyond, both ways", () => {
    const bytes = encode(nest(wrap, 4), undefined, within(4));
    expect(() => decode(bytes, within(4))).not.toThrow();
    expect(() => encode(nest(wrap, 5), undefined, within(4))).toThrow(beyond("not-sent", /^result.+: .*maxDepth/));
    expect(() => decode(bytes, within(3))).toThrow(beyond("not-executed", /maxDepth/));
  });
});

describe("nodes count", () => {
  test.each<[name: string, value: unknown, nodes: number]>([
    ["a leaf", 1, 1],
    ["an array and its elements", [1, 2, 3], 4],
    ["holes", sparse(3, {}), 4],
    ["an object and its values", { a: 1, b: 2 }, 3],
    ["a Map, its keys and values", new Map([[1, 2]]), 3],
    ["a Set and its members", new Set([1, 2]), 3],
    ["an error for eight, and its properties", Object.assign(new Error("x"), { code: 1 }), 10],
    ["a large bigint for one more with every 16 bytes", 1n << 1023n, 9],
    ["the inside of containers", [[1], { a: [2] }], 6],
  ])("%s", (_name, value, nodes) => {
    const bytes = encode(value, undefined, within(9, nodes));
    expect(() => decode(bytes, within(9, nodes))).not.toThrow();
    expect(() => encode(value, undefined, within(9, nodes - 1))).toThrow(beyond("not-sent", /maxNodes/));
    expect(() => decode(bytes, within(9, nodes - 1))).toThrow(beyond("not-executed", /maxNodes/));
  });

  test("arguments, but not their list", () => {
    expect(() => encodeList([1, 2], undefined, within(9, 2))).not.toThrow();
    expect(() => encodeList([1, 2], undefined, within(9, 1))).toThrow(beyond("not-sent", /^args: .*maxNodes/));
  });

  test("what is far too long, without looking at it", () => {
    const looks: PropertyKey[] = [];
    const watched = (list: unknown[]) =>
      new Proxy(list, {
        getOwnPropertyDescriptor(target, key) {
          if (key !== "length") looks.push(key);
          return Reflect.getOwnPropertyDescriptor(target, key);
        },
        get(target, key) {
          if (typeof key === "string" && /^\d/.test(key)) looks.push(key);
          return Reflect.get(target, key);
        },
      });
    encode({ list: watched([1]) });
    expect(looks.splice(0)).toContain("0");
    expect(() => encode({ list: watched(new Array(1e9)) })).toThrow(beyond("not-sent", /^result.list: .*maxNodes/));
    expect(looks).toEqual([]);
  });
});

describe("sizes of single values", () => {
  test("a bigint of more than 1 KiB", () => {
    expect(() => encode([2n ** 8192n])).toThrow(beyond("not-sent", /^result\[0\]: .*1 KiB/));
    expect(() => decode(fromHex(`c8 0402 04 00 ${"ff".repeat(1025)}`))).toThrow(beyond("not-executed", /1 KiB/));
  });

  test("a RegExp of more than 65,536 characters", () => {
    expect(() => encode(new RegExp("a".repeat(65_537)))).toThrow(beyond("not-sent", /65536/));
    const source = `db 00010001 ${"61".repeat(65_537)}`;
    expect(() => decode(fromHex(`c9 00010008 06 ${source} a0 00`))).toThrow(beyond("not-executed", /65536/));
  });
});

test("a cycle is no depth", () => {
  const list: unknown[] = [];
  list.push(list);
  expect(() => encode(list, new TestExporter(), within(1, 2))).not.toThrow();
});

test("no depth a program allows overflows the stack", () => {
  const bytes = new Uint8Array(1_000_000).fill(0x91);
  expect(() => decode(bytes, { ...limits, maxDepth: 2_000_000, maxNodes: 2_000_000 })).toThrow(
    expect.objectContaining({ name: "RpcError", code: "protocol" }),
  );
  const deep = nest((inner) => [inner], 100_000);
  expect(() => encode(deep, undefined, { maxDepth: 1e9, maxNodes: 1e9 })).toThrow(
    expect.objectContaining({ name: "RpcError", outcome: "not-sent" }),
  );
});
