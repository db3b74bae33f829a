/**
 * An honest client's calls, timed in turn: alone, beside a flood of the same bytes that a bare socket in the server's
 * process reads and throws away, and beside the flood of the service. What the second costs is the machine's and Node's
 * doing: three busy processes on two cores, and reads in one event loop.
 */
import { Child } from "../child.ts";
import { contenderNamed } from "../contenders.ts";
import { median } from "../load.ts";
import { farrefName } from "../names.ts";
import type { Options } from "../options.ts";
import { markdown } from "../table.ts";
import { type Attack, attacks } from "./attacks.ts";
import type { Victim } from "./flood.ts";

export interface AttackResult {
  readonly attack: Attack;
  readonly rounds: Round[];
  /** What the server grew by, at its largest. */
  grownBytes: number;
  failure?: Error | undefined;
}

/** The honest client's p99 in milliseconds: undisturbed, beside a flood into a bare socket, beside the attack. */
interface Round {
  readonly quietMs: number;
  readonly bareMs: number;
  readonly attackedMs: number;
  /** Of the attack. */
  readonly bytesPerSecond: number;
}

/** What the p99 may rise to. */
const goal = 2;
const maxCalls = 1_000_000;
/** The whole group stays within two minutes. */
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
    const result: AttackResult = { attack, rounds: [], grownBytes: 0 };
    const stage = new Stage(index, Math.min(options.seconds, maxSeconds));
    try {
      await stage.open();
      await measure(stage, result, Math.min(options.rounds, maxRounds));
    } catch (error) {
      result.failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      stage.close();
    }
    yield result;
  }
}

async function measure(stage: Stage, result: AttackResult, rounds: number): Promise<void> {
  await stage.timeBeside("sink");
  const warmBytes = await stage.weigh();
  for (let round = 0; round < rounds; round++) {
    const quietMs = await stage.time();
    const bare = await stage.timeBeside("sink");
    const attacked = await stage.timeBeside("service");
    result.grownBytes = Math.max(result.grownBytes, (await stage.weigh()) - warmBytes);
    const { p99Ms: attackedMs, bytesPerSecond } = attacked;
    result.rounds.push({ quietMs, bareMs: bare.p99Ms, attackedMs, bytesPerSecond });
  }
}

/** A server, an honest client of it and an attacker, a process each. */
class Stage {
  readonly #attack: number;
  readonly #seconds: number;
  readonly #children: Child[] = [];
  readonly #addresses = { service: "", sink: "" };

  constructor(attack: number, seconds: number) {
    this.#attack = attack;
    this.#seconds = seconds;
  }

  async open(): Promise<void> {
    const contender = contenderNamed(farrefName, "tcp");
    const server = await Child.server(contender);
    this.#children.push(server);
    this.#addresses.service = server.address;
    this.#addresses.sink = (await server.ask({ kind: "sink" }, "sunk")).address;
    for (let i = 0; i < 2; i++) this.#children.push(await Child.client(contender, server.address));
  }

  close(): void {
    for (const child of this.#children) child.stop();
  }

  /** The honest client's p99, in milliseconds. */
  async time(): Promise<number> {
    const bounds = { seconds: this.#seconds, maxCalls };
    return (await this.#child(1).ask({ kind: "time", bounds }, "timed", this.#seconds)).p99Ms;
  }

  /** The same while the attacker does its worst to the service, or to a bare socket of the service's process. */
  async timeBeside(kind: Victim["kind"]): Promise<{ readonly p99Ms: number; readonly bytesPerSecond: number }> {
    const seconds = this.#seconds + 2 * headStartSeconds;
    const victim = { kind, address: this.#addresses[kind] };
    const flooded = this.#child(2).ask({ kind: "flood", attack: this.#attack, victim, seconds }, "flooded", seconds);
    await new Promise((resolve) => setTimeout(resolve, headStartSeconds * 1000));
    const p99Ms = await this.time();
    return { p99Ms, bytesPerSecond: (await flooded).bytes / seconds };
  }

  async weigh(): Promise<number> {
    return (await this.#child(0).ask({ kind: "weigh" }, "weighed")).rssBytes;
  }

  #child(index: number): Child {
    const child = this.#children[index];
    if (!child) throw new Error("the stage is not open");
    return child;
  }
}

const columns = [
  "under attack",
  "flood MB/s",
  "p99 quiet, ms",
  "beside a bare socket, ms",
  "p99, ms",
  "ratio",
  "to the bare socket's",
  "goal",
  "",
  "server grows, MiB",
];

export function attackTable(results: readonly AttackResult[]): string[] {
  return markdown(columns, results.map(row));
}

function row({ attack, rounds, grownBytes, failure }: AttackResult): string[] {
  if (failure) return [attack.name, "failed", ...columns.slice(2).map(() => "")];
  const of = (figure: (round: Round) => number) => median(rounds.map(figure));
  const ratio = of(({ attackedMs, quietMs }) => attackedMs / quietMs);
  const figures = [
    of(({ quietMs }) => quietMs),
    of(({ bareMs }) => bareMs),
    of(({ attackedMs }) => attackedMs),
    ratio,
    of(({ attackedMs, bareMs }) => attackedMs / bareMs),
  ];
  const judged = attack.frames ? [goal.toFixed(2), ratio <= goal ? "met" : "missed"] : ["", ""];
  const flood = (of(({ bytesPerSecond }) => bytesPerSecond) / 1e6).toFixed(1);
  return [attack.name, flood, ...figures.map((figure) => figure.toFixed(2)), ...judged, inMebi(grownBytes)];
}

function inMebi(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
