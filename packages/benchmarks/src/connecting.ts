/** What connecting costs in round trips, counted by the time it takes through a relay that makes every byte late. */

import { type ConnectOptions, connect, connectionOf, type ServiceOptions, sharedSecret, startService } from "farref";
import { lateRelay } from "./late-relay.ts";
import { median } from "./load.ts";
import { portOf } from "./loopback.ts";
import type { Options } from "./options.ts";
import { service } from "./service.ts";
import { markdown } from "./table.ts";

export interface ConnectingResult {
  readonly name: string;
  /** Of each round. */
  readonly roundTrips: readonly number[];
  /** Round trips it may cost beyond the first row's. */
  readonly goal: number | undefined;
}

const oneWayMs = 20;
const rounds = 9;

const secret = sharedSecret("measured, not guessed");

interface Way {
  readonly name: string;
  readonly service: ServiceOptions;
  readonly connection: ConnectOptions;
  readonly goal: number | undefined;
}

const ways: readonly Way[] = [
  { name: "tcp", service: {}, connection: {}, goal: undefined },
  { name: "tcp, sharedSecret", service: { authenticate: secret }, connection: { credentials: secret }, goal: 2 },
];

export async function measureConnecting(options: Options): Promise<readonly ConnectingResult[]> {
  if (!ways.some(({ name }) => `connecting, ${name}`.includes(options.only))) return [];
  const results = ways.map(({ name, goal }) => ({ name, goal, roundTrips: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, way] of ways.entries()) results[i]?.roundTrips.push(await roundTrips(way));
  }
  return results;
}

async function roundTrips(way: Way): Promise<number> {
  await using served = await startService("tcp://127.0.0.1:0", service, way.service);
  const relay = await lateRelay(portOf(served.uri), oneWayMs);
  const startedAt = performance.now();
  const remote = await connect<typeof service>(`tcp://127.0.0.1:${relay.port}`, way.connection);
  const tookMs = performance.now() - startedAt;
  await connectionOf(remote).close();
  relay.close();
  return tookMs / (2 * oneWayMs);
}

const columns = ["connecting", "ms", "round trips", "more than plain", "goal", ""];

export function connectingTable(results: readonly ConnectingResult[]): string[] {
  const plain = median(results[0]?.roundTrips ?? []);
  return markdown(
    [...columns],
    results.map(({ name, roundTrips, goal }) => {
      const trips = median(roundTrips);
      const shown = [name, (trips * 2 * oneWayMs).toFixed(0), trips.toFixed(2)];
      if (goal === undefined) return [...shown, "", "", ""];
      const more = trips - plain;
      // Half a round trip is what two processes' turns and the timers' steps may cost.
      return [...shown, more.toFixed(2), goal.toFixed(2), more <= goal + 0.5 ? "met" : "missed"];
    }),
  );
}
