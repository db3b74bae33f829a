/** What is measured, a row each: the call, the load, who is measured, and how near to the floor farref wants to be. */
import type { Client, TransportName } from "./contender.ts";
import { atATime, type Load, oneAtATime } from "./load.ts";
import { farrefName, floorName, guardedName } from "./names.ts";

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
];

/** What `--only` is compared with. */
export function titleOf(scenario: Scenario): string {
  return `${scenario.name}, ${scenario.transport}`;
}
