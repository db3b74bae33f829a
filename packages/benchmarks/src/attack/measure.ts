/** An honest client's calls, timed in turn with and without an attacker on the same server. */
import { Child } from "../child.ts";
import { contenderNamed } from "../contenders.ts";
import { median } from "../load.ts";
import { farrefName } from "../names.ts";
import type { Options } from "../options.ts";
import { markdown } from "../table.ts";
import { type Attack, attacks } from "./attacks.ts";

export interface AttackResult {
  readonly attack: Attack;
  /** The honest client's p99 of each round, in milliseconds. */
  readonly quietMs: number[];
  readonly attackedMs: number[];
  readonly bytesPerSecond: number[];
  /** What the server grew by, at its largest. */
  grownBytes: number;
  failure?: Error | undefined;
}

/** What the p99 may rise to. */
const goal = 2;
const maxCalls = 1_000_000;
/** The whole group stays within a minute. */
const maxRounds = 5;
const maxSeconds = 0.3;
/** For an attacker to be in full flight. */
const headStartSeconds = 0.1;

export function titleOfAttack({ name }: Attack): string {
  return `under attack, ${name}`;
}

export async function* measureAttacks(options: Options): AsyncGenerator<AttackResult> {
  for (const [index, attack] of attacks.entries()) {
    if (!titleOfAttack(attack).includes(options.only)) continue;
    const result: AttackResult = { attack, quietMs: [], attackedMs: [], bytesPerSecond: [], grownBytes: 0 };
    try {
      await measure(index, result, Math.min(options.rounds, maxRounds), Math.min(options.seconds, maxSeconds));
    } catch (error) {
      result.failure = error instanceof Error ? error : new Error(String(error));
    }
    yield result;
  }
}

async function measure(attack: number, result: AttackResult, rounds: number, seconds: number): Promise<void> {
  const contender = contenderNamed(farrefName, "tcp");
  const children: Child[] = [];
  const started = async (starting: Promise<Child>) => {
    const child = await starting;
    children.push(child);
    return child;
  };
  try {
    const server = await started(Child.server(contender));
    const honest = await started(Child.client(contender, server.address));
    const attacker = await started(Child.client(contender, server.address));
    const time = async () =>
      (await honest.ask({ kind: "time", bounds: { seconds, maxCalls } }, "timed", seconds)).p99Ms;
    const weigh = async () => (await server.ask({ kind: "weigh" }, "weighed")).rssBytes;
    await time();
    const warmBytes = await weigh();
    for (let round = 0; round < rounds; round++) {
      result.quietMs.push(await time());
      const floodSeconds = seconds + 2 * headStartSeconds;
      const flooded = attacker.ask({ kind: "flood", attack, seconds: floodSeconds }, "flooded", floodSeconds);
      await new Promise((resolve) => setTimeout(resolve, headStartSeconds * 1000));
      result.attackedMs.push(await time());
      result.grownBytes = Math.max(result.grownBytes, (await weigh()) - warmBytes);
      result.bytesPerSecond.push((await flooded).bytes / floodSeconds);
    }
  } finally {
    for (const child of children) child.stop();
  }
}

const columns = ["under attack", "flood MB/s", "p99 quiet, ms", "p99, ms", "ratio", "goal", "", "server grows, MiB"];

export function attackTable(results: readonly AttackResult[]): string[] {
  return markdown(columns, results.map(row));
}

function row({ attack, quietMs, attackedMs, bytesPerSecond, grownBytes, failure }: AttackResult): string[] {
  if (failure) return [attack.name, "failed", "", "", "", "", "", ""];
  const ratio = median(attackedMs.map((ms, i) => ms / (quietMs[i] ?? Number.NaN)));
  const figures = [median(bytesPerSecond) / 1e6, median(quietMs), median(attackedMs), ratio];
  const shown = figures.map((figure, i) => figure.toFixed(i === 0 ? 1 : 2));
  const judged = attack.frames ? [goal.toFixed(2), ratio <= goal ? "met" : "missed"] : ["", ""];
  return [attack.name, ...shown, ...judged, (grownBytes / 1024 / 1024).toFixed(1)];
}
