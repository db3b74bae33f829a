/**
 * Carries over what DRb's suite does with blocks: iterating over a far array and a far hash (`DRbAry`, `DRbCore`), leaving
 * early, skipping, values by reference, a time limit on a slow block; and how control leaves a block. A block is a callback.
 */
import { ByReference, byReference, expose, isRemote, type Remote, RemoteError, release, withOptions } from "farref";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { gate } from "../../../core/test/session/waiting.ts";
import { byAnyName, leakCheckedPair, places } from "../places.ts";

type Item = number | string;
const items: readonly Item[] = [1, 2, "III", 4, "five", 6];

class List {
  /** How often an iteration came to its end, orderly or not. */
  left = 0;
  #kept: Remote<(item: Item) => unknown> | undefined;

  async each(block: (item: Item) => unknown): Promise<string> {
    try {
      for (const item of items) await block(item);
      return "all of them";
    } finally {
      this.left++;
    }
  }

  async map(block: (item: Item) => unknown): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const item of items) answers.push(await block(item));
    return answers;
  }

  /** Goes on until the block finds something: what `break` with a value is for. */
  async find(block: (item: Item) => { readonly found: unknown } | undefined): Promise<unknown> {
    for (const item of items) {
      const answer = await block(item);
      if (answer) return answer.found;
    }
    return undefined;
  }

  /** Takes the block's failure as an answer. */
  async attempt(block: (item: Item) => unknown): Promise<unknown> {
    try {
      return await block(1);
    } catch (error) {
      const { remoteName, message, data } = error as RemoteError;
      return { caught: remoteName, message, data };
    }
  }

  keep(block: Remote<(item: Item) => unknown>): void {
    this.#kept = block;
  }

  async callKept(item: Item): Promise<unknown> {
    return this.#kept?.(item);
  }

  async callKeptWithin(timeoutMs: number): Promise<unknown> {
    if (!this.#kept) throw new Error("nothing is kept");
    return withOptions(this.#kept, { timeoutMs })(1);
  }

  drop(): void {
    if (this.#kept) release(this.#kept);
    this.#kept = undefined;
  }
}

describe.each(places)("an array, over $place,", ({ at }) => {
  test("is a stub; of its own methods those can be called that are named", async () => {
    await using pair = await leakCheckedPair(at, expose([...items], ["at", "join"]));
    expect(isRemote(pair.front)).toBe(true);
    expect([await pair.front.at(2), await pair.front.join()]).toEqual(["III", items.join()]);
    for (const name of ["push", "map", "length", "0"]) {
      await expect(byAnyName(pair.front)[name]?.()).rejects.toMatchObject({ code: "not-exposed" });
    }
  });

  test("that is marked has no methods at all", async () => {
    await using pair = await leakCheckedPair(at, byReference([...items]));
    expect(isRemote(pair.front)).toBe(true);
    await expect(byAnyName(pair.front)["at"]?.(0)).rejects.toMatchObject({ code: "not-exposed" });
  });

  test("is collected in its order, and mapped to what the block answers", async () => {
    await using pair = await leakCheckedPair(at, new List());
    const seen: Item[] = [];
    expect(await pair.front.each((item) => seen.push(item))).toBe("all of them");
    expect(seen).toEqual(items);
    expect(await pair.front.map((item) => `${item}!`)).toEqual(items.map((item) => `${item}!`));
  });

  test("is left early when the block throws: what came before was seen, the method's own end is run", async () => {
    const list = new List();
    await using pair = await leakCheckedPair(at, list);
    const seen: Item[] = [];
    class Break extends Error {}
    const leaving = pair.front.each((item) => {
      if (item === 4) throw new Break("enough");
      seen.push(item);
    });
    await expect(leaving).rejects.toMatchObject({ message: "enough", data: { remoteName: "Break" } });
    expect(seen).toEqual([1, 2, "III"]);
    expect(list.left).toBe(1);
    expect(await pair.front.each(() => {})).toBe("all of them");
  });

  test("has items skipped where the block returns at once", async () => {
    await using pair = await leakCheckedPair(at, new List());
    const seen: Item[] = [];
    await pair.front.each((item) => {
      if (typeof item === "string") return;
      seen.push(item);
    });
    expect(seen).toEqual([1, 2, 4, 6]);
  });

  test("is left with a value, which becomes the result of the call", async () => {
    await using pair = await leakCheckedPair(at, new List());
    let asked = 0;
    const find = (wanted: Item) =>
      pair.front.find((item) => {
        asked++;
        return item === wanted ? { found: `${item} at last` } : undefined;
      });
    expect(await find("III")).toBe("III at last");
    expect(asked).toBe(3);
    expect(await find("none")).toBeUndefined();
  });
});

class Entry extends ByReference {
  readonly #value: string;

  constructor(value: string) {
    super();
    this.#value = value;
  }

  value(): string {
    return this.#value;
  }
}

class Hash {
  readonly #data = new Map([
    ["a", 1],
    ["b", 2],
  ]);
  readonly #entries = new Map([
    ["a", new Entry("first")],
    ["b", new Entry("second")],
  ]);

  async each(block: (key: string, value: number) => unknown): Promise<void> {
    for (const [key, value] of this.#data) await block(key, value);
  }

  async eachEntry(block: (key: string, value: Entry) => unknown): Promise<void> {
    for (const [key, value] of this.#entries) await block(key, value);
  }
}

describe.each(places)("a hash, over $place,", ({ at }) => {
  test("is iterated by a block: keys and values are copied", async () => {
    await using pair = await leakCheckedPair(at, new Hash());
    const seen = new Map<string, number>();
    await pair.front.each((key, value) => seen.set(key, value).size);
    expect([...seen]).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });

  test("has values by reference: the block gets stubs, and may call them while it runs", async () => {
    await using pair = await leakCheckedPair(at, new Hash());
    const seen: unknown[] = [];
    await pair.front.eachEntry(async (key, value) => {
      using entry = value;
      seen.push([key, isRemote(entry), await entry.value()]);
    });
    expect(seen).toEqual([
      ["a", true, "first"],
      ["b", true, "second"],
    ]);
  });
});

describe.each(places)("a block, over $place,", ({ at }) => {
  test("that takes too long fails the method that limits its time, twice in a row, and nothing else", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(at, new List(), { clock });
    let isSlow = true;
    let begun = gate();
    const finish = gate();
    await pair.front.keep(async (item) => {
      begun.open();
      if (isSlow) await finish.opened;
      return item;
    });
    for (let i = 0; i < 2; i++) {
      begun = gate();
      const call = pair.front.callKeptWithin(100);
      await begun.opened;
      clock.advance(100);
      await expect(call).rejects.toMatchObject({ remoteName: "RpcError", code: "timeout" });
    }
    finish.open();
    isSlow = false;
    expect(await pair.front.callKeptWithin(100)).toBe(1);
    await pair.front.drop();
  });

  test("that throws is an error in the method, which may take it, or let it through to the caller", async () => {
    await using pair = await leakCheckedPair(at, new List());
    class Odd extends Error {
      readonly of = 1;
    }
    const throwing = () => {
      throw new Odd("odd");
    };
    expect(await pair.front.attempt(throwing)).toEqual({ caught: "Odd", message: "odd", data: { of: 1 } });
    const failure = await pair.front.each(throwing).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RemoteError);
    expect(failure).toMatchObject({ message: "odd", data: { remoteName: "Odd", data: { of: 1 } } });
  });

  test("that is kept is called later, after the call that brought it", async () => {
    await using pair = await leakCheckedPair(at, new List());
    const seen: Item[] = [];
    await pair.front.keep((item) => seen.push(item));
    expect(await pair.front.callKept(5)).toBe(1);
    expect(await pair.front.callKept("six")).toBe(2);
    expect(seen).toEqual([5, "six"]);
    await pair.front.drop();
  });

  test("may be a method of a far object, of this service's own or of another's", async () => {
    await using pair = await leakCheckedPair(at, new List());
    await using other = await leakCheckedPair(at, { double: (item: Item) => `${item}${item}` });
    const { double } = other.front;
    expect(await pair.front.map(double)).toEqual(items.map((item) => `${item}${item}`));
  });

  test("may call the service again while it is called, as deep as that goes", async () => {
    class Ladder {
      async down(levels: number, block: (levels: number) => Promise<number>): Promise<number> {
        return levels === 0 ? 0 : 1 + (await block(levels - 1));
      }
    }
    await using pair = await leakCheckedPair(at, new Ladder());
    const climb = (levels: number): Promise<number> => pair.front.down(levels, climb);
    expect(await climb(10)).toBe(10);
    await expect(climb(100)).rejects.toMatchObject({ message: expect.stringContaining("maxCallDepth") });
    expect(await climb(10)).toBe(10);
  });
});
