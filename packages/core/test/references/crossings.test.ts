/**
 * News that cross on the wire: every order in which an owner sends and revokes an object, a holder gives it up and sends it
 * home, and what is on its way arrives on either side. Whatever the order, nothing leaks, nothing dies early, the session
 * lives, and monitors speak once.
 */
import { describe, expect, test } from "vitest";
import { collectGarbage, heldTransport, turns, type Valve } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { ByReference, type Down, monitor, type Remote, RpcError, release, revoke } from "../../src/index.ts";
import { leakCheckedPair, memory } from "../session/pairs.ts";
import { until } from "../session/waiting.ts";

class Thing extends ByReference {
  disposals = 0;

  touch(): string {
    return `touched after ${this.disposals} disposals`;
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

/** One session with both directions in hand, and what its two sides do. */
class World {
  readonly thing = new Thing();
  /** The stubs that the holder has not given up. */
  readonly stubs = new Set<Remote<Thing>>();
  readonly downs = new Map<number, Down[]>();
  readonly #failures: unknown[] = [];
  wasSent = false;
  isRevoked = false;
  monitors = 0;
  take!: (thing: Thing) => Promise<void>;
  see!: (stub: Remote<Thing>) => Promise<boolean>;
  toHolder!: Valve;
  toOwner!: Valve;

  /** What the holder does with a stub that comes. */
  keep(stub: Remote<Thing>): void {
    if (this.stubs.has(stub)) return;
    if (this.stubs.size > 0 && !this.isRevoked) this.#failures.push("one object is two stubs");
    this.stubs.add(stub);
    const told: Down[] = [];
    this.downs.set(this.monitors++, told);
    monitor(stub, (down) => told.push(down));
  }

  readonly steps: Readonly<Record<string, () => void>> = {
    send: () => {
      this.wasSent = true;
      this.#note(this.take(this.thing));
    },
    revoke: () => {
      this.isRevoked ||= this.wasSent;
      revoke(this.thing);
    },
    release: () => {
      for (const stub of this.stubs) release(stub);
      this.stubs.clear();
    },
    drop: () => {
      this.stubs.clear();
      collectGarbage();
    },
    /** The engine has taken the stub, and has not told of it yet, when the object comes again. */
    dropAsItComes: () => {
      this.stubs.clear();
      collectGarbage();
      this.toHolder.passOne();
    },
    call: () => {
      for (const stub of this.stubs) this.#note(stub.touch(), "touched after 0 disposals");
    },
    home: () => {
      for (const stub of this.stubs) this.#note(this.see(stub), true);
    },
    toHolder: () => void this.toHolder.passOne(),
    toOwner: () => void this.toOwner.passOne(),
  };

  /** What a call comes to is looked at when all is done. */
  #note(call: Promise<unknown>, expected?: unknown): void {
    call.then(
      (value) => {
        if (value !== expected) this.#failures.push(`${String(value)} instead of ${String(expected)}`);
      },
      (error: unknown) => {
        const isStale = error instanceof RpcError && error.code === "stale-reference" && error.outcome !== "unknown";
        if (!isStale || !this.isRevoked) this.#failures.push(error);
      },
    );
  }

  check(order: readonly string[]): void {
    const what = order.join(", ");
    expect(this.#failures, what).toEqual([]);
    expect(this.thing.disposals, `disposals after ${what}`).toBe(this.wasSent ? 1 : 0);
    for (const told of this.downs.values()) {
      expect(told, `what a monitor says after ${what}`).toHaveLength(1);
      expect(this.isRevoked ? ["released", "disposed"] : ["released"], what).toContain(told[0]?.reason);
    }
  }
}

async function play(order: readonly string[]): Promise<void> {
  const { transport, toDialler, toListener } = heldTransport(memoryTransport);
  const world = new World();
  const holder = { take: (stub: Remote<Thing>) => world.keep(stub) };
  const owner = { see: (thing: unknown) => thing === world.thing };
  await using pair = await leakCheckedPair(owner, { clientFront: holder }, { ...memory, transport });
  world.take = (thing) => pair.session.front<typeof holder>().take(thing as never);
  world.see = (stub) => pair.front.see(stub);
  world.toHolder = toDialler;
  world.toOwner = toListener;
  await turns(1);
  toDialler.shut();
  toListener.shut();
  for (const step of order) {
    world.steps[step]?.();
    await turns(1);
  }
  toDialler.open();
  toListener.open();
  await quiet(() => [pair.session.stats(), pair.connection.stats()]);
  world.steps["release"]?.();
  await quiet(() => [pair.session.stats(), pair.connection.stats()]);
  expect([pair.session.state, pair.connection.state], order.join(", ")).toEqual(["open", "open"]);
  await pair.assertEmpty();
  await until(() => [...world.downs.values()].every((told) => told.length > 0));
  world.check(order);
}

/** Waits until nothing moves any more. */
async function quiet(stats: () => unknown): Promise<void> {
  let before = "";
  let same = 0;
  while (same < 3) {
    await turns(1);
    const now = JSON.stringify(stats());
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

/** Every order of the steps; the same step twice is the same. */
function* ordersOf(steps: readonly string[]): Iterable<readonly string[]> {
  if (steps.length === 0) yield [];
  for (const first of new Set(steps)) {
    const rest = [...steps];
    rest.splice(rest.indexOf(first), 1);
    for (const order of ordersOf(rest)) yield [first, ...order];
  }
}

describe("in every order of", () => {
  test.each([
    [["send", "send", "release", "toHolder", "toHolder", "toOwner"]],
    [["send", "release", "send", "release", "toHolder", "toOwner"]],
    [["send", "revoke", "release", "toHolder", "toOwner"]],
    [["send", "revoke", "send", "toHolder", "toHolder", "toOwner"]],
    [["send", "call", "revoke", "toHolder", "toOwner"]],
    [["send", "call", "release", "toHolder", "toOwner"]],
    [["send", "home", "revoke", "toHolder", "toOwner"]],
    [["send", "home", "release", "toHolder", "send"]],
    [["send", "drop", "toHolder", "send"]],
    [["send", "drop", "toHolder", "revoke"]],
    [["send", "toHolder", "send", "dropAsItComes", "call"]],
  ])(
    "%j",
    async (steps) => {
      for (const order of ordersOf(steps)) await play(order);
    },
    60_000,
  );
});
