/** Streams of any sizes, read in any way, several at once: what arrives is a prefix of what was made, and nothing is left. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leakCheckedPair, memory, sliced, tcp } from "../session/pairs.ts";
import { until } from "../session/waiting.ts";

interface Plan {
  /** Bytes of each item. */
  readonly sizes: readonly number[];
  readonly end: "return" | "throw";
  /** How many are read, and how many are asked for at a time. */
  readonly read: number;
  readonly atOnce: number;
  readonly leave: "return" | "throw" | "stay";
  readonly direction: "result" | "argument";
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200) },
  { weight: 2, arbitrary: fc.integer({ min: 60_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 700_000 }) },
);

const plan: fc.Arbitrary<Plan> = fc.record({
  sizes: fc.array(size, { maxLength: 30 }),
  end: fc.constantFrom("return", "throw"),
  read: fc.nat(35),
  atOnce: fc.integer({ min: 1, max: 5 }),
  leave: fc.constantFrom("return", "throw", "stay"),
  direction: fc.constantFrom("result", "argument"),
});

/** What becomes of one stream. */
class Run {
  begun = 0;
  ended = 0;
  readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  async *items(): AsyncGenerator<Uint8Array> {
    this.begun++;
    try {
      for (const [i, bytes] of this.plan.sizes.entries()) yield new Uint8Array(bytes).fill(i);
      if (this.plan.end === "throw") throw new Error("as planned");
    } finally {
      this.ended++;
    }
  }

  /** Reads as planned and tells the sizes of what came, and how it ended. */
  async readAs(stream: AsyncIterableIterator<Uint8Array>): Promise<readonly [sizes: number[], end: string]> {
    const { read, atOnce, leave } = this.plan;
    const sizes: number[] = [];
    try {
      while (leave === "stay" || sizes.length < read) {
        const steps = await Promise.all(Array.from({ length: atOnce }, () => stream.next()));
        for (const { done, value } of steps) {
          if (done) return [sizes, "over"];
          if (value.some((byte: number) => byte !== sizes.length)) throw new Error("a spoilt item");
          sizes.push(value.length);
        }
      }
      if (leave === "return") await stream.return?.();
      else await stream.throw?.(new Error("left")).catch(() => {});
      return [sizes, "left"];
    } catch (error) {
      return [sizes, (error as Error).message];
    }
  }
}

describe.each([
  { place: "memory", at: memory, runs: 30 },
  { place: "tcp", at: tcp, runs: 30 },
  { place: "memory, byte by byte", at: sliced, runs: 3 },
])("over $place", ({ at, runs }) => {
  test("what arrives is what was made, as far as it is read", { timeout: 60_000 }, async () => {
    const plans = fc.array(plan, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(plans, async (given) => {
        const running = given.map((one) => new Run(one));
        const front = {
          make: (i: number) => running[i]?.items() as AsyncGenerator<Uint8Array>,
          take: (i: number, stream: AsyncIterableIterator<Uint8Array>) => running[i]?.readAs(stream),
        };
        await using pair = await leakCheckedPair(front, {}, at);
        const results = await Promise.all(
          running.map(async (run, i) => {
            if (run.plan.direction === "argument") return pair.front.take(i, run.items());
            return run.readAs(await pair.front.make(i));
          }),
        );
        for (const [i, run] of running.entries()) check(run, results[i] as readonly [number[], string]);
        await until(() => running.every(({ begun, ended }) => begun === ended));
      }),
      { numRuns: runs },
    );
  });
});

function check({ plan, begun }: Run, [sizes, end]: readonly [number[], string]): void {
  expect(sizes).toEqual(plan.sizes.slice(0, sizes.length));
  expect(begun).toBeLessThanOrEqual(1);
  const isWhole = sizes.length === plan.sizes.length;
  if (end === "over") expect([isWhole, plan.end]).toEqual([true, "return"]);
  else if (end === "as planned") expect(plan.end).toBe("throw");
  else expect([end, sizes.length >= plan.read]).toEqual(["left", true]);
}
