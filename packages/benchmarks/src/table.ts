/** The table that is printed: a row for each contender of a scenario, with the ratio of its speed to the baseline's. */

import { median } from "./load.ts";
import type { Result } from "./run.ts";
import { titleOf } from "./scenarios.ts";

const columns = ["scenario", "contender", "calls/s", "ratio", "goal", ""] as const;

/** Lines of a Markdown table. */
export function tableOf(results: readonly Result[]): string[] {
  return markdown(
    columns,
    results.map((result) => row(result, baselineOf(result, results))),
  );
}

/** Lines of a Markdown table, in columns as wide as their widest cell. */
export function markdown(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(columns), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)];
}

function row({ scenario, contender, rounds, failure }: Result, baseline: readonly number[]): string[] {
  if (failure) return [titleOf(scenario), contender.name, "failed", "", "", ""];
  // Round by round: the machine's own speed may double between two rounds, and both stood under it.
  const ratio = median(rounds.map((callsPerSecond, i) => callsPerSecond / (baseline[i] ?? Number.NaN)));
  const hasGoal = contender.name === scenario.measured;
  const verdict = ratio >= scenario.goal ? "met" : "missed";
  const shown = [titleOf(scenario), contender.name, Math.round(median(rounds)).toLocaleString("en"), ratio.toFixed(2)];
  return [...shown, hasGoal ? scenario.goal.toFixed(2) : "", hasGoal ? verdict : ""];
}

function baselineOf({ scenario }: Result, results: readonly Result[]): readonly number[] {
  return (
    results.find((other) => other.scenario === scenario && other.contender.name === scenario.baseline)?.rounds ?? []
  );
}
