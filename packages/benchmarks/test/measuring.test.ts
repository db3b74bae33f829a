import { describe, expect, test } from "vitest";
import { contenderNamed } from "../src/contenders.ts";
import { lateChainTable } from "../src/late-chain.ts";
import { atATime, median, oneAtATime } from "../src/load.ts";
import { readOptions } from "../src/options.ts";
import { referencesTable } from "../src/references/measure.ts";
import { scenarios } from "../src/scenarios.ts";
import { streamsTable } from "../src/streams/measure.ts";
import { tableOf } from "../src/table.ts";

describe("loads", () => {
  test("end at their number of calls", async () => {
    let calls = 0;
    await oneAtATime(async () => calls++, { seconds: 60, maxCalls: 160 });
    expect(calls).toBe(160);
  });

  test("end when their time is over", async () => {
    const start = performance.now();
    const callsPerSecond = await oneAtATime(() => Promise.resolve(), { seconds: 0.02, maxCalls: Number.MAX_VALUE });
    expect(performance.now() - start).toBeLessThan(1000);
    expect(callsPerSecond).toBeGreaterThan(100);
  });

  test("keep their number of calls running, and wait for the last", async () => {
    let running = 0;
    let most = 0;
    const call = async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    await atATime(100)(call, { seconds: 60, maxCalls: 1000 });
    expect({ most, running }).toEqual({ most: 100, running: 0 });
  });

  test("fail with the first call that fails", async () => {
    const failing = () => Promise.reject(new Error("gone"));
    await expect(atATime(3)(failing, { seconds: 1, maxCalls: 10 })).rejects.toThrow("gone");
  });
});

test("medians", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test("options have defaults and bounds", () => {
  expect(readOptions([])).toEqual({ rounds: 7, seconds: 0.7, only: "" });
  expect(readOptions(["--rounds", "3", "--only", "ws"])).toEqual({ rounds: 3, seconds: 0.7, only: "ws" });
  expect(() => readOptions(["--rounds", "many"])).toThrow("--rounds");
  expect(() => readOptions(["--second", "1"])).toThrow();
});

test("the table compares with the floor of the same scenario, round by round", () => {
  const scenario = scenarios[0];
  if (!scenario) throw new Error("no scenarios");
  const floor = { scenario, contender: contenderNamed("floor", scenario.transport), rounds: [50_000, 25_000, 50_000] };
  const other = { ...floor, contender: { ...floor.contender, name: "farref" }, rounds: [40_000, 20_000, 10_000] };
  const lines = tableOf([floor, other]).map((line) => line.replaceAll(/ +/g, " "));
  expect(lines.at(-2)).toBe("| add, one at a time, tcp | floor | 50,000 | 1.00 | | |");
  expect(lines.at(-1)).toBe("| add, one at a time, tcp | farref | 20,000 | 0.80 | 0.70 | met |");
});

test("the other tables show figures, and judge those with a goal", () => {
  const lastOf = (lines: readonly string[]) => lines.at(-1)?.replaceAll(/ +/g, " ");
  const figures = [{ end: "owner", figure: 249.6, goal: 250 }];
  expect(lastOf(referencesTable([{ name: "live", figures }]))).toBe("| live | owner | 250 | 250 | met |");
  const grown = [{ of: "grows, MiB", shown: "9.0", goal: "8.0", isMet: false }];
  expect(lastOf(streamsTable([{ name: "1 GiB", figures: grown }]))).toBe("| 1 GiB | grows, MiB | 9.0 | 8.0 | missed |");
  const failure = new Error("gone");
  expect(lastOf(streamsTable([{ name: "1 GiB", figures: [], failure }]))).toBe("| 1 GiB | failed | | | |");
  const chain = { name: "all at once", timesMs: [20, 25, 90], goalMs: 30 };
  expect(lastOf(lateChainTable([chain]))).toBe("| all at once | 25.0 | 30 | met |");
});
