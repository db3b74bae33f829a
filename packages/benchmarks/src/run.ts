/** Measures scenarios: every contender in turn, round after round, so that a slow minute of the machine hits all alike. */

import type { Contender } from "./contender.ts";
import { contenders } from "./contenders.ts";
import type { Options } from "./options.ts";
import { Pair } from "./pair.ts";
import { type Scenario, scenarios, titleOf } from "./scenarios.ts";

export interface Result {
  readonly scenario: Scenario;
  readonly contender: Contender;
  /** Calls a second, of each round. */
  readonly rounds: number[];
  failure?: Error | undefined;
}

const maxCalls = 10_000_000;

export async function* measureScenarios(options: Options): AsyncGenerator<Result[]> {
  for (const [index, scenario] of scenarios.entries()) {
    if (titleOf(scenario).includes(options.only)) yield await measureScenario(index, scenario, options);
  }
}

async function measureScenario(index: number, scenario: Scenario, options: Options): Promise<Result[]> {
  const results = contenders.filter((contender) => isMeasured(contender, scenario)).map(emptyResult(scenario));
  const pairs = new Map<Result, Pair>();
  try {
    for (const result of results) await noteFailure(result, async () => void pairs.set(result, await start(result)));
    // The first round warms up and does not count.
    for (let round = 0; round <= options.rounds; round++) {
      for (const [result, pair] of pairs) {
        if (result.failure) continue;
        await noteFailure(result, async () => {
          const callsPerSecond = await pair.measure(index, { seconds: options.seconds, maxCalls });
          if (round > 0) result.rounds.push(callsPerSecond);
        });
      }
    }
    return results;
  } finally {
    for (const pair of pairs.values()) pair.stop();
  }
}

function emptyResult(scenario: Scenario): (contender: Contender) => Result {
  return (contender) => ({ scenario, contender, rounds: [] });
}

function start({ contender }: Result): Promise<Pair> {
  return Pair.start(contender);
}

/** Who fails is out of the race; the others run on. */
async function noteFailure(result: Result, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    result.failure = error instanceof Error ? error : new Error(String(error));
  }
}

function isMeasured(contender: Contender, scenario: Scenario): boolean {
  const names = [scenario.baseline, scenario.measured, ...scenario.others];
  return contender.transport === scenario.transport && names.includes(contender.name);
}
