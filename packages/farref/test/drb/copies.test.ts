/**
 * Carries over what is a copy and what is a reference: `DRbUndumped` on a class and on one object, a list with one element
 * that cannot be copied, values of classes that the other side lacks, keyword arguments.
 */
import { ByReference, byReference, isRemote, type Remote } from "farref";
import { describe, expect, test } from "vitest";
import { leakCheckedPair, places } from "../places.ts";

interface Counting {
  count: number;
}

class Counter extends ByReference {
  #count: number;

  constructor(count: number) {
    super();
    this.#count = count;
  }

  increment(): number {
    return ++this.#count;
  }

  count(): number {
    return this.#count;
  }
}

class Clerk {
  incrementAll(counters: Counting[]): number[] {
    return counters.map((counter) => ++counter.count);
  }

  async incrementFar(counters: Remote<Counter>[]): Promise<number[]> {
    const counts: number[] = [];
    for (const counter of counters) counts.push(await counter.increment());
    return counts;
  }

  echo(...values: unknown[]): unknown[] {
    return values;
  }

  areRemote(...values: unknown[]): boolean[] {
    return values.map(isRemote);
  }

  areOne(a: unknown, b: unknown): boolean {
    return a === b;
  }

  kinds(value: unknown): string[] {
    return Object.values(value as object).map((each) => Object.prototype.toString.call(each).slice(8, -1));
  }

  options({ a, b = 2, ...rest }: { a: number; b?: number | undefined; [key: string]: unknown }): unknown {
    return { a, b, rest };
  }
}

const refused = (path: string, name: string) => ({
  code: "unsupported-value",
  outcome: "not-sent",
  message: expect.stringContaining(`${path}: an instance of ${name} is not copied`),
});

describe.each(places)("over $place,", ({ at }) => {
  test("data is copied: what the method changes is its own copy", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    const counters = [{ count: 10 }, { count: 20 }];
    expect(await pair.front.incrementAll(counters)).toEqual([11, 21]);
    expect(counters).toEqual([{ count: 10 }, { count: 20 }]);
  });

  test("objects of a class by reference are not: what the method changes is theirs", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    const counters = [new Counter(10), new Counter(20)];
    expect(await pair.front.incrementFar(counters)).toEqual([11, 21]);
    expect(counters.map((counter) => counter.count())).toEqual([11, 21]);
  });

  test("one object is marked without its class, and the others of that class are not", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    class Plain {
      readonly value = 1;
    }
    expect(await pair.front.areRemote(byReference(new Plain()), { value: 1 })).toEqual([true, false]);
    await expect(pair.front.echo(new Plain())).rejects.toMatchObject(refused("args[0]", "Plain"));
  });

  test("functions are references without a mark", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    const callback = () => {};
    expect(await pair.front.areRemote(callback, class {}, () => 1)).toEqual([true, true, true]);
    expect((await pair.front.echo(callback))[0]).toBe(callback);
  });

  test("an object whose class the other side lacks never leaves: not alone, and not in a list of others", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    class Unknown {}
    await expect(pair.front.echo(1, new Unknown())).rejects.toMatchObject(refused("args[1]", "Unknown"));
    await expect(pair.front.echo([1, 2, new Unknown()])).rejects.toMatchObject(refused("args[0][2]", "Unknown"));
    await expect(pair.front.echo({ deep: { in: new Unknown() } })).rejects.toMatchObject(
      refused("args[0].deep.in", "Unknown"),
    );
    expect(await pair.front.areRemote([1, 2])).toEqual([false]);
  });

  test("what DRb sends by reference because it cannot dump it is either data here or refused", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    const sparse = Object.assign(new Array<unknown>(3), { 1: "one" });
    const data = {
      text: "a\u0000b",
      bytes: new Uint8Array(3),
      map: new Map([[{}, new Set()]]),
      sparse,
      big: 2n ** 100n,
    };
    expect(await pair.front.echo(data)).toStrictEqual([data]);
    expect(await pair.front.kinds(data)).toEqual(["String", "Uint8Array", "Map", "Array", "BigInt"]);
    await expect(pair.front.echo(Promise.resolve())).rejects.toMatchObject({ code: "unsupported-value" });
    await expect(pair.front.echo(Symbol("s"))).rejects.toMatchObject({ code: "unsupported-value" });
  });

  test("identity is kept within a call: in one argument, and over two", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    const shared = { a: 1 };
    expect(await pair.front.areOne(shared, shared)).toBe(true);
    expect(await pair.front.areOne(shared, { a: 1 })).toBe(false);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const [copy] = (await pair.front.echo(cycle)) as [typeof cycle];
    expect(copy.self).toBe(copy);
    expect(copy).not.toBe(cycle);
  });

  test("keywords are an object: required ones, ones with a default, and the rest", async () => {
    await using pair = await leakCheckedPair(at, new Clerk());
    expect(await pair.front.options({ a: 1 })).toEqual({ a: 1, b: 2, rest: {} });
    expect(await pair.front.options({ a: 1, b: 3 })).toEqual({ a: 1, b: 3, rest: {} });
    expect(await pair.front.options({ a: 1, b: undefined, c: 4 })).toEqual({ a: 1, b: 2, rest: { c: 4 } });
    const [arrived] = (await pair.front.echo({ there: undefined })) as [object];
    expect(Object.keys(arrived)).toEqual(["there"]);
  });
});
