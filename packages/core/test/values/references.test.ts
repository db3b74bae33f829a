import { describe, expect, test } from "vitest";
import type { Importer, WireMark, WireReference } from "../../src/values/codec.ts";
import { ByReference, byReference } from "../../src/values/marks.ts";
import { codec, decode, encode, fromHex, roundTrip, TestExporter, toHex } from "./support.ts";

class Account extends ByReference {
  readonly balance = 1;
}

/** Resolves by name and remembers the order it was asked in. */
function importer(asked: WireMark[] = []): Importer & { asked: WireMark[] } {
  return {
    asked,
    resolve(mark) {
      // A plain copy: a marker knows its place too.
      const { kind, id, name } = mark as WireReference;
      asked.push({ kind, id, name });
      return `stub ${id}`;
    },
  };
}

const hydrated = (hex: string) => codec.hydrate(decode(fromHex(hex)), importer());

describe("what travels as a reference", () => {
  const pinned = { front: true };
  test.each<[name: string, value: object]>([
    ["a function", () => {}],
    ["a class", Account],
    ["an instance of a ByReference class", new Account()],
    ["a marked plain object", byReference({})],
    ["a marked array", byReference([1])],
    ["a marked function", byReference(() => {})],
    ["a pinned object", pinned],
    ["a Proxy that carries the mark", new Proxy(() => {}, {})],
  ])("%s", (_name, value) => {
    const exporter = new TestExporter();
    exporter.pinned.add(pinned);
    const { value: marker, references } = decode(encode(value, exporter));
    expect(exporter.exported).toEqual([value]);
    expect(references).toEqual([marker]);
  });

  test("each meeting is a reference of its own", () => {
    const callback = () => {};
    const exporter = new TestExporter();
    const { references } = decode(encode([callback, callback], exporter));
    expect(references.map(({ id }) => id)).toEqual([1, 2]);
  });

  test("references are no objects to refer back to", () => {
    const shared = {};
    expect(toHex(encode([() => {}, shared, shared]))).toBe("93c70202010180d40101");
  });
});

describe("the wire form", () => {
  test.each<[hex: string, reference: WireReference]>([
    ["c7 03 02 00 05 41", { kind: "object", id: 5, name: "A" }],
    ["d5 02 01 7f", { kind: "function", id: 127, name: "" }],
    ["d6 02 02 8001 ", { kind: "home", id: 128, name: "" }],
    ["c7 0b 02 00 ffffffffffffff0f c3a9", { kind: "object", id: Number.MAX_SAFE_INTEGER, name: "é" }],
  ])("%s", (hex, reference) => {
    const bytes = hex.replace("d6 02 02 8001 ", "c7 03 02 02 8001");
    const exporter = new TestExporter();
    exporter.reference = () => reference;
    expect(decode(fromHex(bytes)).references).toMatchObject([reference]);
    const written = encode(() => {}, exporter);
    expect(decode(written).references).toMatchObject([reference]);
  });

  test("is inert", () => {
    const { value } = decode(encode(new Account()));
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(value))).toEqual(["constructor"]);
    expect(Reflect.get(value as object, "then")).toBeUndefined();
  });
});

describe("hydrating", () => {
  test("asks once for each reference, in their order, and puts stubs in place", () => {
    const exporter = new TestExporter();
    const f = () => {};
    const value = {
      a: f,
      list: [f, sparseWith(f)],
      map: new Map<unknown, unknown>([
        ["k", f],
        [f, 1],
        ["z", 2],
      ]),
      set: new Set<unknown>([1, f, 2]),
      error: Object.assign(new Error("x", { cause: f }), { code: f }),
      bare: Object.assign(Object.create(null), { f }),
    };
    const asked = importer();
    const copy = codec.hydrate(decode(encode(value, exporter)), asked);
    expect(asked.asked.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(copy).toEqual({
      a: "stub 1",
      list: ["stub 2", sparseWith("stub 3")],
      map: new Map<unknown, unknown>([
        ["k", "stub 4"],
        ["stub 5", 1],
        ["z", 2],
      ]),
      set: new Set([1, "stub 6", 2]),
      error: Object.assign(new Error("x", { cause: "stub 7" }), { code: "stub 8" }),
      bare: Object.assign(Object.create(null), { f: "stub 9" }),
    });
    const { map, set, error } = copy as typeof value;
    expect([...map.keys()]).toEqual(["k", "stub 5", "z"]);
    expect([...set]).toEqual([1, "stub 6", 2]);
    expect(Object.getOwnPropertyDescriptor(error, "cause")?.enumerable).toBe(false);
    expect(Object.keys(error)).toEqual(["code"]);
  });

  test("brings an object home", () => {
    const account = new Account();
    const callback = () => {};
    expect(roundTrip(account)).toBe(account);
    expect(roundTrip([callback])).toEqual([callback]);
  });

  test("keeps a key __proto__ data", () => {
    const copy = hydrated("81 a9 5f5f70726f746f5f5f d5020105") as object;
    expect(Object.getOwnPropertyDescriptor(copy, "__proto__")).toMatchObject({ value: "stub 5", enumerable: true });
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  test("keeps shared identity and cycles", () => {
    const shared = { f: () => {} };
    const map = new Map<unknown, unknown>([[() => {}, shared]]);
    map.set("self", map);
    const [a, b] = roundTrip([shared, map]) as [typeof shared, typeof map];
    expect(a.f).toBe(shared.f);
    expect([...b.values()]).toEqual([a, b]);
  });

  test("without references is the value itself, and asks nothing", () => {
    const decoded = decode(encode({ a: [1] }));
    const nobody: Importer = {
      resolve: () => {
        throw new Error("asked");
      },
    };
    expect(codec.hydrate(decoded, nobody)).toBe(decoded.value);
  });

  test("refuses two keys that turn out to be one", () => {
    const same: Importer = { resolve: () => "same" };
    for (const hex of ["c900000009 08 82 d5020101 01 d5020102", "c900000009 09 92 d5020101 d5020102"]) {
      const bytes = fromHex(hex);
      bytes[4] = bytes.length - 6;
      expect(() => codec.hydrate(decode(bytes), same)).toThrow(expect.objectContaining({ code: "protocol" }));
    }
  });
});

describe("malformed references are refused before anything is resolved", () => {
  test.each([
    ["an unknown kind", "d5 02 04 01"],
    ["no id", "d4 02 00"],
    ["an id beyond 2^53 - 1", "c7 09 02 00 8080808080808010"],
    ["an id that goes on for ever", "c7 0b 02 00 ffffffffffffffffff01"],
    ["a name that is not UTF-8", "c7 03 02 00 05 ff"],
    ["a name of 65 characters", `c7 43 02 00 05 ${"61".repeat(65)}`],
    ["a name for a result", "c7 03 02 03 05 41"],
    ["a name for home", "c7 03 02 02 05 41"],
    ["a function named then", "81 a4 7468656e d5020105"],
    ["an object named then", "81 a4 7468656e c70202 0005"],
    ["a reference named then without a prototype", "c900000009 0a 81 a47468656e d5020105 "],
    ["a reference as a key", "81 d5020105 01"],
    ["a reference as an error's message", "c900000014 0b a54572726f72 81 a76d657373616765 d5020105 80"],
  ])("%s", (_name, hex) => {
    const bytes = fromHex(hex);
    if (bytes[0] === 0xc9) bytes[4] = bytes.length - 6;
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code: "protocol", outcome: "not-executed" }));
  });
});

function sparseWith(value: unknown): unknown[] {
  return Object.assign(new Array(2), { 1: value });
}
