import { describe, expect, test } from "vitest";
import { RemoteError } from "../../src/errors/remote-error.ts";
import { RpcError } from "../../src/errors/rpc-error.ts";
import { ByReference } from "../../src/values/marks.ts";
import { registerError, registerValue } from "../../src/values/register.ts";
import { UnknownValue } from "../../src/values/unknown-values.ts";
import { resolveTypes } from "../../src/values/value-type.ts";
import { Box, box, Money, money, TypedCodec } from "./registered-support.ts";

const invalid = (detail: RegExp = /./) =>
  expect.objectContaining({ code: "invalid-argument", outcome: "not-sent", detail: expect.stringMatching(detail) });

const asBox = { name: "box", pack: () => 1, unpack: () => undefined as never };
class Account extends ByReference {}
class Savings extends Account {}
class Later {
  // biome-ignore lint/suspicious/noThenProperty: such a class is what is refused here.
  then(): void {}
}
class Feed {
  async *[Symbol.asyncIterator]() {}
}

describe("a class can't be registered", () => {
  test.each<[name: string, Class: unknown]>([
    ["that is Object", Object],
    ["that is Array", Array],
    ["that is Function", Function],
    ["that is Date", Date],
    ["that is Map", Map],
    ["that is Set", Set],
    ["that is RegExp", RegExp],
    ["that is URL", URL],
    ["that is Error", Error],
    ["that is RangeError", RangeError],
    ["that is Promise", Promise],
    ["that is Uint8Array", Uint8Array],
    ["that is Buffer", Buffer],
    ["that is Float64Array", Float64Array],
    ["that is ArrayBuffer", ArrayBuffer],
    ["that is SharedArrayBuffer", SharedArrayBuffer],
    ["that is WeakMap", WeakMap],
    ["that is Number", Number],
    ["that is Symbol", Symbol],
    ["that is ReadableStream", ReadableStream],
    ["that is AbortSignal", AbortSignal],
    ["that is UnknownValue", UnknownValue],
    ["that is RpcError", RpcError],
    ["that extends RemoteError", class extends RemoteError {}],
    ["that extends ByReference", Account],
    ["that extends a class which does", Savings],
    ["whose instances have a method named then", Later],
    ["whose instances are streams", Feed],
    ["that is none: a function without prototype", () => {}],
    ["that is none: null", null],
    ["that is none: undefined", undefined],
    ["that is none: an object", {}],
    ["that is none: a prototype which is a text", { prototype: "Money" }],
  ])("%s", (_name, Class) => {
    expect(() => registerValue(Class as never, asBox)).toThrow(invalid());
    expect(() => registerError(Class as never)).toThrow(invalid());
  });

  test("as an error that it isn't", () => {
    expect(() => registerError(Box as never)).toThrow(invalid(/extends Error/));
  });

  test.each([[""], ["x".repeat(65)], ["a\nb"], ["\u202egnp"], ["\ud800"], [undefined], [5]])(
    "under the name %j",
    (name) => {
      expect(() => registerValue(Box, { ...asBox, name: name as never })).toThrow(invalid());
      if (name !== undefined)
        expect(() => registerError(class extends RangeError {}, { name: name as never })).toThrow(invalid());
    },
  );

  test.each([
    ["without pack", { name: "box", unpack: () => new Box() }],
    ["without unpack", { name: "box", pack: () => 1 }],
    ["without anything", undefined],
  ])("%s", (_name, options) => {
    expect(() => registerValue(Box, options as never)).toThrow(invalid());
  });

  test.each([["missing" as never], [[5] as never], [["a", "a"]], [["stack"]]])("with the fields %j", (fields) => {
    expect(() => registerError(class Odd extends Error {}, { fields })).toThrow(invalid(/fields/));
  });

  test("without a name of its own, where it is an error", () => {
    expect(() => registerError(class extends Error {})).toThrow(invalid(/name/));
  });
});

describe("a class can be registered", () => {
  test("under any printable name of 1 to 64 characters", () => {
    for (const name of ["a", "x".repeat(64), "com.example/money", "Währung €", "__proto__", "constructor"]) {
      const type = registerValue(Box, { name, pack: ({ content }) => content, unpack: (content) => new Box(content) });
      expect(type.name).toBe(name);
      expect(new TypedCodec([type]).roundTrip(new Box(1))).toEqual(new Box(1));
    }
  });

  test("that the platform has and farref has no way with", () => {
    const headers = registerValue(Headers, {
      name: "headers",
      pack: (value) => [...value],
      unpack: (data) => new Headers(data as [string, string][]),
    });
    const copy = new TypedCodec([headers]).roundTrip(new Headers({ "x-a": "1" })) as Headers;
    expect(copy.get("x-a")).toBe("1");
  });

  test("that is abstract, or whose constructor is private", () => {
    abstract class Shape {
      abstract readonly area: number;
    }
    class Point {
      readonly x: number;
      private constructor(x: number) {
        this.x = x;
      }
      static at(x: number): Point {
        return new Point(x);
      }
    }
    const types = [
      registerValue(Shape, { name: "shape", pack: ({ area }) => area, unpack: () => undefined as never }),
      registerValue(Point, { name: "point", pack: ({ x }) => x, unpack: (x) => Point.at(Number(x)) }),
    ];
    expect(new TypedCodec(types).roundTrip(Point.at(3))).toEqual(Point.at(3));
  });
});

describe("a list of types", () => {
  test.each([
    ["with a name twice", [money, registerValue(Box, { ...asBox, name: "money" })], /money/],
    ["with a class twice", [box, registerValue(Box, { ...asBox, name: "crate" })], /crate.*twice|twice/],
    ["with a type twice", [money, money], /money/],
    [
      "with an error by the name of a value",
      [money, registerError(class extends Error {}, { name: "money" })],
      /money/,
    ],
    ["with something else", [{ name: "money" }], /types/],
    ["with something else behind a type", [money, { name: "box" }], /types/],
    ["with nothing", [undefined], /types/],
    ["with a class", [Money], /types/],
    ["that is none", { 0: money, length: 1 }, /types/],
    ["that is a type", money, /types/],
    ["that is null", null, /types/],
  ])("%s is refused", (_name, types, why) => {
    expect(() => resolveTypes(types as never)).toThrow(invalid(why));
  });

  test("may be missing or empty", () => {
    expect(resolveTypes(undefined)).toBeUndefined();
    expect(resolveTypes([])).toBeUndefined();
  });

  test("belongs to whom it was given: others know nothing of it", () => {
    const mine = registerValue(Box, { name: "box", pack: () => "mine", unpack: () => new Box("mine") });
    const yours = registerValue(Box, { name: "box", pack: () => "yours", unpack: () => new Box("yours") });
    const [a, b, c] = [new TypedCodec([mine]), new TypedCodec([yours]), new TypedCodec([])];
    expect(a.roundTrip(new Box())).toEqual(new Box("mine"));
    expect(b.roundTrip(new Box())).toEqual(new Box("yours"));
    expect(a.roundTrip(new Box(), b)).toEqual(new Box("yours"));
    expect(() => c.encode(new Box())).toThrow(expect.objectContaining({ code: "unsupported-value" }));
  });
});
