/** Streams in values: a number on the wire, and what a hostile number does. */
import { describe, expect, test } from "vitest";
import type { Importer, WireMark } from "../../src/values/codec.ts";
import { codec, decode, encode, encodeList, fromHex, TestExporter, toHex } from "./support.ts";

async function* generator() {}
const iterable = { [Symbol.asyncIterator]: generator };

const asked = () => {
  const marks: WireMark[] = [];
  const importer: Importer = {
    resolve: ({ kind, id }) => {
      marks.push({ kind, id } as WireMark);
      return `${kind} ${id}`;
    },
  };
  return { marks, importer };
};

describe("on the wire a stream is its number:", () => {
  test.each<[what: string, make: () => object, hex: string, arrived: string]>([
    ["an async generator", generator, "c7011101", "iterable 1"],
    ["a generator", () => (function* () {})(), "c7011101", "iterable 1"],
    ["an object that iterates asynchronously", () => iterable, "c7011101", "iterable 1"],
    ["a ReadableStream", () => new ReadableStream(), "c7011201", "readable 1"],
  ])("%s", (_what, make, hex, arrived) => {
    expect(toHex(encode(make()))).toBe(hex);
    const { marks, importer } = asked();
    expect(codec.hydrate(decode(fromHex(hex)), importer)).toBe(arrived);
    expect(marks).toHaveLength(1);
  });

  test("a large one takes more bytes", () => {
    const exporter = new TestExporter();
    exporter.stream = () => 300;
    expect(toHex(encode(iterable, exporter))).toBe("c70211ac02");
  });
});

test("streams have no number among the objects of a message", () => {
  const shared = { a: 1 };
  const bytes = encodeList([new ReadableStream(), (function* () {})(), iterable, shared, shared]);
  const { importer } = asked();
  const list = codec.hydrate(codec.decodeList(bytes, 0, bytes.length, { maxDepth: 64, maxNodes: 1_000 }), importer);
  expect(list).toEqual(["readable 1", "iterable 2", "iterable 3", { a: 1 }, { a: 1 }]);
  expect(list[3]).toBe(list[4]);
});

test("streams stand wherever values do", () => {
  const bytes = encode({ list: [iterable], map: new Map([["k", iterable]]), set: new Set([iterable]) });
  const { importer } = asked();
  expect(codec.hydrate(decode(bytes), importer)).toEqual({
    list: ["iterable 1"],
    map: new Map([["k", "iterable 2"]]),
    set: new Set(["iterable 3"]),
  });
});

describe("is refused:", () => {
  test.each<[what: string, hex: string]>([
    ["a stream without a number", "c70011"],
    ["a number that does not end", "c7011180"],
    ["a number beyond 2^53 - 1", "c70811ffffffffffffff7f"],
    ["a number and more", "c702110101"],
    ["a stream as the key of an object", "81c701110101"],
  ])("%s", (_what, hex) => {
    expect(() => decode(fromHex(hex))).toThrow(expect.objectContaining({ code: "protocol" }));
  });
});
