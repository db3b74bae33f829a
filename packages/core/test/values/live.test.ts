import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LeakCheckedPair } from "../../../conformance/src/index.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { liveIn, liveRows, usedUp, wrappingsFor } from "./live.ts";

class LiveDesk {
  async useUp(value: unknown): Promise<unknown[]> {
    return usedUp(value);
  }

  give(row: string, where: string): unknown {
    return liveIn(row, where);
  }

  async ask(block: () => Promise<unknown>): Promise<unknown[]> {
    return usedUp(await block());
  }

  fail(row: string, where: string): never {
    throw new Error("carries", { cause: liveIn(row, where) });
  }
}

describe.each(places)("over $place", ({ at }) => {
  let pair: LeakCheckedPair<LiveDesk>;
  beforeAll(async () => {
    pair = await leakCheckedPair(new LiveDesk(), {}, at);
  });
  afterAll(() => pair[Symbol.asyncDispose]());

  describe.each(liveRows)("$name goes on", (row) => {
    const { name, make } = row;
    test.each(wrappingsFor(row))("$where", async ({ where, wrap }) => {
      const [expected] = await usedUp(make());
      expectAll(await pair.front.useUp(wrap(make())), expected);
      expectAll(await usedUp(await pair.front.give(name, where)), expected);
      expectAll(await pair.front.ask(async () => wrap(make())), expected);
      const error = await pair.front.fail(name, where).catch((thrown: unknown) => thrown);
      expectAll(await usedUp(error), expected);
    });
  });
});

/** What stands twice in a message may arrive as one or as two: an iterable is begun for each of its places. */
function expectAll(found: readonly unknown[], expected: unknown): void {
  expect(found).not.toEqual([]);
  for (const one of found) expect(one).toEqual(expected);
}
