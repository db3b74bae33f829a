/** The table that is printed: a row for each contender of a scenario, with its part of the floor's speed. */
import { farrefName, floorName } from "./contenders.ts";
import type { Result } from "./run.ts";
import { titleOf } from "./scenarios.ts";

const columns = ["scenario", "contender", "calls/s", "of the floor", "goal", ""] as const;

/** Lines of a Markdown table. */
export function tableOf(results: readonly Result[]): string[] {
  const rows = results.map((result) => row(result, floorOf(result, results)));
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(columns), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)];
}

function row({ scenario, contender, callsPerSecond }: Result, floor: number): string[] {
  const ratio = callsPerSecond / floor;
  const hasGoal = contender.name === farrefName;
  const verdict = ratio >= scenario.goal ? "met" : "missed";
  const shown = [titleOf(scenario), contender.name, Math.round(callsPerSecond).toLocaleString("en"), ratio.toFixed(2)];
  return [...shown, hasGoal ? scenario.goal.toFixed(2) : "", hasGoal ? verdict : ""];
}

function floorOf({ scenario }: Result, results: readonly Result[]): number {
  const floor = results.find((other) => other.scenario === scenario && other.contender.name === floorName);
  return floor?.callsPerSecond ?? Number.NaN;
}
