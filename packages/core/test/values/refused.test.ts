import { describe, expect, test } from "vitest";
import { byReference } from "../../src/values/marks.ts";
import { createCodec } from "../../src/values/message-pack.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { refusals } from "./refusals.ts";
import { encode, encodeList, limits, TestExporter } from "./support.ts";
import { sparse, wrappings } from "./table.ts";

const never = () => {
  throw new Error("code of the program ran");
};

/** An `RpcError` about `path` that tells `why`. */
const refused = (why: RegExp, path: string) =>
  expect.objectContaining({
    name: "RpcError",
    code: "unsupported-value",
    outcome: "not-sent",
    detail: expect.stringMatching(new RegExp(`^${path.replaceAll(/[[\](){}.$]/g, "\\$&")}: .*${why.source}`)),
  });

describe.each(refusals)("$name is refused", ({ make, cure, path: ending }) => {
  test.each(wrappings)("$where, with its path", ({ wrap, path }) => {
    expect(() => encode(wrap(make()))).toThrow(refused(cure, `result${path}${ending}`));
    expect(() => encodeList([0, wrap(make())])).toThrow(refused(cure, `args[1]${path}${ending}`));
  });

  test("deep inside, with its path", () => {
    expect(() => encodeList([0, { user: { tags: [make()] } }])).toThrow(refused(cure, `args[1].user.tags[0]${ending}`));
  });
});

describe("accessors are refused without being run", () => {
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
