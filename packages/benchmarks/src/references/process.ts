/**
 * One end of a conversation about many far objects, in a process of its own: `process.js owner`, which has them, or
 * `process.js holder <address>`, which is told what to do with them. Needs `--expose-gc`.
 */
import { setImmediate as turn } from "node:timers/promises";
import { ByReference, connect, connectionOf, type Remote, startService } from "farref";
import { type Answer, answer, answerEach, failure } from "../messages.ts";

class Thing extends ByReference {
  use(n: number): number {
    return n;
  }
}

const things: Thing[] = [];
const front = {
  prepare(count: number): void {
    while (things.length < count) things.push(new Thing());
  },
  some: (from: number, to: number): Thing[] => things.slice(from, to),
  fresh: (): Thing => new Thing(),
};

const batch = 500;
const limits = { maxExports: 1_000_000, maxImports: 1_000_000 };
const [role = "", address = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit());

try {
  if (role === "owner") await own();
  else await hold();
} catch (error) {
  answer(failure(error));
}

async function own(): Promise<void> {
  const service = await startService("tcp://127.0.0.1:0", front, { limits });
  answerEach(() => settled(() => sum([...service.sessions].map((session) => session.stats().exports))));
  answer({ kind: "ready", address: service.uri });
}

async function hold(): Promise<void> {
  const remote = await connect<typeof front>(address, { limits });
  const held: (Remote<Thing> | undefined)[] = [];
  answerEach(async (request) => {
    switch (request.kind) {
      case "settle":
        return settled(() => connectionOf(remote).stats().imports);
      case "prepare":
        return done(prepare(remote, held, request.count));
      case "take":
        return done(take(remote, held));
      case "churn":
        return done(churn(remote, request.count));
      default:
        throw new Error(`a holder can't ${request.kind}`);
    }
  });
  answer({ kind: "ready", address });
}

async function done(task: Promise<void>): Promise<Answer> {
  await task;
  return { kind: "done" };
}

/** Room for the stubs and the objects themselves are not what references cost: both are there before. */
async function prepare(remote: Remote<typeof front>, held: unknown[], count: number): Promise<void> {
  await remote.prepare(count);
  for (let i = 0; i < count; i++) held[i] = undefined;
}

async function take(remote: Remote<typeof front>, held: (Remote<Thing> | undefined)[]): Promise<void> {
  for (let from = 0; from < held.length; from += batch) {
    const some = await remote.some(from, Math.min(from + batch, held.length));
    for (const [i, thing] of some.entries()) held[from + i] = thing;
  }
}

/** Makes, calls and releases so many objects, a batch at a time. */
async function churn(remote: Remote<typeof front>, count: number): Promise<void> {
  for (let done = 0; done < count; done += batch) {
    await Promise.all(Array.from({ length: Math.min(batch, count - done) }, (_, i) => useOne(remote, i)));
  }
}

async function useOne(remote: Remote<typeof front>, n: number): Promise<void> {
  using thing = await remote.fresh();
  if ((await thing.use(n)) !== n) throw new Error("a wrong answer");
}

/** What is alive when all garbage is gone, and how many references the table has. */
async function settled(references: () => number): Promise<Answer> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await turn();
  }
  // What those who look for the dead have left behind is no reference.
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { kind: "settled", heldBytes: heapUsed + external, references: references() };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
