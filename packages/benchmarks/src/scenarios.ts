/** What is measured, a row each: the call, the load, who is measured, and how near to the floor farref wants to be. */
import type { Client, TransportName } from "./contender.ts";
import { atATime, type Load, oneAtATime } from "./load.ts";
import { calledBackName, farrefName, floorName, guardedName } from "./names.ts";
import { rows } from "./records.ts";

export interface Scenario {
  readonly name: string;
  readonly transport: TransportName;
  readonly load: Load;
  readonly call: (client: Client, n: number) => Promise<unknown>;
  /** Who is compared, and with whom: the ratio is to the baseline's calls a second. */
  readonly baseline: string;
  readonly measured: string;
  /** What the ratio is to reach. */
  readonly goal: number;
  /** Contenders that are only shown. */
  readonly others: readonly string[];
}

const add = (client: Client, n: number) => client.add(n & 0xffff, 3);

const mebibyte = new Uint8Array(1024 * 1024).fill(7);

const toFloor = { baseline: floorName, measured: farrefName, others: [] };

export const scenarios: readonly Scenario[] = [
  {
    ...toFloor,
    name: "add, one at a time",
    transport: "tcp",
    load: oneAtATime,
    call: add,
    goal: 0.7,
    others: ["bare socket"],
  },
  { ...toFloor, name: "add, 100 at a time", transport: "tcp", load: atATime(100), call: add, goal: 0.4 },
  { ...toFloor, name: "add, one at a time", transport: "ws", load: oneAtATime, call: add, goal: 0.7 },
  { ...toFloor, name: "add, 100 at a time", transport: "ws", load: atATime(100), call: add, goal: 0.4 },
  {
    name: "add, 100 at a time, guarded",
    transport: "tcp",
    load: atATime(100),
    call: add,
    baseline: farrefName,
    measured: guardedName,
    goal: 0.6,
    others: [],
  },
  {
    ...toFloor,
    name: "get-call-release, 100 at a time",
    transport: "tcp",
    load: atATime(100),
    call: (client, n) => client.useFresh(n & 0xffff),
    goal: 0.4,
  },
  {
    ...toFloor,
    name: "structured, 10 records of 10 fields, 100 at a time",
    transport: "tcp",
    load: atATime(100),
    call: (client) => client.echo(rows),
    goal: 0.7,
  },
  {
    ...toFloor,
    name: "binary, 1 MiB, one at a time",
    transport: "tcp",
    load: oneAtATime,
    call: (client) => client.echo(mebibyte),
    goal: 0.9,
  },
  {
    ...toFloor,
    name: "pipeline, a chain of three, one at a time",
    transport: "tcp",
    load: oneAtATime,
    call: (client, n) => client.chain(n & 0xff),
    goal: 2,
  },
  {
    ...toFloor,
    name: "stream of 10,000 small items, one at a time",
    transport: "tcp",
    load: oneAtATime,
    call: (client) => client.sumItems(10_000),
    goal: 0.4,
  },
  {
    name: "callback within a call, one at a time",
    transport: "tcp",
    load: oneAtATime,
    call: add,
    baseline: farrefName,
    measured: calledBackName,
    // The way back costs at most 1.2 times as much as the call around it.
    goal: 1 / (1 + 1.2),
    others: [],
  },
];

/** What `--only` is compared with. */
export function titleOf(scenario: Scenario): string {
  return `${scenario.name}, ${scenario.transport}`;
}
