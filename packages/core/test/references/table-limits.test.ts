import { describe, expect, test } from "vitest";
import { collectGarbage, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { ByReference, type Platform, plainPlatform, type Remote, release } from "../../src/index.ts";
import { leakCheckedPair, tcp } from "../session/pairs.ts";
import { RawPeer, RawReference } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";

class Thing extends ByReference {
  static disposed = 0;

  work(): string {
    return "worked";
  }

  [Symbol.dispose](): void {
    Thing.disposed++;
  }
}

/** Knows how to collect, as a platform does. */
const collecting: Platform = { ...plainPlatform, collectGarbage };

describe("limits.maxExports", () => {
  test("refuses the result that would export one object more, executed, and nobody else's", async () => {
    await using pair = await leakCheckedPair({ thing: () => new Thing() }, { service: { limits: { maxExports: 3 } } });
    const things = await Promise.all([pair.front.thing(), pair.front.thing(), pair.front.thing()]);
    await expect(pair.front.thing()).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "executed",
      message: expect.stringContaining("limits.maxExports is 3"),
    });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.call(1, 0, "thing");
    expect(await raw.nextResult()).toMatchObject({ callId: 1 });
    release(things[0] as Remote<Thing>);
    await until(() => pair.session.stats().exports === 2);
    using fourth = await pair.front.thing();
    expect(await fourth.work()).toBe("worked");
    for (const thing of things) release(thing);
  });

  test("refuses the argument that would, not-sent, and counts nothing of that call", async () => {
    await using pair = await leakCheckedPair(
      { take: (..._things: unknown[]) => {} },
      { connection: { limits: { maxExports: 3 } } },
    );
    const callbacks = [1, 2, 3, 4].map((n) => () => n);
    await expect(pair.front.take(...callbacks)).rejects.toMatchObject({ code: "limit-exceeded", outcome: "not-sent" });
    expect(pair.connection.stats().exports).toBe(0);
    await pair.front.take(...callbacks.slice(1));
  });

  test("keeps to the other end's limits.maxImports", async () => {
    await using pair = await leakCheckedPair(
      { thing: () => new Thing() },
      { connection: { limits: { maxImports: 2 } } },
    );
    using _first = await pair.front.thing();
    using _second = await pair.front.thing();
    await expect(pair.front.thing()).rejects.toMatchObject({ code: "limit-exceeded", outcome: "executed" });
  });
});

describe("limits.maxImports", () => {
  test("refuses a call with one reference more, not-executed, and gives all of its references back", async () => {
    let taken = 0;
    const kept: unknown[] = [];
    await using pair = await leakCheckedPair(
      {
        keep(...things: unknown[]) {
          taken++;
          kept.push(...things);
        },
        drop: () => {
          for (const thing of kept.splice(0)) release(thing as Remote<Thing>);
        },
      },
      { service: { limits: { maxImports: 3 } } },
    );
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    const references = (...ids: number[]) => ids.map((id) => new RawReference("object", id));
    raw.call(1, 0, "keep", references(1, 2, 3));
    await raw.nextResult();
    raw.call(2, 0, "keep", references(4));
    expect(await raw.nextError()).toMatchObject({
      callId: 2,
      parts: ["limit-exceeded", expect.any(String), "not-executed"],
    });
    raw.call(3, 0, "keep", references(1, 2));
    expect(await raw.nextResult()).toMatchObject({ callId: 3 });
    expect(taken).toBe(2);
    expect(session?.stats().imports).toBe(3);
    await pair.front.drop();
  });

  test("is not what an honest program runs into: near it, the engine is asked to collect", async () => {
    await using pair = await leakCheckedPair(
      { call: (callback: () => number) => callback(), drop: (_callback: () => void) => {} },
      { service: { limits: { maxImports: 40 }, platform: collecting } },
    );
    for (let i = 0; i < 400; i++) {
      await pair.front.drop(() => {});
      if (i % 8 === 0) await turns(2);
    }
    await pair.assertEmpty();
  });
});

test("50,000 calls with a callback of their own each stay within the default limits", { timeout: 60_000 }, async () => {
  await using pair = await leakCheckedPair(
    { call: async (callback: (n: number) => number, n: number): Promise<number> => callback(n) },
    { service: { platform: collecting }, connection: { platform: collecting } },
    tcp,
  );
  let sum = 0;
  for (let batch = 0; batch < 500; batch++) {
    const numbers = Array.from({ length: 100 }, (_, i) => batch * 100 + i);
    const answers = await Promise.all(numbers.map((n) => pair.front.call((given) => given + 1, n)));
    for (const answer of answers) sum += answer;
  }
  expect(sum).toBe((50_000 * 50_001) / 2);
});

test("60,000 objects made, called and dropped never fill a table", { timeout: 60_000 }, async () => {
  Thing.disposed = 0;
  await using pair = await leakCheckedPair(
    { things: (count: number) => Array.from({ length: count }, () => new Thing()) },
    {
      service: { platform: collecting, limits: { maxExports: 5_000 } },
      connection: { platform: collecting, limits: { maxImports: 5_000 } },
    },
    tcp,
  );
  const useOne = async (i: number) => (await pair.front.things(100))[i % 100]?.work();
  for (let i = 0; i < 600; i++) expect(await useOne(i)).toBe("worked");
  await pair.assertEmpty();
  expect(Thing.disposed).toBe(60_000);
});

test("method names, however many, fill nothing: past the first few thousand they travel as text", async () => {
  const front = Object.fromEntries(Array.from({ length: 4_200 }, (_, i) => [`method${i}`, () => i]));
  await using pair = await leakCheckedPair(front);
  const answers = await Promise.all(Object.keys(front).map((name) => pair.front[name]?.()));
  expect(answers).toEqual(Object.keys(front).map((_, i) => i));
});
