/** Measures scenarios: every contender in turn, round after round, so that a slow minute of the machine hits all alike. */

import type { Contender } from "./contender.ts";
import { contenders, farrefName, floorName } from "./contenders.ts";
import type { Bounds } from "./load.ts";
import type { Options } from "./options.ts";
import { Pair } from "./pair.ts";
import { type Scenario, scenarios, titleOf } from "./scenarios.ts";

export interface Result {
  readonly scenario: Scenario;
  readonly contender: Contender;
  /** Calls a second, of each round. */
  readonly rounds: readonly number[];
}

const maxCalls = 10_000_000;

export async function* measureScenarios(options: Options): AsyncGenerator<Result[]> {
  for (const [index, scenario] of scenarios.entries()) {
    if (titleOf(scenario).includes(options.only)) yield await measureScenario(index, scenario, options);
  }
}

async function measureScenario(index: number, scenario: Scenario, options: Options): Promise<Result[]> {
  const pairs: Pair[] = [];
  try {
    for (const contender of contenders) if (isMeasured(contender, scenario)) pairs.push(await Pair.start(contender));
    const measured = await rounds(index, pairs, options);
    return pairs.map(({ contender }, i) => ({ scenario, contender, rounds: measured[i] ?? [] }));
  } finally {
    for (const pair of pairs) pair.stop();
  }
}

/** Per pair, the calls a second of each round. The first round warms up and does not count. */
async function rounds(index: number, pairs: readonly Pair[], options: Options): Promise<number[][]> {
  const bounds: Bounds = { seconds: options.seconds, maxCalls };
  const measured: number[][] = pairs.map(() => []);
  for (let round = 0; round <= options.rounds; round++) {
    for (const [i, pair] of pairs.entries()) {
      const callsPerSecond = await pair.measure(index, bounds);
      if (round > 0) measured[i]?.push(callsPerSecond);
    }
  }
  return measured;
}

function isMeasured(contender: Contender, scenario: Scenario): boolean {
  const names = [floorName, farrefName, ...scenario.others];
  return contender.transport === scenario.transport && names.includes(contender.name);
}
