/** How long a small call takes while 64 MiB travel on its connection, there or back. */
import { connect, connectionOf, type Remote } from "farref";
import { Child } from "../child.ts";
import { median, percentile } from "../load.ts";
import type { Options } from "../options.ts";
import { markdown } from "../table.ts";
import { large, limits, type Shop } from "./shop.ts";

export interface BesideResult {
  readonly name: string;
  readonly rounds: readonly Round[];
  readonly failure?: Error | undefined;
}

/** In milliseconds. */
interface Round {
  readonly quiet: readonly number[];
  readonly beside: readonly number[];
  readonly largeMs: number;
}

const rounds = 5;
/** Transfers in a round: all but one in a hundred calls is said of many. */
const transfers = 6;
const quietCalls = 3_000;
/** Of the p99 when nothing else travels. */
const goal = 3;

const ways: readonly { readonly name: string; travel(shop: Remote<Shop>): Promise<unknown> }[] = [
  { name: "beside 64 MiB sent", travel: (shop) => shop.take(large) },
  { name: "beside 64 MiB received", travel: (shop) => shop.give() },
];

export async function measureBeside(options: Options): Promise<readonly BesideResult[]> {
  const wanted = ways.filter(({ name }) => name.includes(options.only));
  if (wanted.length === 0) return [];
  const server = await Child.start(new URL("./process.js", import.meta.url), []);
  try {
    const shop = await connect<Shop>(server.address, { limits });
    const results = await eachWay(shop, wanted);
    await connectionOf(shop).close();
    return results;
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return wanted.map(({ name }) => ({ name, rounds: [], failure }));
  } finally {
    server.stop();
  }
}

async function eachWay(shop: Remote<Shop>, wanted: typeof ways): Promise<BesideResult[]> {
  const small = await shop.small();
  const call = () => small.plus(1);
  await Promise.all(wanted.map(({ travel }) => travel(shop)));
  await timesOf(call, quietCalls);
  const results = wanted.map(({ name }) => ({ name, rounds: [] as Round[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, { travel }] of wanted.entries()) results[i]?.rounds.push(await roundOf(call, () => travel(shop)));
  }
  return results;
}

async function roundOf(call: () => Promise<unknown>, travel: () => Promise<unknown>): Promise<Round> {
  const quiet = await timesOf(call, quietCalls);
  const startedAt = performance.now();
  const beside: number[] = [];
  for (let i = 0; i < transfers; i++) beside.push(...(await timesWhile(call, travel())));
  return { quiet, beside, largeMs: (performance.now() - startedAt) / transfers };
}

async function timesWhile(call: () => Promise<unknown>, travelling: Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  let isThere = false;
  const arrived = travelling.finally(() => {
    isThere = true;
  });
  while (!isThere) times.push(await timeOf(call));
  await arrived;
  return times;
}

async function timesOf(call: () => Promise<unknown>, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await timeOf(call));
  return times;
}

async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await call();
  return performance.now() - startedAt;
}

const columns = ["a small call", "p50 quiet, ms", "p50, ms", "p99 quiet, ms", "p99, ms", "ratio", "goal", "", "MiB/s"];

export function besideTable(results: readonly BesideResult[]): string[] {
  return markdown(columns, results.map(row));
}

function row({ name, rounds, failure }: BesideResult): string[] {
  if (failure) return [name, "failed", ...columns.slice(2).map(() => "")];
  const of = (figure: (round: Round) => number) => median(rounds.map(figure));
  const ratio = of(({ quiet, beside }) => percentile(99, beside) / percentile(99, quiet));
  const shown = [50, 99].flatMap((percent) => [
    of(({ quiet }) => percentile(percent, quiet)).toFixed(2),
    of(({ beside }) => percentile(percent, beside)).toFixed(2),
  ]);
  const speed = of(({ largeMs }) => large.length / 1024 / 1024 / (largeMs / 1000));
  return [name, ...shown, ratio.toFixed(1), goal.toFixed(1), ratio <= goal ? "met" : "missed", speed.toFixed(0)];
}
