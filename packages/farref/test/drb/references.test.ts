/**
 * Carries over what DRb's suite does with references: several servers in one process (`TestDRbMServer`), a reference that
 * goes home, objects that turn into references and back, the text of any object, and the holder that keeps objects for a
 * time. farref keeps an object for as long as somebody holds it, so there is no time to pass.
 */
import { inspect } from "node:util";
import { ByReference, byReference, connect, connectionOf, isRemote, type Remote, release, startService } from "farref";
import { describe, expect, test } from "vitest";
import { collectGarbage } from "../../../conformance/src/index.ts";
import { RawPeer } from "../../../core/test/session/raw-peer.ts";
import { until } from "../../../core/test/session/waiting.ts";
import { leakCheckedPair, places } from "../places.ts";

class Named extends ByReference {
  readonly #name: string;
  disposals = 0;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  name(): string {
    return this.#name;
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

class Registry {
  readonly own = new Named("own");
  readonly #met = new Map<string, unknown>();

  getOwn(): Named {
    return this.own;
  }

  isOwn(value: unknown): boolean {
    return value === this.own;
  }

  async namesOf(objects: readonly Remote<Named>[]): Promise<string[]> {
    return Promise.all(objects.map((object) => object.name()));
  }

  /** Remembers a value under a name, as a table of objects by their numbers does. */
  keep(name: string, value: unknown): void {
    this.#met.set(name, value);
  }

  fetch(name: string): unknown {
    return this.#met.get(name);
  }

  forget(name: string): boolean {
    return this.#met.delete(name);
  }
}

describe.each(places)("services of one process, over $place,", ({ at }) => {
  test("share nothing: objects of three are passed to a fourth, and each is reached where it lives", async () => {
    const registries = [new Registry(), new Registry(), new Registry()];
    await using pair = await leakCheckedPair(at, new Registry());
    await using first = await startService(at.freshUri(), registries[0]);
    await using second = await startService(at.freshUri(), registries[1]);
    await using third = await startService(at.freshUri(), registries[2]);
    const fronts = await Promise.all([first, second, third].map(({ uri }) => connect<Registry>(uri)));
    const objects = await Promise.all(fronts.map((front) => front.getOwn()));
    expect(new Set(objects).size).toBe(3);
    expect(await pair.front.namesOf(objects)).toEqual(["own", "own", "own"]);
    for (const [i, front] of fronts.entries()) {
      const isOwn = await Promise.all(objects.map((object) => front.isOwn(object)));
      expect(isOwn).toEqual([0, 1, 2].map((j) => i === j));
    }
    await Promise.all(fronts.map((front) => connectionOf(front).close()));
    expect(registries.map(({ own }) => own.disposals)).toEqual([1, 1, 1]);
  });
});

describe.each(places)("a reference, over $place,", ({ at }) => {
  test("that goes home is the object itself, alone, in a list, as a key, and to those who stand beside it", async () => {
    const registry = new Registry();
    await using pair = await leakCheckedPair(at, registry);
    using own = await pair.front.getOwn();
    expect(await pair.front.isOwn(own)).toBe(true);
    await pair.front.keep("list", [own, new Map([[own, new Set([own])]])]);
    expect(registry.fetch("list")).toEqual([registry.own, new Map([[registry.own, new Set([registry.own])]])]);
    expect(await pair.front.fetch("list")).toEqual([own, new Map([[own, new Set([own])]])]);
    await pair.front.forget("list");
  });

  test.each<readonly [what: string, make: () => object, isReference: boolean]>([
    ["an object of a class by reference", () => new Named("x"), true],
    ["a marked object", () => byReference({ name: () => "x" }), true],
    ["a function", () => () => "x", true],
    ["a class", () => Named, true],
    ["an empty list", () => [], false],
    ["a plain object", () => ({ a: 1 }), false],
    ["a Date", () => new Date(5), false],
  ])("of %s is what was sent, when it comes back", async (_what, make, isReference) => {
    const registry = new Registry();
    await using pair = await leakCheckedPair(at, registry);
    const sent = make();
    await pair.front.keep("it", sent);
    expect(isRemote(registry.fetch("it"))).toBe(isReference);
    const back = await pair.front.fetch("it");
    if (isReference) expect(back).toBe(sent);
    else expect(back).toStrictEqual(sent);
    await pair.front.forget("it");
  });

  test.each([null, undefined, 0, -1, true, "", "text"])("is none where %j is sent", async (value) => {
    await using pair = await leakCheckedPair(at, new Registry());
    await pair.front.keep("it", value);
    expect(await pair.front.fetch("it")).toBe(value);
    await pair.front.forget("it");
  });

  test("keeps its object while it is held, however idle: collecting on both sides takes nothing away", async () => {
    const pool = { fresh: () => new Named("fresh") };
    await using pair = await leakCheckedPair(at, pool);
    const stubs: Remote<Named>[] = [];
    for (let i = 0; i < 20; i++) stubs.push(await pair.front.fresh());
    for (let i = 0; i < 3; i++) collectGarbage();
    const names = await Promise.all(stubs.map((stub) => stub.name()));
    expect(names).toEqual(Array.from({ length: 20 }, () => "fresh"));
    for (const stub of stubs) release(stub);
    await pair.assertEmpty();
  });

  test("that is given up lets its object go, once; the stub is stale, and the object may be sent again", async () => {
    const registry = new Registry();
    await using pair = await leakCheckedPair(at, registry);
    const own = await pair.front.getOwn();
    expect(await own.name()).toBe("own");
    release(own);
    await until(() => registry.own.disposals === 1);
    await expect(own.name()).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
    using again = await pair.front.getOwn();
    expect(again).not.toBe(own);
    expect(await again.name()).toBe("own");
  });

  test("that nobody looks at any more gives its object up by itself", async () => {
    const registry = new Registry();
    await using pair = await leakCheckedPair(at, registry);
    await (async () => {
      const own = await pair.front.getOwn();
      expect(await own.name()).toBe("own");
    })();
    await pair.assertEmpty();
    expect(registry.own.disposals).toBe(1);
  });

  test("is no number to be guessed: one that was never given out, or given up, reaches nothing", async () => {
    await using pair = await leakCheckedPair(at, new Registry());
    {
      await using raw = await RawPeer.connect(at.transport, pair.service.uri);
      raw.call(1, 0, "getOwn");
      const [own = 0] = (await raw.nextResult()).references;
      raw.call(2, own, "name");
      expect(await raw.nextResult()).toMatchObject({ callId: 2, value: "own" });
      raw.release(own, 1);
      const stale = ["stale-reference", expect.any(String), "not-executed"];
      for (const [i, number] of [own, own + 1, 8, 2 ** 40].entries()) {
        raw.call(3 + i, number, "name");
        expect(await raw.nextError()).toMatchObject({ callId: 3 + i, parts: stale });
      }
    }
    await until(() => pair.service.sessions.size === 1);
  });
});

describe.each(places)("the text of a stub, over $place,", ({ at }) => {
  const shy: ProxyHandler<object> = {
    getPrototypeOf: () => {
      throw new Error("no prototype for you");
    },
  };
  const failing = {
    get: () => {
      throw new Error("no name for you");
    },
  };
  test.each<readonly [what: string, make: () => object, type: string]>([
    ["an object without a prototype", () => Object.create(null), "Object"],
    ["an object of a class without a name", () => new (class {})(), "Object"],
    ["an object whose class hides its name", () => new (Object.defineProperty(class {}, "name", failing))(), "Object"],
    [
      "an object that names itself and fails",
      () => ({
        get [Symbol.toStringTag]() {
          throw new Error("no");
        },
      }),
      "Object",
    ],
    [
      "an object that prints itself and fails",
      () => ({
        toString() {
          throw new Error("no");
        },
      }),
      "Object",
    ],
    ["a function that has lost its name", () => Object.defineProperty(() => {}, "name", { value: 5 }), "Function"],
    ["a long name", () => ({ ["x".repeat(1_000)]: () => {} })["x".repeat(1_000)] as object, "x".repeat(64)],
  ])("of %s is never a failure", async (_what, make, type) => {
    await using pair = await leakCheckedPair(at, { thing: () => byReference(make()) });
    using thing = await pair.front.thing();
    expect(`${thing}`).toBe(`[remote ${type} ${pair.service.uri} #1]`);
    expect(inspect(thing)).toBe(`${thing}`);
  });

  test("of an object that does not let itself be looked at is none: it is refused, by name", async () => {
    await using pair = await leakCheckedPair(at, {
      thing: () => new Proxy(new Named("shy"), shy),
      name: () => "front",
    });
    await expect(pair.front.thing()).rejects.toMatchObject({ code: "unsupported-value", outcome: "executed" });
    expect(await pair.front.name()).toBe("front");
  });
});
