/** Random graphs of steps that succeed, fail, wait and are given up: whatever happens, each settles and nothing is left. */
import { expect, test } from "vitest";
import { ByReference, pipeline, type RpcError, withOptions } from "../../src/index.ts";
import { leakCheckedPair, memory, sliced, tcp } from "./pairs.ts";
import { until } from "./waiting.ts";

class Node extends ByReference {
  static ran = 0;

  child(): Node {
    Node.ran++;
    return new Node();
  }

  async later(turns: number): Promise<Node> {
    Node.ran++;
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    return new Node();
  }

  fail(): Node {
    Node.ran++;
    throw new RangeError("failed");
  }

  join(_others: readonly unknown[]): Node {
    Node.ran++;
    return new Node();
  }

  data(): { readonly list: readonly number[]; readonly node: Node } {
    Node.ran++;
    return { list: [1, 2, 3], node: new Node() };
  }

  hello(): string {
    return "hello";
  }
}

/** xorshift: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

interface AnyStep extends Promise<unknown> {
  child(): AnyStep;
  later(turns: number): AnyStep;
  fail(): AnyStep;
  join(others: readonly unknown[]): AnyStep;
  data(): AnyStep;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test.each([
  ["memory", memory, 150],
  ["tcp", tcp, 100],
  ["memory, byte by byte", sliced, 50],
] as const)(
  "random pipelines settle and leave nothing, over %s",
  async (_place, at, seeds) => {
    const limits = { maxRunningCalls: 4, maxQueuedCalls: 12 };
    await using pair = await leakCheckedPair(new Node(), { service: { limits } }, at);
    for (let seed = 1; seed <= seeds; seed++) {
      const outcomes = await run(seed, pair.front);
      expect(outcomes, `seed ${seed}`).toSatisfy((all: readonly string[]) => all.every((one) => allowed.has(one)));
      expect(await pair.front.hello()).toBe("hello");
      await until(() => pair.connection.stats().pendingCalls === 0, `the end of every call of seed ${seed}`);
    }
    pair.takeReported();
  },
  60_000,
);

const allowed = new Set([
  "done",
  "failed executed",
  "failed not-executed",
  ...["not-sent", "not-executed", "unknown"].map((outcome) => `cancelled ${outcome}`),
  "stale-reference not-sent",
  "stale-reference not-executed",
  "not-exposed not-executed",
  "not-exposed not-sent",
]);

async function run(seed: number, front: object): Promise<string[]> {
  const next = random(seed);
  const controllers: AbortController[] = [];
  const steps: AnyStep[] = [];
  const begin = () => {
    const root = next(4) === 0 ? withOptions(front, { signal: controller(controllers) }) : front;
    return pipeline(root as never) as unknown as AnyStep;
  };
  for (let i = 0; i < 12; i++) {
    const on = steps.length > 0 && next(3) > 0 ? (steps[next(steps.length)] as AnyStep) : begin();
    steps.push(grow(on, next, steps));
    if (next(6) === 0) await turn();
    if (next(6) === 0) controllers.at(-1)?.abort();
  }
  const watched = steps.filter(() => next(3) > 0);
  const settled = Promise.allSettled(watched.map((step) => Promise.resolve(step)));
  for (const one of controllers) if (next(2) === 0) one.abort();
  return (await settled).map((result) => (result.status === "fulfilled" ? "done" : nameOf(result.reason as Error)));
}

function controller(controllers: AbortController[]): AbortSignal {
  const made = new AbortController();
  controllers.push(made);
  return made.signal;
}

function grow(on: AnyStep, next: (below: number) => number, steps: readonly AnyStep[]): AnyStep {
  const some = () => steps.filter(() => next(3) === 0).slice(0, 3);
  switch (next(7)) {
    case 0:
      return on.later(next(3));
    case 1:
      return next(3) === 0 ? on.fail() : on.child();
    case 2:
      return on.data();
    case 3:
    case 4:
      return on.join([some(), { deep: some() }]);
    default:
      return on.child();
  }
}

function nameOf(error: Error): string {
  const { code, outcome } = error as RpcError;
  return error.message === "failed" ? `failed ${outcome}` : `${code} ${outcome}`;
}
