import { describe, expect, test } from "vitest";
import { attacks } from "../src/attack/attacks.ts";
import { flood } from "../src/attack/flood.ts";
import { attackTable } from "../src/attack/measure.ts";
import { connectingTable } from "../src/connecting.ts";
import { contenderNamed } from "../src/contenders.ts";
import { p99OneAtATime, percentile } from "../src/load.ts";

const floods = attacks.filter(({ frames }) => frames !== undefined);

describe.each(floods)("the attack $name", (attack) => {
  test("is whole frames, with numbers that go on", () => {
    const { bytes, nextId } = attack.frames?.(1) ?? { bytes: new Uint8Array(0), nextId: 0 };
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let count = 0;
    let at = 0;
    for (; at < bytes.length; count++) at += 4 + (view.getUint32(at) & 0xffffff);
    expect(at).toBe(bytes.length);
    expect(count).toBe(2_000);
    expect(nextId).toBeGreaterThan(1);
  });

  test("is let in by a server, which serves others meanwhile", async () => {
    const contender = contenderNamed("farref", "tcp");
    const server = await contender.serve();
    const honest = await contender.connect(server.address);
    const flooding = flood(attack, { kind: "service", address: server.address }, 0.1);
    expect(await honest.add(5, 3)).toBe(8);
    expect(await flooding).toBeGreaterThan(2_000);
    expect(await honest.add(5, 3)).toBe(8);
    await honest.close();
    await server.close();
  });
});

test("percentiles", async () => {
  const numbers = Array.from({ length: 200 }, (_, i) => 200 - i);
  expect([percentile(50, numbers), percentile(99, numbers), percentile(100, numbers)]).toEqual([100, 198, 200]);
  expect(percentile(99, [7])).toBe(7);
  const bounds = { seconds: 60, maxCalls: 50 };
  expect(await p99OneAtATime(() => Promise.resolve(), bounds)).toBeLessThan(100);
});

test("the tables judge by ratio, round by round, and by round trips beyond the plain way's", () => {
  const [attack] = floods;
  if (!attack) throw new Error("no attacks");
  const round = (quietMs: number, attackedMs: number) => ({ quietMs, bareMs: 2, attackedMs, bytesPerSecond: 1e6 });
  const result = { attack, rounds: [round(1, 3), round(2, 2), round(4, 6)], grownBytes: 2 ** 20 };
  const [, , row] = attackTable([result]).map((line) => line.replaceAll(/ +/g, " "));
  expect(row).toBe(`| ${attack.name} | 1.0 | 2.00 | 2.00 | 3.00 | 1.50 | 1.50 | 2.00 | met | 1.0 |`);
  const ways = [
    { name: "plain", roundTrips: [1], goal: undefined },
    { name: "proved", roundTrips: [4], goal: 2 },
  ];
  const lines = connectingTable(ways).map((line) => line.replaceAll(/ +/g, " "));
  expect(lines.at(-1)).toBe("| proved | 160 | 4.00 | 3.00 | 2.00 | missed |");
});
