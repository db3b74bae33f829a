/** Many references, and references that outlive collections. */
import { describe, expect, test } from "vitest";
import { collectGarbage, turns } from "../../../conformance/src/index.ts";
import { ByReference, type Remote, release } from "../../src/index.ts";
import { leakCheckedPair, tcp } from "../session/pairs.ts";
import { until } from "../session/waiting.ts";

class Counter extends ByReference {
  #count = 0;

  next(): number {
    this.#count++;
    return this.#count;
  }
}

/** One counter that is always the same, and new ones. */
function counters() {
  const kept = new Counter();
  return { kept: () => kept, fresh: () => new Counter(), isKept: (thing: unknown) => thing === kept };
}

type Counters = ReturnType<typeof counters>;

/** Enough for what is new to be held weakly, and for what nobody holds to be gone. */
async function collections(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await turns(3);
  }
}

describe("a stub that has seen the engine collect", () => {
  test("is the same when its object comes again, and the object itself when it goes home", async () => {
    await using pair = await leakCheckedPair(counters());
    using stub = await pair.front.kept();
    expect(await stub.next()).toBe(1);
    await collections();
    expect(await pair.front.kept()).toBe(stub);
    await collections();
    expect(await pair.front.kept()).toBe(stub);
    expect(await pair.front.isKept(stub)).toBe(true);
    expect(await stub.next()).toBe(2);
  });

  test("gives back all its holds when it is released, those from before and those from after", async () => {
    await using pair = await leakCheckedPair(counters());
    const stub = await pair.front.kept();
    await pair.front.kept();
    await collections();
    await pair.front.kept();
    await collections();
    release(stub);
    await until(() => pair.session.stats().exports === 0);
    expect(pair.connection.stats().imports).toBe(0);
  });

  test("and is dropped gives back as many", async () => {
    await using pair = await leakCheckedPair(counters());
    const useAndDrop = async (): Promise<void> => {
      const stub = await pair.front.kept();
      await collections();
      expect(await pair.front.kept()).toBe(stub);
    };
    await useAndDrop();
    await collections();
    await until(() => pair.session.stats().exports === 0);
  });

  test("and is dropped while its object is on its way again leaves it to a new one", async () => {
    await using pair = await leakCheckedPair(counters());
    const drop = async (): Promise<void> => void (await pair.front.kept());
    await drop();
    const again = pair.front.kept();
    await collections();
    using stub = await again;
    expect(await stub.next()).toBe(1);
    expect(pair.session.stats().exports).toBe(1);
  });
});

test("a method taken off a stub is the same function each time, however many it has", async () => {
  const front = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`method${i}`, () => i]));
  await using pair = await leakCheckedPair(front);
  const taken = Object.keys(front).map((name) => pair.front[name] as () => Promise<number>);
  expect(Object.keys(front).map((name) => pair.front[name])).toEqual(taken);
  expect(await Promise.all(taken.map((method) => method()))).toEqual(Object.keys(front).map((_, i) => i));
});

test("stubs show the names of their types, however many there are, and however alike", async () => {
  const names = ["", "é", "日本", ...Array.from({ length: 300 }, (_, i) => `T${i % 10}x${i}`)];
  const things = names.map((name) => Object.assign(() => name, {}));
  for (const [i, thing] of things.entries()) Object.defineProperty(thing, "name", { value: names[i] });
  await using pair = await leakCheckedPair({ things: () => things });
  for (let round = 0; round < 2; round++) {
    const stubs = await pair.front.things();
    expect(stubs.map((stub) => stub.name)).toEqual(names);
    for (const stub of stubs) release(stub);
  }
});

test("20,000 objects made, called and released leave both tables and the heap where they were", {
  timeout: 30_000,
}, async () => {
  await using pair = await leakCheckedPair(counters(), {}, tcp);
  expect(await useFresh(pair.front, 10_000)).toBe(10_000);
  await pair.assertEmpty();
  const before = await aliveBytes();
  expect(await useFresh(pair.front, 20_000)).toBe(20_000);
  await pair.assertEmpty();
  // What a reference costs at both ends, kept for each, would be 8 MB; compiled code comes and goes meanwhile.
  expect((await aliveBytes()) - before).toBeLessThan(1_000_000);
});

/** Returns the sum of what each has answered. */
async function useFresh(front: Remote<Counters>, count: number): Promise<number> {
  let sum = 0;
  const useOne = async (): Promise<void> => {
    using counter = await front.fresh();
    const first = await counter.next();
    sum += first;
  };
  for (let used = 0; used < count; used += 500) await Promise.all(Array.from({ length: 500 }, useOne));
  return sum;
}

async function aliveBytes(): Promise<number> {
  await collections();
  return process.memoryUsage().heapUsed;
}
