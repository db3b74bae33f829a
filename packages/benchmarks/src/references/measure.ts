/**
 * What far objects cost where they are held: bytes of a live reference at each end, and what a great many of them leave
 * behind when they are given up. Each end is a process of its own; garbage is collected before each look.
 */
import { Child } from "../child.ts";
import type { Options } from "../options.ts";
import { markdown } from "../table.ts";

export interface ReferencesResult {
  readonly name: string;
  readonly figures: readonly { readonly end: string; readonly figure: number; readonly goal: number }[];
  readonly failure?: Error | undefined;
}

const liveReferences = 100_000;
const churnedReferences = 1_000_000;
const warmUpReferences = 50_000;
/** A slow machine's time for all of them. */
const churnSeconds = 120;

const bytesGoal = 250;
/** A byte for each reference that came and went is none: the engine's own bookkeeping moves by more. */
const leftBytesGoal = churnedReferences;

const rows = [
  { name: `references, ${liveReferences.toLocaleString("en")} live: bytes each`, measure: measureLive },
  { name: `references, ${churnedReferences.toLocaleString("en")} made, called, released`, measure: measureChurn },
] as const;

export async function* measureReferences(options: Options): AsyncGenerator<ReferencesResult> {
  for (const { name, measure } of rows) {
    if (name.includes(options.only)) yield await measured(name, measure);
  }
}

async function measured(name: string, measure: (ends: Ends) => Promise<Figures>): Promise<ReferencesResult> {
  const children: Child[] = [];
  try {
    const owner = await Child.start(processFile, ["owner"], execArgv);
    children.push(owner);
    const holder = await Child.start(processFile, ["holder", owner.address], execArgv);
    children.push(holder);
    return { name, figures: await measure({ owner, holder }) };
  } catch (error) {
    return { name, figures: [], failure: error instanceof Error ? error : new Error(String(error)) };
  } finally {
    for (const child of children) child.stop();
  }
}

interface Ends {
  readonly owner: Child;
  readonly holder: Child;
}

type Figures = ReferencesResult["figures"];

const processFile = new URL("./process.js", import.meta.url);
const execArgv = ["--expose-gc"];

async function measureLive(ends: Ends): Promise<Figures> {
  await warmUp(ends);
  await ends.holder.ask({ kind: "prepare", count: liveReferences }, "done");
  const before = await settle(ends);
  await ends.holder.ask({ kind: "take" }, "done");
  const after = await settle(ends);
  const each = (end: keyof Ends) => (after[end].heldBytes - before[end].heldBytes) / liveReferences;
  return [
    { end: "owner", figure: each("owner"), goal: bytesGoal },
    { end: "holder", figure: each("holder"), goal: bytesGoal },
  ];
}

async function measureChurn(ends: Ends): Promise<Figures> {
  await warmUp(ends);
  const before = await settle(ends);
  await ends.holder.ask({ kind: "churn", count: churnedReferences }, "done", churnSeconds);
  const after = await settle(ends);
  const grown = (end: keyof Ends) => after[end].heldBytes - before[end].heldBytes;
  return [
    { end: "owner's table", figure: after.owner.references, goal: 0 },
    { end: "holder's table", figure: after.holder.references, goal: 0 },
    { end: "owner's heap, bytes more", figure: grown("owner"), goal: leftBytesGoal },
    { end: "holder's heap, bytes more", figure: grown("holder"), goal: leftBytesGoal },
  ];
}

/** The first references cost what the first of everything costs: compiled code, tables that have grown. */
async function warmUp({ holder }: Ends): Promise<void> {
  await holder.ask({ kind: "churn", count: warmUpReferences }, "done", churnSeconds);
}

/** The holder first: what it lets go of is the owner's next. */
async function settle({ owner, holder }: Ends) {
  const settledHolder = await holder.ask({ kind: "settle" }, "settled");
  return { owner: await owner.ask({ kind: "settle" }, "settled"), holder: settledHolder };
}

const columns = ["references", "at", "figure", "goal", ""];

export function referencesTable(results: readonly ReferencesResult[]): string[] {
  return markdown(
    columns,
    results.flatMap(({ name, figures, failure }) => {
      if (failure) return [[name, "failed", "", "", ""]];
      return figures.map(({ end, figure, goal }) => [
        name,
        end,
        Math.round(figure).toLocaleString("en"),
        goal.toLocaleString("en"),
        figure <= goal ? "met" : "missed",
      ]);
    }),
  );
}
