/** What is measured, a row each: the call, the load, who is measured, and how near to the floor farref wants to be. */
import type { Client, TransportName } from "./contender.ts";
import { atATime, type Load, oneAtATime } from "./load.ts";

export interface Scenario {
  readonly name: string;
  readonly transport: TransportName;
  readonly load: Load;
  readonly call: (client: Client, n: number) => Promise<unknown>;
  /** farref's part of the floor's calls a second. */
  readonly goal: number;
  /** The contenders beside the floor and farref. */
  readonly others: readonly string[];
}

const add = (client: Client, n: number) => client.add(n & 0xffff, 3);

export const scenarios: readonly Scenario[] = [
  { name: "add, one at a time", transport: "tcp", load: oneAtATime, call: add, goal: 0.7, others: ["bare socket"] },
  { name: "add, 100 at a time", transport: "tcp", load: atATime(100), call: add, goal: 0.4, others: [] },
  { name: "add, one at a time", transport: "ws", load: oneAtATime, call: add, goal: 0.7, others: [] },
  { name: "add, 100 at a time", transport: "ws", load: atATime(100), call: add, goal: 0.4, others: [] },
];

/** What `--only` is compared with. */
export function titleOf(scenario: Scenario): string {
  return `${scenario.name}, ${scenario.transport}`;
}
