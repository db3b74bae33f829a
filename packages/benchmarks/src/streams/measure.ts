/** What streams make of a connection: bytes beside a bare socket, memory at both ends, and many streams at a time. */
import { Child } from "../child.ts";
import { median } from "../load.ts";
import type { Options } from "../options.ts";
import { markdown } from "../table.ts";

export interface StreamsResult {
  readonly name: string;
  /** In their units; what has a goal is judged. */
  readonly figures: readonly Figure[];
  readonly failure?: Error | undefined;
}

interface Figure {
  readonly of: string;
  readonly shown: string;
  readonly goal?: string;
  readonly isMet?: boolean;
}

const gibibyteChunks = 16 * 1024;
const warmUpChunks = 2 * 1024;
const rounds = 3;
const maxGrowthMebibytes = 16;
const minShare = 0.5;
const streams = 1_000;
/** Several times what may be under way unread: what is sent at once says nothing of who is served first. */
const itemsEach = 4_000;
const maxSpread = 0.2;
const patienceSeconds = 60;

const rows = [
  { name: "stream, 1 GiB in chunks of 64 KiB", measure: measureGibibytes },
  { name: `stream, ${streams.toLocaleString("en")} at a time`, measure: measureFairness },
] as const;

export async function* measureStreams(options: Options): AsyncGenerator<StreamsResult> {
  for (const { name, measure } of rows) {
    if (!name.includes(options.only)) continue;
    try {
      yield { name, figures: await measure() };
    } catch (error) {
      yield { name, figures: [], failure: error instanceof Error ? error : new Error(String(error)) };
    }
  }
}

async function measureGibibytes(): Promise<readonly Figure[]> {
  using bare = await openEnds("bare");
  using farref = await openEnds("farref");
  const warm = { bare: await warmUp(bare), farref: await warmUp(farref) };
  const seconds = { bare: [] as number[], farref: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    seconds.bare.push(await readGibibyte(bare));
    seconds.farref.push(await readGibibyte(farref));
  }
  const ratios = seconds.farref.map((taken, i) => (seconds.bare[i] ?? Number.NaN) / taken);
  const grown = { bare: await growth(bare, warm.bare), farref: await growth(farref, warm.farref) };
  return [
    { of: "bare socket, GiB/s", shown: (1 / median(seconds.bare)).toFixed(2) },
    { of: "farref, GiB/s", shown: (1 / median(seconds.farref)).toFixed(2) },
    {
      of: "ratio",
      shown: median(ratios).toFixed(2),
      goal: minShare.toFixed(2),
      isMet: median(ratios) >= minShare,
    },
    { of: "bare socket's source grows, MiB", shown: grown.bare.source.toFixed(1) },
    { of: "bare socket's reader grows, MiB", shown: grown.bare.reader.toFixed(1) },
    growthFigure("farref's source grows, MiB", grown.farref.source),
    growthFigure("farref's reader grows, MiB", grown.farref.reader),
  ];
}

/** How large both ends were at their largest when all is compiled and every buffer is made. */
async function warmUp(ends: Ends): Promise<Sizes> {
  await ends.reader.ask({ kind: "readChunks", count: warmUpChunks }, "ended", patienceSeconds);
  return await sizes(ends);
}

async function readGibibyte({ reader }: Ends): Promise<number> {
  const { timesMs } = await reader.ask({ kind: "readChunks", count: gibibyteChunks }, "ended", patienceSeconds);
  return (timesMs[0] ?? Number.NaN) / 1000;
}

interface Sizes {
  readonly source: number;
  readonly reader: number;
}

/** In mebibytes. */
async function growth(ends: Ends, before: Sizes): Promise<Sizes> {
  const after = await sizes(ends);
  return { source: after.source - before.source, reader: after.reader - before.reader };
}

async function sizes({ source, reader }: Ends): Promise<Sizes> {
  const mebibytes = async (end: Child) => (await end.ask({ kind: "peak" }, "peaked")).rssBytes / 1024 / 1024;
  return { source: await mebibytes(source), reader: await mebibytes(reader) };
}

function growthFigure(of: string, grown: number): Figure {
  const isMet = grown <= maxGrowthMebibytes;
  return { of, shown: grown.toFixed(1), goal: maxGrowthMebibytes.toFixed(1), isMet };
}

/** Streams that begin together and are equally long should end together: none is served before the others. */
async function measureFairness(): Promise<readonly Figure[]> {
  using ends = await openEnds("farref");
  const read = () => ends.reader.ask({ kind: "readNumbers", streams, count: itemsEach }, "ended", patienceSeconds);
  await read();
  const { timesMs } = await read();
  const last = Math.max(...timesMs);
  const spread = (last - Math.min(...timesMs)) / last;
  return [
    { of: "items/s", shown: Math.round((streams * itemsEach) / (last / 1000)).toLocaleString("en") },
    {
      of: "first to last end, of the whole time",
      shown: spread.toFixed(2),
      goal: maxSpread.toFixed(2),
      isMet: spread <= maxSpread,
    },
  ];
}

interface Ends extends Disposable {
  readonly source: Child;
  readonly reader: Child;
}

const processFile = new URL("./process.js", import.meta.url);

async function openEnds(kind: "bare" | "farref"): Promise<Ends> {
  const source = await Child.start(processFile, ["source", kind]);
  try {
    const reader = await Child.start(processFile, ["reader", kind, source.address]);
    return { source, reader, [Symbol.dispose]: () => stop([reader, source]) };
  } catch (error) {
    stop([source]);
    throw error;
  }
}

function stop(children: readonly Child[]): void {
  for (const child of children) child.stop();
}

const columns = ["streams", "of", "figure", "goal", ""];

export function streamsTable(results: readonly StreamsResult[]): string[] {
  return markdown(
    columns,
    results.flatMap(({ name, figures, failure }) => {
      if (failure) return [[name, "failed", "", "", ""]];
      return figures.map(({ of, shown, goal, isMet }) => {
        const verdict = isMet === undefined ? "" : isMet ? "met" : "missed";
        return [name, of, shown, goal ?? "", verdict];
      });
    }),
  );
}
