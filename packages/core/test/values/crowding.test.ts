import { describe, expect, test } from "vitest";
import { Crowding } from "../../src/values/crowding.ts";
import { collide, collidingBigints, collidingIntegers } from "./colliding.ts";
import { decode, encode } from "./support.ts";

const refused = expect.objectContaining({
  name: "RpcError",
  code: "limit-exceeded",
  outcome: "not-executed",
  detail: expect.stringMatching(/^keys chosen to collide at byte \d+$/),
});

const count = 4_096;
const chosen = { integers: collidingIntegers(count), bigints: collidingBigints(count) };

// Another engine, or another version of this one, may hash in another way: then nobody can choose these.
describe.each(Object.entries(chosen).filter(([, keys]) => collide(keys)))("%s chosen to collide", (_, keys) => {
  test("are refused as keys of a Map", () => {
    const bytes = encode(new Map<unknown, number>(keys.map((key) => [key, 1])));
    expect(() => decode(bytes)).toThrow(refused);
  });

  test("are refused however often they come: an optimised look is a look all the same", () => {
    const bytes = encode(new Set<unknown>(keys));
    const honest = encode(new Set(keys.map((_, i) => i)));
    for (let i = 0; i < 60; i++) {
      expect(() => decode(honest)).not.toThrow();
      expect(() => decode(bytes)).toThrow(refused);
    }
  });

  test("are refused as members of a Set, and in what it stands in", () => {
    expect(() => decode(encode({ ids: [1, new Set<unknown>(keys)] }))).toThrow(refused);
  });

  test("are refused among others that are not", () => {
    const mixed = keys.flatMap((key, i): unknown[] => [key, `name ${i}`, i / 7]);
    expect(() => decode(encode(new Set(mixed)))).toThrow(refused);
  });

  test("are taken where they are no keys", () => {
    const list = decode(encode(keys)).value;
    expect(list).toEqual(keys);
  });
});

test("V8 of this version puts both kinds into one bucket", { skip: !process.versions["v8"]?.startsWith("11.") }, () => {
  expect(Object.values(chosen).map((keys) => collide(keys))).toEqual([true, true]);
});

describe("keys that nobody has chosen", () => {
  const many = Array.from({ length: 60_000 }, (_, i) => i);
  test.each<[name: string, keys: readonly unknown[]]>([
    ["0, 1, 2, …", many],
    ["-1, -2, -3, …", many.map((i) => -1 - i)],
    ["thousands", many.map((i) => i * 1_000)],
    ["powers of two and more", many.map((i) => i * 65_536)],
    ["times of day", many.map((i) => 1_700_000_000_000 + i * 60_000)],
    ["fractions", many.map((i) => i / 64)],
    ["random numbers", many.map(() => Math.random())],
    ["bigints", many.map((i) => BigInt(i) * 1_000_003n)],
    ["numbers as texts", many.map((i) => `${i * 4_096}`)],
    ["dates as texts", many.map((i) => new Date(i * 86_400_000).toISOString().slice(0, 10))],
    ["names", many.map((i) => `user-${i}`)],
  ])("%s are taken", (_, keys) => {
    const set = new Set(keys);
    expect((decode(encode(set)).value as Set<unknown>).size).toBe(set.size);
    const map = new Map(keys.map((key) => [key, 1]));
    expect((decode(encode(map)).value as Map<unknown, number>).size).toBe(map.size);
  });
});

describe("what is measured", () => {
  /** A set that takes a while to look into. */
  const slow = { has: () => busyFor(0.01) } as unknown as ReadonlySet<unknown>;
  const quick = new Set<unknown>();

  function busyFor(ms: number): boolean {
    const until = performance.now() + ms;
    while (performance.now() < until);
    return true;
  }

  const addTo = (holder: ReadonlySet<unknown>, keys: readonly unknown[]) => {
    const crowding = new Crowding();
    for (const [i, key] of keys.entries()) crowding.added(holder, key, i);
  };
  const keysOf = (key: (i: number) => unknown, length = 512) => Array.from({ length }, (_, i) => key(i));
  const collision = expect.objectContaining({ code: "limit-exceeded", what: "keys chosen to collide" });

  test.each<[kind: string, key: (i: number) => unknown]>([
    ["numbers", (i) => i],
    ["bigints", (i) => BigInt(i)],
    ["texts", (i) => `${i}`],
  ])("is how long a look at %s takes, once there are many of them", (_, key) => {
    expect(() => addTo(slow, keysOf(key, 511))).not.toThrow();
    expect(() => addTo(slow, keysOf(key))).toThrow(collision);
    expect(() => addTo(quick, keysOf(key, 5_120))).not.toThrow();
  });

  test("is not what engines hash by no content at all", () => {
    expect(() =>
      addTo(
        slow,
        keysOf(() => ({})),
      ),
    ).not.toThrow();
    expect(() =>
      addTo(
        slow,
        keysOf((i) => i % 2 === 0),
      ),
    ).not.toThrow();
  });
});
