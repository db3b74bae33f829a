import { describe, expect, test } from "vitest";
import { byReference } from "../../src/values/marks.ts";
import { createCodec } from "../../src/values/message-pack.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { encode, encodeList, limits, sparse, TestExporter } from "./support.ts";

class Account {
  readonly balance = 1;
}
const never = () => {
  throw new Error("code of the program ran");
};
const shared = () => new SharedArrayBuffer(8);
const forged = (prototype: object) => Object.create(prototype) as unknown;
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const refusals: readonly (readonly [name: string, make: () => unknown, cure: RegExp])[] = [
  [
    "a class instance",
    () => new Account(),
    /are not copied; extend ByReference, use byReference\(object\), or send plain data$/,
  ],
  ["a subclass of Map", () => new (class Cache extends Map {})(), /class instances/],
  ["a subclass of Array", () => new (class List extends Array {})(), /class instances/],
  ["a symbol", () => Symbol("s"), /symbols/],
  ["a symbol key", () => ({ [Symbol("s")]: 1 }), /symbol keys/],
  ["a symbol key on an array", () => Object.assign([], { [Symbol("s")]: 1 }), /symbol keys/],
  ["an extra property on an array", () => Object.assign([1, 2], { extra: 1 }), /properties of its own/],
  [
    "an extra property on a sparse array",
    () => Object.assign(sparse(2, { 1: 2 }), { extra: 1 }),
    /properties of its own/,
  ],
  ["an extra property on a long array", () => Object.assign(new Array(100).fill(0), { extra: 1 }), /of its own/],
  ["the match of a RegExp", () => /b/.exec("abc"), /properties of its own/],
  ["an extra property on a Map", () => Object.assign(new Map(), { extra: 1 }), /properties of its own/],
  ["an extra property on a Set", () => Object.assign(new Set(), { extra: 1 }), /properties of its own/],
  ["an extra property on a Date", () => Object.assign(new Date(), { extra: 1 }), /properties of its own/],
  ["an extra property on a RegExp", () => Object.assign(/a/, { extra: 1 }), /properties of its own/],
  ["an extra property on a URL", () => Object.assign(new URL("a:b"), { extra: 1 }), /properties of its own/],
  ["an extra property on a Uint8Array", () => Object.assign(new Uint8Array(2), { extra: 1 }), /properties of its own/],
  ["an extra property on an ArrayBuffer", () => Object.assign(new ArrayBuffer(2), { extra: 1 }), /of its own/],
  ["a promise", () => Promise.resolve(1), /await/],
  ["a WeakMap", () => new WeakMap(), /weak/],
  ["a WeakSet", () => new WeakSet(), /weak/],
  ["a WeakRef", () => new WeakRef({}), /weak/],
  ["a boxed number", () => Object(1), /boxed/],
  ["a boxed string", () => Object("s"), /boxed/],
  ["a boxed bigint", () => Object(1n), /boxed/],
  ["a boxed symbol", () => Object(Symbol.iterator), /boxed/],
  ["shared memory", shared, /shared memory/],
  ["a view of shared memory", () => new Uint8Array(shared()), /shared memory/],
  ["a typed array of shared memory", () => new Int32Array(shared()), /shared memory/],
  ["a generator", () => (function* () {})(), /iterators/],
  ["an async generator", () => (async function* () {})(), /iterators/],
  ["an array's iterator", () => [][Symbol.iterator](), /iterators/],
  ["a ReadableStream", () => new ReadableStream(), /streams/],
  ["an AbortSignal", () => new AbortController().signal, /signal/],
  ["a forged Map", () => forged(Map.prototype), /reading it failed/],
  ["a forged Date", () => forged(Date.prototype), /reading it failed/],
  ["a forged Uint8Array", () => forged(Uint8Array.prototype), /class instances|reading it failed/],
  ["a revoked Proxy", revoked, /reading it failed/],
  ["a Proxy whose traps throw", () => new Proxy({}, { ownKeys: never }), /code of the program ran/],
  [
    "a Proxy that throws what can't be printed",
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw Object.create(null);
          },
        },
      ),
    /reading/,
  ],
  ["a RegExp with an odd lastIndex", () => Object.assign(/a/g, { lastIndex: "1" }), /lastIndex/],
];

/** An `RpcError` about `path` that tells `why`. */
const refused = (why: RegExp, path: string) =>
  expect.objectContaining({
    name: "RpcError",
    code: "unsupported-value",
    outcome: "not-sent",
    detail: expect.stringMatching(new RegExp(`^${path.replaceAll(/[[\](){}.$]/g, "\\$&")}: .*${why.source}`)),
  });

describe.each(refusals)("%s is refused", (_name, make, cure) => {
  test("alone", () => {
    expect(() => encode(make())).toThrow(refused(cure, "result"));
  });
  test("deep inside, with its path", () => {
    expect(() => encodeList([0, { user: { tags: [make()] } }])).toThrow(refused(cure, "args[1].user.tags[0]"));
  });
  test("in a Map and in an error", () => {
    expect(() => encode(new Map([["k", make()]]))).toThrow(refused(cure, 'result.get("k")'));
    expect(() => encode(new Error("x", { cause: make() }))).toThrow(refused(cure, "result.cause"));
  });
});

describe("accessors are refused without being run", () => {
  const accessor = { get: never, enumerable: true };
  test.each<[name: string, value: object]>([
    ["on a plain object", Object.defineProperty({ a: 1 }, "b", accessor)],
    ["on an object without prototype", Object.defineProperty(Object.create(null), "b", accessor)],
    ["on an error", Object.defineProperty(new Error("x"), "b", accessor)],
  ])("%s", (_name, value) => {
    expect(() => encode({ at: value })).toThrow(refused(/accessors/, "result.at.b"));
  });

  test("setters without a getter too", () => {
    expect(() => encode({ set only(_value: number) {} })).toThrow(refused(/accessors/, "result.only"));
  });

  test("beside the elements of a short array", () => {
    expect(() => encode(Object.defineProperty([1], "b", accessor))).toThrow(refused(/of its own/, "result"));
  });

  test("in the place of an error's message", () => {
    expect(() => encode(Object.defineProperty(new Error(), "message", { get: never }))).toThrow(
      refused(/accessors/, "result"),
    );
  });
});

describe("what could be taken for a promise is refused", () => {
  const pinned = { front: true };
  test.each<[name: string, then: unknown]>([
    ["a function", () => {}],
    ["a marked object", byReference({})],
    ["a pinned object", pinned],
  ])("%s named then", (_name, then) => {
    const exporter = new TestExporter();
    exporter.pinned.add(pinned);
    for (const value of [
      { then },
      Object.assign(Object.create(null), { then }),
      Object.assign(new Error(), { then }),
    ]) {
      expect(() => encode(value, exporter)).toThrow(refused(/promise/, "result.then"));
    }
    expect(exporter.exported).toEqual([]);
  });
});

describe("paths", () => {
  const bad = Symbol("bad");
  test.each<[path: string, value: unknown]>([
    ['result["odd key"].a', { "odd key": { a: bad } }],
    ['result[""]', { "": bad }],
    ["result.größe", { größe: bad }],
    ["result[2]", sparse(3, { 2: bad })],
    [
      "result<key 1>",
      new Map<unknown, unknown>([
        ["a", 1],
        [bad, 2],
      ]),
    ],
    ["result<key 0>.a", new Map([[{ a: bad }, 2]])],
    ["result.get(7)", new Map([[7, bad]])],
    ["result.get(<object>)", new Map([[{}, bad]])],
    ["result<member 1>", new Set([1, bad])],
    ["result.errors[1]", new AggregateError([1, bad])],
    ["result.data", Object.assign(new Error(), { data: bad })],
  ])("%s", (path, value) => {
    expect(() => encode(value)).toThrow(
      expect.objectContaining({ detail: expect.stringContaining(`${path}: symbols`) }),
    );
  });
});

describe("a refused value", () => {
  test("leaves nothing in the writer", () => {
    const writer = new ByteWriter(new Uint8Array(8));
    writer.u8(7);
    const codec = createCodec();
    const big = ["x".repeat(1_000), Symbol("bad")];
    expect(() => codec.encode(writer, big, new TestExporter(), limits, "result")).toThrow();
    expect([...writer.written()]).toEqual([7]);
  });

  test("leaves nothing behind for the next", () => {
    const shared = {};
    expect(() => encode([shared, Symbol("bad")])).toThrow();
    expect([...encode([shared])]).toEqual([0x91, 0x80]);
  });

  test("may make its own call while it is read", () => {
    const nosy = new Proxy({}, { ownKeys: () => [...encode([1, 2]).keys()].map(() => "a").slice(0, 0) });
    expect([...encode([{}, nosy, {}])]).toEqual([0x93, 0x80, 0x80, 0x80]);
  });

  test("keeps the code an exporter refused with, and names the place", async () => {
    const { RpcError } = await import("../../src/errors/rpc-error.ts");
    const exporter = new TestExporter();
    exporter.reference = () => {
      throw new RpcError("limit-exceeded", "too many objects (maxExports)", "not-sent");
    };
    expect(() => encode({ on: { end: () => {} } }, exporter)).toThrow(
      expect.objectContaining({ code: "limit-exceeded", detail: "result.on.end: too many objects (maxExports)" }),
    );
  });
});
