/**
 * Carries over what DRb's suite sends that is large (`DRbLarge`, the limits of `DRbCore`): long lists of numbers, of
 * strings, of what cannot be copied; too many arguments, too many bytes. Nothing hangs, and the next call is answered.
 */
import { ByReference, byReference, type Remote } from "farref";
import { describe, expect, test } from "vitest";
import { leakCheckedPair, places } from "../places.ts";

class Item extends ByReference {
  readonly #value: number;

  constructor(value: number) {
    super();
    this.#value = value;
  }

  value(): number {
    return this.#value;
  }
}

/** What a program of strings or numbers may well get wrong. */
type Summand = number | string;

class Statistics {
  size(list: readonly unknown[]): number {
    return list.length;
  }

  sum(list: readonly Summand[]): Summand | undefined {
    if (list.length === 0) return undefined;
    return list.reduce((total, each) => {
      if (typeof each !== typeof total) throw new TypeError(`${typeof each} after ${typeof total}`);
      return (total as number) + (each as number);
    });
  }

  power(base: bigint, exponent: bigint): bigint {
    return base ** exponent;
  }

  average(list: readonly number[]): number | undefined {
    return list.length === 0 ? undefined : Number(this.sum(list)) / list.length;
  }

  median(list: readonly number[]): number | undefined {
    const sorted = list.toSorted((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : this.average(sorted.slice(middle - 1, middle + 1));
  }

  async sizeOf(list: Remote<{ size(): number }>): Promise<number> {
    return list.size();
  }

  async sumOf(items: readonly Remote<Item>[]): Promise<number> {
    const values = await Promise.all(items.map((item) => item.value()));
    for (const item of items) item[Symbol.dispose]();
    return values.reduce((total, value) => total + value, 0);
  }

  count(...values: readonly unknown[]): number {
    return values.length;
  }
}

const many = 10_240;
const numbers = Array.from({ length: many }, (_, i) => i + 1);
const tooMuch = (limit: string) => ({
  code: "limit-exceeded",
  outcome: "not-sent",
  message: expect.stringContaining(limit),
});

describe.each(places)("a large list, over $place,", ({ at }) => {
  test("of numbers is counted, summed, averaged", async () => {
    await using pair = await leakCheckedPair(at, new Statistics());
    expect(await pair.front.size(numbers)).toBe(many);
    expect(await pair.front.sum(numbers)).toBe((many * (many + 1)) / 2);
    expect(await pair.front.average(numbers)).toBe((many + 1) / 2);
    expect(await pair.front.median(numbers)).toBe((many + 1) / 2);
    expect(await pair.front.median(numbers.slice(1))).toBe(many / 2 + 1);
  });

  test("of strings is counted and joined; what the method makes of strings and numbers is its own error", async () => {
    await using pair = await leakCheckedPair(at, new Statistics());
    const strings = numbers.map(String);
    expect(await pair.front.size(strings)).toBe(many);
    expect(await pair.front.sum(strings)).toBe(strings.join(""));
    const mixed = { remoteName: "TypeError", message: "number after string" };
    await expect(pair.front.sum([...strings, 1])).rejects.toMatchObject(mixed);
    expect(await pair.front.size([1])).toBe(1);
  });

  test("of what cannot be copied is refused for its first element, and leaves nothing behind", async () => {
    await using pair = await leakCheckedPair(at, new Statistics());
    class Opaque {}
    const opaque = Array.from({ length: many }, () => new Opaque());
    const refused = {
      code: "unsupported-value",
      outcome: "not-sent",
      message: expect.stringContaining("args[0][0]: "),
    };
    await expect(pair.front.size(opaque)).rejects.toMatchObject(refused);
    await expect(pair.front.size([...numbers, new Opaque()])).rejects.toMatchObject({
      message: expect.stringContaining(`args[0][${many}]: `),
    });
    await pair.assertEmpty();
    expect(await pair.front.sizeOf(byReference({ size: () => opaque.length }))).toBe(many);
  });

  test("of objects by reference has a stub for each", async () => {
    await using pair = await leakCheckedPair(at, new Statistics());
    const items = Array.from({ length: 1_000 }, (_, i) => new Item(i));
    expect(await pair.front.sumOf(items)).toBe(499_500);
  });

  test("that is small, of one, or empty is what it is", async () => {
    await using pair = await leakCheckedPair(at, new Statistics());
    const { front } = pair;
    for (const [list, size, sum, average, median] of [
      [[3, 1, 4, 2], 4, 10, 2.5, 2.5],
      [[3, 1, 2], 3, 6, 2, 2],
      [[7], 1, 7, 7, 7],
      [[], 0, undefined, undefined, undefined],
    ] as const) {
      const told = [await front.size(list), await front.sum(list), await front.average(list), await front.median(list)];
      expect(told).toEqual([size, sum, average, median]);
    }
  });
});

describe.each(places)("a large number, over $place,", ({ at }) => {
  test("is exact up to a kilobyte, and a named error beyond", async () => {
    await using pair = await leakCheckedPair(at, new Statistics());
    expect(await pair.front.power(2n, 8_191n)).toBe(2n ** 8_191n);
    const beyond = { code: "limit-exceeded", outcome: "executed", message: expect.stringContaining("1 KiB") };
    await expect(pair.front.power(2n, 10_240n)).rejects.toMatchObject(beyond);
    expect(await pair.front.power(2n, 3n)).toBe(8n);
  });
});

describe.each(places)("a limit, over $place,", ({ at }) => {
  test("of what a message holds counts arguments: as many as it says, and not one more", async () => {
    await using pair = await leakCheckedPair(at, new Statistics(), { service: { limits: { maxNodes: 8 } } });
    expect(await pair.front.count(1, 2, 3, 4, 5, 6, 7, 8)).toBe(8);
    await expect(pair.front.count(1, 2, 3, 4, 5, 6, 7, 8, 9)).rejects.toMatchObject(tooMuch("maxNodes"));
    expect(await pair.front.count(1)).toBe(1);
  });

  test("of a message's bytes refuses what is larger, and the connection goes on", async () => {
    await using pair = await leakCheckedPair(at, new Statistics(), { service: { limits: { maxMessageBytes: 4_096 } } });
    expect(await pair.front.count("x".repeat(4_000))).toBe(1);
    await expect(pair.front.count("x".repeat(4_096))).rejects.toMatchObject(tooMuch("maxMessageBytes"));
    expect(await pair.front.count("x")).toBe(1);
  });

  test("of 100 kB does not hang on 102,400 strings", async () => {
    const limits = { maxMessageBytes: 100_000 };
    await using pair = await leakCheckedPair(at, new Statistics(), { service: { limits } });
    const strings = Array.from({ length: 102_400 }, () => "1");
    await expect(pair.front.size(strings)).rejects.toMatchObject(tooMuch("maxMessageBytes"));
    expect(await pair.front.size(strings.slice(0, 40_000))).toBe(40_000);
  });
});
