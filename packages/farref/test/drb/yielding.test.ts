/**
 * Carries over what DRb's suite asks of `yield` (`DRbYield`): one value, several, none, and lists that are not taken
 * apart. A block is a callback. The same body runs on an object that is here and on the same object from afar.
 */
import { describe, expect, test } from "vitest";
import { leakCheckedPair, places } from "../places.ts";

type Block = (...values: unknown[]) => unknown;

interface Yielding {
  each(block: Block, ...lists: unknown[][]): Promise<unknown[]>;
  pairs(block: (pair: [key: unknown, value: unknown]) => unknown): Promise<unknown[]>;
}

class Yielder implements Yielding {
  /** Calls the block once with each list of values, and tells what it answered. */
  async each(block: Block, ...lists: unknown[][]): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const list of lists) answers.push(await block(...list));
    return answers;
  }

  /** Calls the block with one value that has two parts. */
  async pairs(block: (pair: [unknown, unknown]) => unknown): Promise<unknown[]> {
    return this.each(block as Block, [["key", "value"]], [["key", undefined]], [[[], null]]);
  }
}

const sides: readonly { readonly side: string; use(body: (yielder: Yielding) => Promise<void>): Promise<void> }[] = [
  { side: "here", use: (body) => body(new Yielder()) },
  ...places.map(({ place, at }) => ({
    side: `from afar, over ${place}`,
    async use(body: (yielder: Yielding) => Promise<void>) {
      await using pair = await leakCheckedPair(at, new Yielder());
      await body(pair.front);
    },
  })),
];

/** What a block is called with. */
const values: Block = (...given) => given;

describe.each(sides)("a block that is called $side", ({ use }) => {
  test("with one value gets it, also when it is nothing or an empty list", () =>
    use(async (yielder) => {
      const lists = [[1], [undefined], [null], [[]], [["one"]], [{ a: 1 }]];
      expect(await yielder.each(values, ...lists)).toStrictEqual(lists);
      expect(await yielder.each((only) => only, ...lists)).toStrictEqual(lists.map(([only]) => only));
    }));

  test("with two values gets both, and one that has two parts as one", () =>
    use(async (yielder) => {
      const lists = [
        ["one", "two"],
        ["one", undefined],
        [undefined, "two"],
        [[], []],
      ];
      expect(await yielder.each(values, ...lists)).toStrictEqual(lists);
      expect(await yielder.each((first, second) => ({ first, second }), ["one", "two"])).toEqual([
        { first: "one", second: "two" },
      ]);
      expect(await yielder.pairs(([key, value]) => [value, key])).toStrictEqual([
        ["value", "key"],
        [undefined, "key"],
        [null, []],
      ]);
    }));

  test("with none to three values gets as many, and lists as lists", () =>
    use(async (yielder) => {
      const lists = [[], [1], [1, 2], [1, 2, 3], [[]], [[], []], [[1]], [[1, 2]], [[1, 2, 3]], [[[1]], 2]];
      expect(await yielder.each((...given) => given.length, ...lists)).toEqual([0, 1, 2, 3, 1, 2, 1, 1, 1, 2]);
      expect(await yielder.each(values, ...lists)).toStrictEqual(lists);
    }));

  test("with more values than it takes leaves the rest, with fewer has nothing in their place", () =>
    use(async (yielder) => {
      const two: Block = (first, second) => ({ first, second });
      expect(await yielder.each(two, [1, 2, 3], [1], [])).toStrictEqual([
        { first: 1, second: 2 },
        { first: 1, second: undefined },
        { first: undefined, second: undefined },
      ]);
      const rest: Block = (first, ...others) => [first, others];
      expect(await yielder.each(rest, [1, 2, 3], [1])).toStrictEqual([
        [1, [2, 3]],
        [1, []],
      ]);
    }));

  test("answers what it returns, at once or later", () =>
    use(async (yielder) => {
      const lists = [[1], [2]];
      expect(await yielder.each((n) => Number(n) * 2, ...lists)).toEqual([2, 4]);
      expect(await yielder.each(async (n) => Number(n) * 2, ...lists)).toEqual([2, 4]);
      expect(await yielder.each(() => {}, ...lists)).toEqual([undefined, undefined]);
    }));
});
