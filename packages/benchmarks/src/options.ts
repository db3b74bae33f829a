/** The command line. */
import { parseArgs } from "node:util";

export interface Options {
  readonly rounds: number;
  /** For one round of one contender. */
  readonly seconds: number;
  /** Part of the titles of the scenarios to run; all without it. */
  readonly only: string;
}

export const usage = "options: --rounds 7 --seconds 0.7 --only 'at a time, tcp'";

/** @throws Error for what is not an option or not a number */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "0.7" },
      only: { type: "string", default: "" },
    },
  });
  return {
    rounds: within("rounds", values.rounds, 1, 100),
    seconds: within("seconds", values.seconds, 0.01, 60),
    only: values.only,
  };
}

function within(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} ${text}: expected a number from ${least} to ${most}`);
}
