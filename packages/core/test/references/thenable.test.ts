import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { memoryTransport } from "../../../transports/src/index.ts";
import { ByReference, isRemote, sameReference } from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { callPayload, framed, RawPeer, RawReference } from "../session/raw-peer.ts";
import { failureOf } from "../session/waiting.ts";

class Thing extends ByReference {
  work(): string {
    return "worked";
  }
}

/** What would be taken for a promise, were it ever resolved bare. */
const thenable = (then: unknown): object => Object.fromEntries([[["th", "en"].join(""), then]]);

describe("a stub", () => {
  test.each<[string, (stub: object) => unknown]>([
    ["await", async (stub) => await stub],
    ["Promise.resolve", (stub) => Promise.resolve(stub)],
    ["Promise.all", async (stub) => (await Promise.all([stub]))[0]],
    ["an async function that returns it", async (stub) => stub],
    ["a promise resolved with it", (stub) => new Promise((resolve) => resolve(stub))],
    [
      "an async generator",
      async (stub) =>
        (async function* () {
          yield stub;
        })()
          .next()
          .then(({ value }) => value),
    ],
  ])("passes through %s as itself, without a call", async (_way, pass) => {
    await using pair = await leakCheckedPair({ thing: () => new Thing() });
    using stub = await pair.front.thing();
    const { callsOut } = pair.connection.stats();
    expect((await pass(stub)) === stub).toBe(true);
    expect((await pass(pair.front)) === pair.front).toBe(true);
    expect(pair.connection.stats().callsOut).toBe(callsOut);
  });

  test.each<[string, (stub: object) => unknown]>([
    ["then", (stub) => Reflect.get(stub, "then")],
    ["catch", (stub) => Reflect.get(stub, "catch")],
    ["finally", (stub) => Reflect.get(stub, "finally")],
    ["toJSON", (stub) => Reflect.get(stub, "toJSON")],
    ["constructor", (stub) => Reflect.get(stub, "constructor")],
    ["prototype", (stub) => Reflect.get(stub, "prototype")],
    ["$$typeof", (stub) => Reflect.get(stub, "$$typeof")],
    ["asymmetricMatch", (stub) => Reflect.get(stub, "asymmetricMatch")],
    ["Symbol.iterator", (stub) => Reflect.get(stub, Symbol.iterator)],
    ["Symbol.asyncIterator", (stub) => Reflect.get(stub, Symbol.asyncIterator)],
    ["Symbol.toStringTag", (stub) => Reflect.get(stub, Symbol.toStringTag)],
    ["any other symbol", (stub) => Reflect.get(stub, Symbol("x"))],
  ])("has no %s", async (_name, look) => {
    await using pair = await leakCheckedPair({ thing: () => new Thing(), give: () => () => 1 });
    using stub = await pair.front.thing();
    using given = await pair.front.give();
    expect(look(stub)).toBeUndefined();
    expect(look(given)).toBeUndefined();
    expect(look(pair.front)).toBeUndefined();
  });

  test.each<[string, (stub: object) => unknown, unknown]>([
    ["a template", (stub) => `${stub}`, expect.stringMatching(/^\[remote Thing memory:.* #1\]$/)],
    ["String", (stub) => String(stub), expect.stringMatching(/^\[remote Thing memory:.* #1\]$/)],
    ["toString", (stub) => (stub as { toString(): string }).toString(), expect.stringMatching(/^\[remote Thing /)],
    ["util.inspect", (stub) => inspect(stub), expect.stringMatching(/^\[remote Thing memory:.* #1\]$/)],
    ["util.inspect, deep inside", (stub) => inspect({ a: [stub] }), expect.stringContaining("[remote Thing memory:")],
    ["util.inspect with proxies shown", (stub) => inspect(stub, { showProxy: true }), expect.any(String)],
    [
      "JSON",
      (stub) => JSON.stringify({ a: stub }),
      expect.stringMatching(/^\{"a":\{"\$remote":"\[remote Thing memory:.* #1\]"\}\}$/),
    ],
    ["Object.keys", (stub) => Object.keys(stub), expect.any(Array)],
    ["in", (stub) => "work" in stub, expect.any(Boolean)],
    [
      "for in",
      (stub) => {
        const keys = [];
        for (const key in stub) keys.push(key);
        return keys;
      },
      expect.any(Array),
    ],
    ["spread", (stub) => Object.keys({ ...stub }).includes("work"), false],
    ["Object.assign", (stub) => Object.keys(Object.assign({}, stub)).includes("work"), false],
    ["typeof", (stub) => typeof stub, "object"],
    ["instanceof", (stub) => stub instanceof Thing, false],
    ["equality", (stub) => [stub].includes(stub), true],
    ["Object.is", (stub) => Object.is(stub, stub), true],
    ["valueOf", (stub) => stub.valueOf() === stub, true],
    ["isRemote", (stub) => isRemote(stub), true],
    ["sameReference", (stub) => sameReference(stub, stub), true],
    ["a Map key", (stub) => new Map([[stub, 1]]).get(stub), 1],
    ["Array.isArray", (stub) => Array.isArray(stub), false],
    ["Object.getPrototypeOf", (stub) => typeof Object.getPrototypeOf(stub), "object"],
    ["hasOwn", (stub) => Object.hasOwn(stub, "work"), false],
    [
      "structuredClone, which fails",
      (stub) => {
        try {
          structuredClone(stub);
          return "cloned";
        } catch {
          return "failed";
        }
      },
      "failed",
    ],
    ["taking a method off without calling it", (stub) => typeof Reflect.get(stub, "work"), "function"],
  ])("is looked at by %s without a call", async (_way, look, expected) => {
    await using pair = await leakCheckedPair({ thing: () => new Thing() });
    using stub = await pair.front.thing();
    const { callsOut } = pair.connection.stats();
    expect(look(stub)).toEqual(expected);
    look(pair.front);
    expect(pair.connection.stats().callsOut).toBe(callsOut);
  });

  test("can't be changed", async () => {
    await using pair = await leakCheckedPair({ thing: () => new Thing(), give: () => () => 1 });
    using thing = await pair.front.thing();
    using given = await pair.front.give();
    for (const stub of [thing, given]) {
      expect(() => Object.assign(stub, { name: "x" })).toThrow(TypeError);
      expect(() => Object.defineProperty(stub, "x", { value: 1 })).toThrow(TypeError);
      expect(() => Object.setPrototypeOf(stub, null)).toThrow(TypeError);
      expect(() => Object.freeze(stub)).toThrow(TypeError);
      expect(() => Reflect.deleteProperty(stub, "work")).toThrow(TypeError);
    }
  });

  test("gives a method that works when taken off, the same each time", async () => {
    await using pair = await leakCheckedPair({ thing: () => new Thing() });
    using thing = await pair.front.thing();
    const { work } = thing;
    expect(thing.work).toBe(work);
    expect(await work()).toBe("worked");
  });
});

describe("an object with a function named then", () => {
  const wrappings: readonly (readonly [where: string, wrap: (value: object) => unknown])[] = [
    ["bare", (value) => value],
    ["in an array", (value) => [value]],
    ["deep in an object", (value) => ({ a: { b: value } })],
    ["in a Map", (value) => new Map([["key", value]])],
    ["as a Map key", (value) => new Map([[value, 1]])],
    ["in a Set", (value) => new Set([value])],
    ["in an error", (value) => Object.assign(new Error("x"), { value })],
  ];

  test.each(wrappings)("%s is refused by the sender of an argument", async (_where, wrap) => {
    let calls = 0;
    await using pair = await leakCheckedPair({ take: (_value: unknown) => {} });
    const then = () => void calls++;
    await expect(pair.front.take(wrap(thenable(then)))).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
    });
    expect(pair.connection.stats()).toMatchObject({ exports: 0, callsOut: 0 });
    expect(calls).toBe(0);
  });

  test.each(wrappings.slice(1))("%s is refused as a result, executed", async (_where, wrap) => {
    let calls = 0;
    await using pair = await leakCheckedPair({ give: () => wrap(thenable(() => void calls++)) });
    await expect(pair.front.give()).rejects.toMatchObject({ code: "unsupported-value", outcome: "executed" });
    expect(calls).toBe(0);
  });

  test.each(wrappings)("%s, made up by a peer, is refused before anything is called", async (_where, wrap) => {
    let calls = 0;
    await using pair = await leakCheckedPair({
      async take(_value: unknown) {
        calls++;
      },
    });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const call = framed(frame.call, callPayload(1, 0, "take", [wrap({ thex: new RawReference("function", 7, "x") })]));
    const at = Buffer.from(call).indexOf("thex");
    call.set(Buffer.from("then"), at);
    raw.write(call);
    const { parts, callId } = await raw.nextError();
    expect(callId).toBe(1);
    expect(parts[2]).toBe("not-executed");
    expect(calls).toBe(0);
    expect(raw.frames).toEqual([]);
  });

  test("made up by a server as a result fails the call, and calls nobody", async () => {
    await using pair = await leakCheckedPair(
      { ask: async (callback: () => Promise<unknown>) => (await failureOf(callback())).message },
      {},
    );
    expect(await pair.front.ask(() => ({ deep: thenable(() => {}) }) as never)).toMatch(/then/);
  });

  test("that is data travels: only functions make a promise", async () => {
    await using pair = await leakCheckedPair({ echo: (value: unknown) => [value] });
    const value = thenable("a word");
    expect(await pair.front.echo(value)).toEqual([value]);
    expect(await pair.front.echo({ constructor: 1, prototype: 2, toJSON: 3 })).toEqual([
      { constructor: 1, prototype: 2, toJSON: 3 },
    ]);
  });

  test("by class can't be exported", async () => {
    class Promised extends ByReference {
      // biome-ignore lint/suspicious/noThenProperty: that it is refused is the point.
      then(): void {}
    }
    await using pair = await leakCheckedPair({ give: () => [new Promised()], take: (_value: unknown) => {} });
    await expect(pair.front.give()).rejects.toMatchObject({ code: "unsupported-value", outcome: "executed" });
    await expect(pair.front.take(new Promised())).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
    });
  });
});
