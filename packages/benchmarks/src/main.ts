/**
 * Measures farref side by side with the floor, in one run on one machine: only ratios mean something elsewhere. Each
 * contender's server and client are processes of their own, on loopback.
 *
 *   node packages/benchmarks/dist/main.js [--rounds 7] [--seconds 1] [--only "at a time, tcp"]
 */
import { type Options, readOptions, usage } from "./options.ts";
import { measureScenarios, type Result } from "./run.ts";
import { titleOf } from "./scenarios.ts";
import { tableOf } from "./table.ts";

const options = optionsOrExit();
const results: Result[] = [];
for await (const measured of measureScenarios(options)) {
  results.push(...measured);
  for (const result of measured) console.error(progress(result));
}
console.log(`Node ${process.version}, medians of ${options.rounds} rounds of ${options.seconds} s each`);
for (const line of tableOf(results)) console.log(line);

if (results.length === 0 || results.some((result) => result.failure)) process.exitCode = 1;

function progress({ scenario, contender, failure }: Result): string {
  return `${failure ? "failed" : "measured"}: ${titleOf(scenario)}: ${contender.name}${failure ? `: ${failure.message}` : ""}`;
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}
