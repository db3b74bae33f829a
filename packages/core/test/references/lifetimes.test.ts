/**
 * A reference in whatever carries it, whatever becomes of that: it never leaks and never dies early. Each case tells how
 * often the object is disposed when all is over: once if the other side may have had it, never if it did not.
 */
import { describe, expect, test } from "vitest";
import { collectGarbage, type LeakCheckedPair, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  ByReference,
  byReference,
  oneway,
  pipeline,
  type Remote,
  RemoteError,
  release,
  revoke,
  withOptions,
} from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { RawPeer, RawReference } from "../session/raw-peer.ts";
import { failureOf, gate, until } from "../session/waiting.ts";

/** What is carried. */
class Cargo extends ByReference {
  disposals = 0;

  touch(): string {
    return `touched after ${this.disposals} disposals`;
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

function carriers() {
  const door = gate();
  const cargo = new Cargo();
  const seen: unknown[] = [];
  const doorkeeper = byReference({ ask: (_thing: unknown) => door.opened });
  const front = {
    doorkeeper: () => doorkeeper,
    ignore: (..._things: unknown[]) => {},
    touch: async (thing: Remote<Cargo>) => thing.touch(),
    keep: (thing: unknown) => void seen.push(thing),
    drop: () => void seen.splice(0),
    hold: async (..._things: unknown[]) => door.opened,
    make: () => cargo,
    makeMany: () => [cargo, { cargo }, new Map([[cargo, new Set([cargo])]])],
    makeLate: async () => {
      await door.opened;
      return cargo;
    },
    makeWith: (thing: unknown) => ({ cargo, thing }),
    makeUnsendable: () => ({ cargo, wrong: new (class Unmarked {})() }),
    makeLarge: () => ({ cargo, ballast: new Uint8Array(1_000_000) }),
    fail: () => {
      throw Object.assign(new Error("failed"), { cargo });
    },
    failLate: async () => {
      await door.opened;
      throw Object.assign(new Error("failed"), { cargo }, { cause: cargo });
    },
    failWithMore: () => {
      throw Object.assign(new Error("failed", { cause: cargo }), { cargo, wrong: Symbol("x"), more: [cargo, cargo] });
    },
    throwIt: () => {
      throw cargo;
    },
  };
  return { door, cargo, seen, front };
}

type Carriers = ReturnType<typeof carriers>;
interface World extends Carriers {
  readonly pair: LeakCheckedPair<Carriers["front"]>;
}

interface Case {
  readonly name: string;
  readonly disposals: 0 | 1;
  /** Ends the session itself. */
  readonly ends?: true;
  readonly limits?: object;
  readonly connectionLimits?: object;
  readonly authorize?: () => boolean;
  run(world: World): Promise<void>;
}

const inArguments: readonly Case[] = [
  {
    name: "that the method ignores",
    disposals: 1,
    run: ({ pair, cargo }) => pair.front.ignore(cargo, [cargo], cargo),
  },
  {
    name: "that the method calls back, from within",
    disposals: 1,
    run: async ({ pair, cargo }) => {
      expect(await pair.front.touch(cargo as never)).toBe("touched after 0 disposals");
    },
  },
  {
    name: "that the method keeps, and lets go of later",
    disposals: 1,
    run: async ({ pair, cargo }) => {
      await pair.front.keep(cargo);
      collectGarbage();
      await turns(5);
      expect(cargo.disposals).toBe(0);
      await pair.front.drop();
    },
  },
  {
    name: "of a oneway call",
    disposals: 1,
    run: async ({ pair, cargo }) => oneway(pair.front).ignore(cargo),
  },
  {
    name: "of a method that is not there",
    disposals: 0,
    run: async ({ pair, cargo }) => {
      const front = pair.front as unknown as Record<string, (thing: unknown) => Promise<unknown>>;
      await expect(front["missing"]?.(cargo)).rejects.toMatchObject({ code: "not-exposed" });
    },
  },
  {
    name: "of a call on what is stale there",
    disposals: 0,
    run: async ({ pair, cargo, front }) => {
      const stub = (await pair.front.doorkeeper()) as unknown as Record<string, (thing: unknown) => Promise<unknown>>;
      revoke(front.doorkeeper());
      await expect(stub["ask"]?.(cargo)).rejects.toMatchObject({ code: "stale-reference" });
    },
  },
  {
    name: "that is denied when it was looked at",
    disposals: 1,
    authorize: () => false,
    run: async ({ pair, cargo }) => {
      await expect(pair.front.ignore(cargo)).rejects.toMatchObject({ code: "denied" });
    },
  },
  {
    name: "beside what can't be sent",
    disposals: 0,
    run: async ({ pair, cargo }) => {
      await expect(pair.front.ignore(cargo, Symbol("x"))).rejects.toMatchObject({ outcome: "not-sent" });
    },
  },
  {
    name: "of a call that is too large",
    disposals: 0,
    limits: { maxMessageBytes: 100_000 },
    run: async ({ pair, cargo }) => {
      await expect(pair.front.ignore(cargo, new Uint8Array(200_000))).rejects.toMatchObject({ outcome: "not-sent" });
    },
  },
  {
    name: "for which the peer has no room",
    disposals: 0,
    limits: { maxImports: 1 },
    run: async ({ pair, cargo }) => {
      const other = new Cargo();
      await expect(pair.front.ignore(other, cargo)).rejects.toMatchObject({ code: "limit-exceeded" });
      expect(other.disposals).toBe(0);
    },
  },
  {
    name: "of a call that is cancelled before it left",
    disposals: 0,
    run: async ({ pair, cargo }) => {
      const controller = new AbortController();
      const call = failureOf(withOptions(pair.front, { signal: controller.signal }).ignore(cargo));
      controller.abort();
      expect(await call).toMatchObject({ outcome: "not-sent" });
    },
  },
  {
    name: "of a call that is cancelled while it is held back",
    disposals: 0,
    limits: { maxRunningCalls: 1, maxQueuedCalls: 1 },
    run: async ({ pair, cargo, door }) => {
      const others = [pair.front.hold(), pair.front.hold()];
      const controller = new AbortController();
      const call = failureOf(withOptions(pair.front, { signal: controller.signal }).ignore(cargo));
      await turns(2);
      controller.abort();
      expect(await call).toMatchObject({ outcome: "not-sent" });
      door.open();
      await Promise.all(others);
    },
  },
  {
    name: "of a call that is cancelled while it waits over there",
    disposals: 0,
    limits: { maxRunningCalls: 1, maxQueuedCalls: 1 },
    run: async ({ pair, cargo, door }) => {
      const other = pair.front.hold();
      const controller = new AbortController();
      const call = failureOf(withOptions(pair.front, { signal: controller.signal }).ignore(cargo));
      await until(() => pair.session.stats().callsIn === 2);
      controller.abort();
      expect(await call).toMatchObject({ code: "cancelled", outcome: "unknown" });
      await until(() => pair.connection.stats().exports === 0);
      door.open();
      await other;
    },
  },
  {
    name: "of a call that is cancelled while it runs",
    disposals: 1,
    run: async ({ pair, cargo, door }) => {
      const controller = new AbortController();
      const call = failureOf(withOptions(pair.front, { signal: controller.signal }).hold(cargo));
      await until(() => pair.session.stats().runningCalls === 1);
      controller.abort();
      expect(await call).toMatchObject({ code: "cancelled", outcome: "unknown" });
      expect(cargo.disposals).toBe(0);
      door.open();
    },
  },
  {
    name: "of a call whose session ends before it left",
    disposals: 0,
    ends: true,
    run: async ({ pair, cargo }) => {
      const call = failureOf(pair.front.ignore(cargo));
      void pair.connection.close();
      expect(await call).toMatchObject({ code: "closed", outcome: "not-sent" });
    },
  },
  {
    name: "of a call whose session ends while it is held back",
    disposals: 0,
    ends: true,
    limits: { maxRunningCalls: 1, maxQueuedCalls: 1 },
    run: async ({ pair, cargo }) => {
      const calls = [pair.front.hold(), pair.front.hold(), pair.front.ignore(cargo)].map(failureOf);
      await turns(2);
      await pair.connection.close();
      expect((await Promise.all(calls)).at(-1)).toMatchObject({ code: "closed", outcome: "not-sent" });
    },
  },
  {
    name: "of a call that runs when the session ends",
    disposals: 1,
    ends: true,
    run: async ({ pair, cargo }) => {
      const call = failureOf(pair.front.hold(cargo));
      await until(() => pair.session.stats().runningCalls === 1);
      pair.session.close();
      expect(await call).toMatchObject({ code: "closed", outcome: "unknown" });
    },
  },
];

const inAnswers: readonly Case[] = [
  {
    name: "a result",
    disposals: 1,
    run: async ({ pair }) => {
      using stub = await pair.front.make();
      expect(await stub.touch()).toBe("touched after 0 disposals");
    },
  },
  {
    name: "a result, many times",
    disposals: 1,
    run: async ({ pair }) => {
      await pair.front.makeMany();
      await pair.front.makeMany();
    },
  },
  {
    name: "a result that nobody keeps",
    disposals: 1,
    run: async ({ pair }) => void (await pair.front.make()),
  },
  {
    name: "a result that only a pipeline goes on from",
    disposals: 1,
    run: async ({ pair }) => {
      expect(await pipeline(pair.front).make().touch()).toBe("touched after 0 disposals");
    },
  },
  {
    name: "a result that nobody waits for: oneway",
    disposals: 0,
    run: async ({ pair }) => {
      await oneway(pair.front).make();
      await pair.front.ignore();
    },
  },
  {
    name: "a result beside what can't be sent",
    disposals: 0,
    run: async ({ pair }) => {
      await expect(pair.front.makeUnsendable()).rejects.toMatchObject({ outcome: "executed" });
    },
  },
  {
    name: "a result that is too large",
    disposals: 0,
    connectionLimits: { maxMessageBytes: 100_000 },
    run: async ({ pair }) => {
      await expect(pair.front.makeLarge()).rejects.toMatchObject({ code: "limit-exceeded", outcome: "executed" });
    },
  },
  {
    name: "a result that comes when its caller has given up",
    disposals: 1,
    run: async ({ pair, door }) => {
      const controller = new AbortController();
      const call = failureOf(withOptions(pair.front, { signal: controller.signal }).makeLate());
      await until(() => pair.session.stats().runningCalls === 1);
      controller.abort();
      expect(await call).toMatchObject({ code: "cancelled" });
      door.open();
      await until(() => pair.session.stats().runningCalls === 0);
    },
  },
  {
    name: "a result whose session ends before it comes",
    disposals: 0,
    ends: true,
    run: async ({ pair, door }) => {
      const call = failureOf(pair.front.makeLate());
      await until(() => pair.session.stats().runningCalls === 1);
      await pair.connection.close();
      expect(await call).toMatchObject({ code: "closed", outcome: "unknown" });
      door.open();
    },
  },
  {
    name: "a result whose session ends while it comes",
    disposals: 1,
    ends: true,
    run: async ({ pair }) => {
      const call = failureOf(pair.front.make());
      await until(() => pair.session.stats().exports === 1);
      pair.session.close();
      await call.catch(() => {});
    },
  },
  {
    name: "the data of an error",
    disposals: 1,
    run: async ({ pair }) => {
      const error = (await failureOf(pair.front.fail() as never)) as RemoteError;
      using stub = (error.data as { cargo: Remote<Cargo> }).cargo;
      expect(await stub.touch()).toBe("touched after 0 disposals");
    },
  },
  {
    name: "the data and the cause of an error of which not all can be sent",
    disposals: 1,
    run: async ({ pair }) => {
      const error = (await failureOf(pair.front.failWithMore() as never)) as RemoteError;
      expect(Object.keys(error.data as object)).toEqual(["cargo", "more"]);
      using stub = (error.data as { cargo: Remote<Cargo> }).cargo;
      expect(error.cause).toBe(stub);
    },
  },
  {
    name: "an error that comes when its caller has given up",
    disposals: 1,
    run: async ({ pair, door }) => {
      const controller = new AbortController();
      const call = failureOf(withOptions(pair.front, { signal: controller.signal }).failLate());
      await until(() => pair.session.stats().runningCalls === 1);
      controller.abort();
      expect(await call).toMatchObject({ code: "cancelled" });
      door.open();
      await until(() => pair.session.stats().runningCalls === 0);
    },
  },
  {
    name: "itself thrown",
    disposals: 1,
    run: async ({ pair }) => {
      const error = (await failureOf(pair.front.throwIt() as never)) as RemoteError;
      expect(error).toBeInstanceOf(RemoteError);
      release(error.data as Remote<Cargo>);
    },
  },
];

async function play({ run, disposals, limits, connectionLimits, authorize, ends }: Case): Promise<void> {
  const world = carriers();
  const pair = await leakCheckedPair(world.front, {
    service: { ...(limits && { limits }), ...(authorize && { authorize: [authorize] }) },
    connection: connectionLimits && { limits: connectionLimits },
  });
  await run({ ...world, pair });
  if (!ends) await pair.assertEmpty();
  await pair[Symbol.asyncDispose]();
  expect(world.cargo.disposals).toBe(disposals);
}

describe("a reference in arguments", () => {
  test.each(inArguments)("$name is disposed $disposals times, and leaves nothing", play);
});

describe("a reference as", () => {
  test.each(inAnswers)("$name is disposed $disposals times, and leaves nothing", play);
});

describe("an object", () => {
  test("that was never had by a peer is as good as new for the next", async () => {
    const { cargo, front } = carriers();
    const lost = await leakCheckedPair(front);
    const call = failureOf(lost.front.ignore(cargo));
    void lost.connection.close();
    expect(await call).toMatchObject({ outcome: "not-sent" });
    await lost[Symbol.asyncDispose]();
    await using pair = await leakCheckedPair(front);
    expect(await pair.front.touch(cargo as never)).toBe("touched after 0 disposals");
  });

  test("that is given back while a call on it runs, and sent again, is disposed after the last of all that", async () => {
    class Slow extends ByReference {
      readonly door = gate();
      disposals = 0;

      work(): Promise<void> {
        return this.door.opened;
      }

      [Symbol.dispose](): void {
        this.disposals++;
      }
    }
    for (const last of ["the call", "the new stub"] as const) {
      const slow = new Slow();
      await using pair = await leakCheckedPair({ slow: () => slow });
      const old = await pair.front.slow();
      const work = old.work();
      release(old);
      await until(() => pair.session.stats().exports === 0);
      const fresh = await pair.front.slow();
      expect(fresh).not.toBe(old);
      if (last === "the call") release(fresh);
      await turns(5);
      expect(slow.disposals).toBe(0);
      slow.door.open();
      await work;
      await turns(5);
      expect(slow.disposals).toBe(last === "the call" ? 1 : 0);
      release(fresh);
      await until(() => slow.disposals === 1);
    }
  });

  test("that a peer sends as often as it can is given back as often", async () => {
    const { front } = carriers();
    await using pair = await leakCheckedPair(front);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (let call = 1; call <= 20; call++) {
      raw.call(call, 0, "ignore", [new RawReference("object", 1), [new RawReference("object", 1)]]);
      await raw.nextResult();
    }
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    await until(() => {
      collectGarbage();
      return session?.stats().imports === 0;
    });
    let given = 0;
    while (given < 40) given += (await releasesOf(raw)).get(1) ?? 0;
    expect(given).toBe(40);
  });
});

describe("stubs that are dropped together", () => {
  test("go back together: not a frame for each", async () => {
    const { front } = carriers();
    await using pair = await leakCheckedPair(front);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const references = Array.from({ length: 120 }, (_, i) => new RawReference("object", i + 1));
    raw.call(1, 0, "keep", [references]);
    await raw.nextResult();
    raw.call(2, 0, "drop");
    await raw.nextResult();
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    await until(() => {
      collectGarbage();
      return session?.stats().imports === 0;
    });
    await turns(5);
    const frames = raw.frames.filter(({ kind }) => kind === frame.release).length;
    const given = new Map<number, number>();
    for (let i = 0; i < frames; i++) for (const [id, count] of await releasesOf(raw)) given.set(id, count);
    expect(given.size).toBe(120);
    expect(new Set(given.values())).toEqual(new Set([1]));
    expect(frames).toBeLessThan(10);
  });

  test("and those that are released in one turn are one frame", async () => {
    const stubs: Remote<Cargo>[] = [];
    const front = {
      keep: (things: readonly Cargo[]) => void stubs.push(...(things as unknown as Remote<Cargo>[])),
      drop: () => {
        for (const stub of stubs.splice(0)) release(stub);
      },
    };
    await using pair = await leakCheckedPair(front);
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const references = Array.from({ length: 120 }, (_, i) => new RawReference("object", i + 1));
    raw.call(1, 0, "keep", [references]);
    raw.call(2, 0, "keep", [references]);
    raw.call(3, 0, "drop");
    const given = await releasesOf(raw);
    expect(given.size).toBe(120);
    expect(new Set(given.values())).toEqual(new Set([2]));
  });
});

/** Holds given back in the next `release` frame, by reference. */
async function releasesOf(raw: RawPeer): Promise<Map<number, number>> {
  const { payload } = await raw.next(frame.release);
  const given = new Map<number, number>();
  for (let i = 0; i < payload.length; i += 2) given.set(payload[i] as number, payload[i + 1] as number);
  return given;
}
