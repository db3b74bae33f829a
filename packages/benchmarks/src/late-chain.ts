/** How long a chain of three calls takes over a network with a round trip of 20 ms: call by call, and as a pipeline. */
import { connect, connectionOf, pipeline, type Remote, startService } from "farref";
import { lateRelay } from "./late-relay.ts";
import { median } from "./load.ts";
import { portOf } from "./loopback.ts";
import type { Options } from "./options.ts";
import { type Service, service } from "./service.ts";
import { markdown } from "./table.ts";

export interface LateChainResult {
  readonly name: string;
  readonly timesMs: number[];
  readonly goalMs: number | undefined;
}

const oneWayMs = 10;
const rounds = 15;

interface Way {
  readonly name: string;
  readonly goalMs: number | undefined;
  chain(remote: Remote<Service>): Promise<number>;
}

const ways: readonly Way[] = [
  {
    name: "pipeline, call by call",
    goalMs: undefined,
    async chain(remote) {
      using first = await remote.first();
      using next = await first.next();
      return await next.plus(1);
    },
  },
  { name: "pipeline, all at once", goalMs: 30, chain: (remote) => pipeline(remote).first().next().plus(1) },
];

export async function measureLateChains(options: Options): Promise<readonly LateChainResult[]> {
  if (!ways.some(({ name }) => name.includes(options.only))) return [];
  const results = ways.map(({ name, goalMs }) => ({ name, goalMs, timesMs: [] as number[] }));
  await using served = await startService("tcp://127.0.0.1:0", service);
  const relay = await lateRelay(portOf(served.uri), oneWayMs);
  const remote = await connect<Service>(`tcp://127.0.0.1:${relay.port}`);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { chain }] of ways.entries()) results[i]?.timesMs.push(await timeMs(() => chain(remote)));
  }
  await connectionOf(remote).close();
  relay.close();
  return results;
}

async function timeMs(task: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await task();
  return performance.now() - startedAt;
}

const columns = [`a chain of three, round trip ${2 * oneWayMs} ms`, "ms", "goal", ""];

export function lateChainTable(results: readonly LateChainResult[]): string[] {
  return markdown(
    columns,
    results.map(({ name, timesMs, goalMs }) => {
      const ms = median(timesMs);
      const verdict = goalMs === undefined ? "" : ms < goalMs ? "met" : "missed";
      return [name, ms.toFixed(1), goalMs?.toFixed(0) ?? "", verdict];
    }),
  );
}
