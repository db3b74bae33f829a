import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LeakCheckedPair } from "../../../conformance/src/index.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { seed, value } from "./arbitrary.ts";
import { difference } from "./difference.ts";

/** Keeps what arrives, where the test can look at it. */
class Keeper {
  arrived: unknown;

  keep(value: unknown): void {
    this.arrived = value;
  }

  home(): unknown {
    return this.arrived;
  }

  carry(value: unknown): never {
    throw Object.assign(new Error("carries", { cause: value }), { detail: value });
  }
}

describe.each(places)("any value, over $place,", ({ at }) => {
  const keeper = new Keeper();
  let pair: LeakCheckedPair<Keeper>;
  beforeAll(async () => {
    pair = await leakCheckedPair(keeper, {}, at);
  });
  afterAll(() => pair[Symbol.asyncDispose]());

  test("arrives as it was sent, and comes home as it was sent", async () => {
    const property = fc.asyncProperty(value, async (given) => {
      await pair.front.keep(given);
      expect(difference(keeper.arrived, given)).toBeUndefined();
      expect(difference(await pair.front.home(), given)).toBeUndefined();
    });
    await fc.assert(property, { seed, numRuns: 200 });
  });

  test("arrives in an error as it was thrown: as its cause, and as its data", async () => {
    const property = fc.asyncProperty(value, async (given) => {
      const error = await pair.front.carry(given).catch((thrown: unknown) => thrown);
      const { cause, data } = error as { cause: unknown; data?: { detail: unknown } };
      expect(difference([cause, data?.detail], [given, given])).toBeUndefined();
    });
    await fc.assert(property, { seed, numRuns: 100 });
  });
});
