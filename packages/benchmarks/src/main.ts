/**
 * Measures farref side by side with the floor, in one run on one machine: only ratios mean something elsewhere. Each
 * contender's server and client are processes of their own, on loopback.
 *
 *   node packages/benchmarks/dist/main.js [--rounds 7] [--seconds 0.7] [--only "at a time, tcp"]
 *
 * `--only attack` shows what an attacker does to an honest client of the same server, `--only connecting` what connecting
 * costs, `--only references` what far objects weigh, `--only stream` what streams make of a connection, `--only beside`
 * what a small call waits for beside a large one, `--only pipeline` what a pipeline saves; but for the scenarios among them, these take the time they take, whatever the options say.
 */
import { type AttackResult, attackTable, measureAttacks, titleOfAttack } from "./attack/measure.ts";
import { besideTable, measureBeside } from "./beside/measure.ts";
import { connectingTable, measureConnecting } from "./connecting.ts";
import { lateChainTable, measureLateChains } from "./late-chain.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { measureReferences, type ReferencesResult, referencesTable } from "./references/measure.ts";
import { measureScenarios, type Result } from "./run.ts";
import { titleOf } from "./scenarios.ts";
import { measureStreams, type StreamsResult, streamsTable } from "./streams/measure.ts";
import { tableOf } from "./table.ts";

const options = optionsOrExit();
const results: Result[] = [];
for await (const measured of measureScenarios(options)) {
  results.push(...measured);
  for (const result of measured) console.error(progress(result));
}
const attacked: AttackResult[] = [];
for await (const result of measureAttacks(options)) {
  attacked.push(result);
  console.error(`${verb(result.failure)}: ${titleOfAttack(result.attack)}${reason(result.failure)}`);
}
const references: ReferencesResult[] = [];
for await (const result of measureReferences(options)) {
  references.push(result);
  console.error(`${verb(result.failure)}: ${result.name}${reason(result.failure)}`);
}
const streams: StreamsResult[] = [];
for await (const result of measureStreams(options)) {
  streams.push(result);
  console.error(`${verb(result.failure)}: ${result.name}${reason(result.failure)}`);
}
const beside = await measureBeside(options);
for (const { name, failure } of beside) console.error(`${verb(failure)}: a small call ${name}${reason(failure)}`);
const lateChains = await measureLateChains(options);
const connecting = await measureConnecting(options);

console.log(`Node ${process.version}, medians; rounds of scenarios: ${options.rounds} of ${options.seconds} s each`);
const tables = [
  { results, lines: () => tableOf(results) },
  { results: streams, lines: () => streamsTable(streams) },
  { results: beside, lines: () => besideTable(beside) },
  { results: references, lines: () => referencesTable(references) },
  { results: attacked, lines: () => attackTable(attacked) },
  { results: lateChains, lines: () => lateChainTable(lateChains) },
  { results: connecting, lines: () => connectingTable(connecting) },
].filter((table) => table.results.length > 0);
for (const { lines } of tables) console.log(`\n${lines().join("\n")}`);

const measured = [...results, ...streams, ...beside, ...references, ...attacked];
if (tables.length === 0 || measured.some((result) => result.failure)) process.exitCode = 1;

function progress({ scenario, contender, failure }: Result): string {
  return `${verb(failure)}: ${titleOf(scenario)}: ${contender.name}${reason(failure)}`;
}

function verb(failure: Error | undefined): string {
  return failure ? "failed" : "measured";
}

function reason(failure: Error | undefined): string {
  return failure ? `: ${failure.message}` : "";
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}
