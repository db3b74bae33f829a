/**
 * A stub handed on: A has a stub of C's object and gives it to B, whose calls go through A to the same object. Here A is
 * the test: it is connected to C's service (`origin`) and to B's (`reader`), or B is connected to A's (`gateway`).
 */
import { describe, expect, test } from "vitest";
import {
  collectGarbage,
  heldTransport,
  ManualClock,
  type PairOptions,
  turns,
  wrappedTransport,
} from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  ByReference,
  type Channel,
  currentCall,
  type Down,
  isRemote,
  monitor,
  oneway,
  perSession,
  type Remote,
  release,
  revoke,
  sameReference,
  withOptions,
} from "../../src/index.ts";
import { leakCheckedPair, memory, places, tcp } from "../session/pairs.ts";
import { RawPeer, RawReference } from "../session/raw-peer.ts";
import { failureOf, gate, until } from "../session/waiting.ts";

/** C's object. */
class Doc extends ByReference {
  readonly lines: string[] = [];
  disposals = 0;
  signal: AbortSignal | undefined;
  readonly door = gate<string>();

  add(line: string, _ballast?: Uint8Array): number {
    return this.lines.push(line);
  }

  call(): unknown {
    const { context, deadline, signal } = currentCall();
    this.signal = signal;
    return { context: { ...context }, hasDeadline: deadline !== undefined };
  }

  wait(): Promise<string> {
    this.signal = currentCall().signal;
    return this.door.opened;
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}

function library() {
  const doc = new Doc();
  return { doc, front: { doc: () => doc, isDoc: (thing: unknown) => thing === doc, give: (thing: unknown) => thing } };
}

/** B's front: keeps what it is given, and what becomes of it. */
class Reader {
  doc!: Remote<Doc>;
  readonly told: Down[] = [];

  take(doc: Doc): void {
    this.doc = doc as unknown as Remote<Doc>;
    monitor(this.doc, (down) => this.told.push(down));
  }

  drop(): void {
    this.doc = undefined as never;
  }
}

/** C, A and B, and B holds C's document by A's hand. */
async function three(options: { origin?: PairOptions; reader?: PairOptions } = {}) {
  const { doc, front } = library();
  const b = new Reader();
  const origin = await leakCheckedPair(front, options.origin);
  const reader = await leakCheckedPair({ take: (given: Doc) => b.take(given) }, options.reader);
  const stub = await origin.front.doc();
  await reader.front.take(stub as never);
  const end = async () => {
    b.drop();
    release(stub);
    await reader[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  };
  return { doc, b, origin, reader, stub, [Symbol.asyncDispose]: end };
}

test("a stub that was released is handed on to nobody", async () => {
  await using origin = await leakCheckedPair(library().front);
  await using reader = await leakCheckedPair(library().front);
  const stub = await origin.front.doc();
  release(stub);
  expect(await failureOf(reader.front.give(stub))).toMatchObject({ code: "stale-reference", outcome: "not-sent" });
});

describe.each(places)("a stub handed on, over $place,", ({ at }) => {
  test("reaches the same object, in the order of the calls, whether they are large, oneway or not", async () => {
    const { doc, front } = library();
    const b = new Reader();
    await using origin = await leakCheckedPair(front, {}, at);
    await using reader = await leakCheckedPair({ take: (given: Doc) => b.take(given) }, {}, at);
    using stub = await origin.front.doc();
    await reader.front.take(stub as never);
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i}`);
    const ballast = new Uint8Array(100_000);
    const calls = lines.map((line, i) => {
      if (i % 20 === 7) return b.doc.add(line, ballast);
      return i % 3 === 0 ? oneway(b.doc).add(line) : b.doc.add(line);
    });
    const last = b.doc.add("last");
    release(b.doc);
    await Promise.all(calls);
    expect(await last).toBe(61);
    expect(doc.lines).toEqual([...lines, "last"]);
    expect(doc.disposals).toBe(0);
    await until(() => reader.connection.stats().exports === 0);
    expect(await stub.add("by A itself")).toBe(62);
  });
});

describe("a stub handed on", () => {
  test("takes signal, context and deadline of a call along", async () => {
    await using world = await three();
    const patient = withOptions(world.b.doc, { timeoutMs: 60_000, context: { tenant: "acme" } });
    expect(await patient.call()).toEqual({ context: { tenant: "acme" }, hasDeadline: true });
    expect(await world.b.doc.call()).toEqual({ context: {}, hasDeadline: false });
  });

  test("cancels where the method runs, when B gives up", async () => {
    await using world = await three();
    const controller = new AbortController();
    const call = withOptions(world.b.doc, { signal: controller.signal }).wait();
    await until(() => world.doc.signal !== undefined);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: "cancelled", outcome: "unknown" });
    await until(() => world.doc.signal?.aborted === true);
    world.doc.door.open("too late");
  });

  test("ends where the method runs, when B's time is up", async () => {
    const clocks = [new ManualClock(), new ManualClock()] as const;
    const advance = (ms: number) => clocks.forEach((clock) => void clock.advance(ms));
    await using world = await three({ origin: { clock: clocks[0] }, reader: { clock: clocks[1] } });
    const call = withOptions(world.b.doc, { timeoutMs: 500 }).wait();
    await until(() => world.doc.signal !== undefined);
    advance(499);
    await turns(5);
    expect(world.doc.signal?.aborted).toBe(false);
    advance(1);
    await expect(call).rejects.toMatchObject({ code: "timeout", outcome: "unknown" });
    await until(() => world.doc.signal?.aborted === true);
    world.doc.door.open("too late");
  });

  test("comes home to A as A's stub, and to C from A as the object itself", async () => {
    await using world = await three();
    const held: unknown[] = [];
    await using gateway = await leakCheckedPair({ take: (thing: unknown) => held.push(thing), doc: () => world.stub });
    {
      using relayed = await gateway.front.doc();
      expect(await gateway.front.doc()).toBe(relayed);
      await gateway.front.take(relayed);
      expect(held.splice(0)[0]).toBe(world.stub);
      expect(sameReference(relayed, world.stub)).toBe(false);
    }
    expect(await world.origin.front.isDoc(world.stub)).toBe(true);
  });

  test("round a triangle stays a relay: it reaches the object, and is not taken for it", async () => {
    const { doc, front } = library();
    await using origin = await leakCheckedPair(front);
    await using other = await leakCheckedPair(front);
    using stub = await origin.front.doc();
    using relayed = (await other.front.give(stub)) as Remote<Doc>;
    expect(relayed).toBe(stub);
    expect(await other.front.isDoc(stub as never)).toBe(false);
    expect(await stub.add("through A")).toBe(1);
    expect(sameReference(doc, stub)).toBe(false);
    expect(isRemote(relayed)).toBe(true);
  });

  test("as a function is called as one", async () => {
    await using origin = await leakCheckedPair({ adder: () => (n: number) => n + 1 });
    await using gateway = await leakCheckedPair({ adder: async () => origin.front.adder() });
    using adder = await gateway.front.adder();
    expect(await adder(4)).toBe(5);
  });

  test("lives on at B when A's program drops it, and goes home when B drops it too", async () => {
    const { doc, front } = library();
    await using origin = await leakCheckedPair(front);
    await using gateway = await leakCheckedPair({ doc: async () => origin.front.doc() });
    const relayed = await gateway.front.doc();
    collectGarbage();
    await turns(2);
    expect(await relayed.add("still there")).toBe(1);
    expect(doc.disposals).toBe(0);
    release(relayed);
    await until(() => gateway.session.stats().exports === 0);
    await origin.assertEmpty();
    await until(() => doc.disposals === 1);
  });

  test("that is given to B twice, and dropped once in between, is the same object", async () => {
    const { front } = library();
    await using origin = await leakCheckedPair(front);
    using stub = await origin.front.doc();
    await using gateway = await leakCheckedPair({ doc: () => stub });
    const first = await gateway.front.doc();
    const again = gateway.front.doc();
    await until(() => gateway.session.stats().callsIn === 2);
    release(first);
    using second = await again;
    expect(second).not.toBe(first);
    expect(await second.add("a line")).toBe(1);
  });
});

/** Channels that a test may cut. */
function severable() {
  const channels: Channel[] = [];
  const transport = wrappedTransport(memoryTransport, (channel) => {
    channels.push(channel);
    return channel;
  });
  return { channels, transport };
}

/** What B's calls come to: one that runs at C, and one that is made when B has heard. */
async function fates(world: Awaited<ReturnType<typeof three>>, end: () => unknown) {
  const running = failureOf(world.b.doc.wait());
  await until(() => world.doc.signal !== undefined);
  await end();
  const failed = await running;
  await until(() => world.b.told.length > 0);
  const later = await failureOf(world.b.doc.add("too late"));
  await turns(5);
  world.doc.door.open("nobody hears");
  return { failed, later, told: world.b.told };
}

const unknown = { code: "closed", outcome: "unknown" };
const notSent = { code: "closed", outcome: "not-sent" };

describe("when a leg dies with a call of B's running at C,", () => {
  test.each([
    ["C closes its session with A", (world: Awaited<ReturnType<typeof three>>) => world.origin.session.close("bye")],
    ["A closes its session with C", (world: Awaited<ReturnType<typeof three>>) => world.origin.connection.close()],
    ["C's service closes", (world: Awaited<ReturnType<typeof three>>) => world.origin.service.close()],
  ])("as %s, the call and a monitor of B's say `closed`, and B's session goes on", async (_how, end) => {
    await using world = await three();
    const { failed, later, told } = await fates(world, () => end(world));
    expect(failed).toMatchObject(unknown);
    expect(later).toMatchObject(notSent);
    expect(told).toEqual([{ reason: "closed" }]);
    expect(world.reader.session.state).toBe("open");
    expect(world.doc.disposals).toBe(1);
  });

  test.each([
    ["B closes its session with A", (world: Awaited<ReturnType<typeof three>>) => world.reader.session.close("bye")],
    ["A closes its session with B", (world: Awaited<ReturnType<typeof three>>) => world.reader.connection.close()],
  ])("as %s, they say `closed`, the method is told, and A's stub is as it was", async (_how, end) => {
    await using world = await three();
    const { failed, later, told } = await fates(world, () => end(world));
    expect(failed).toMatchObject(unknown);
    expect(later).toMatchObject(notSent);
    expect(told).toEqual([{ reason: "closed" }]);
    await until(() => world.doc.signal?.aborted === true);
    expect(await world.stub.add("by A")).toBe(1);
    expect(world.doc.disposals).toBe(0);
  });

  test("as C vanishes, the call is unknown and the monitor says `session-lost` and why", async () => {
    const b = new Reader();
    await using reader = await leakCheckedPair({ take: (given: Doc) => b.take(given) });
    const a = { pass: (stub: Doc) => reader.front.take(stub) };
    await using origin = await leakCheckedPair(a);
    await using c = await RawPeer.connect(memoryTransport, origin.service.uri);
    c.call(1, 0, "pass", [new RawReference("object", 1, "Doc")]);
    await c.nextResult();
    const running = failureOf(b.doc.wait());
    await c.nextCall();
    c.destroy();
    expect(await running).toMatchObject(unknown);
    await until(() => b.told.length > 0);
    expect(b.told).toMatchObject([{ reason: "session-lost", error: { code: "closed", outcome: "unknown" } }]);
    expect(b.told[0]?.error?.detail).toContain("lost");
    expect(await failureOf(b.doc.add("too late"))).toMatchObject(notSent);
    expect(String(b.doc)).toContain("lost");
    expect(reader.session.state).toBe("open");
  });

  test("as A vanishes, the call is unknown, the monitor says `session-lost`, and C's method is told", async () => {
    const lost = new Error("the cable is out");
    const { transport, channels } = severable();
    const { doc, front } = library();
    const b = new Reader();
    await using origin = await leakCheckedPair(front);
    const reader = await leakCheckedPair({ take: (given: Doc) => b.take(given) }, {}, { ...memory, transport });
    using stub = await origin.front.doc();
    await reader.front.take(stub as never);
    const running = failureOf(b.doc.wait());
    await until(() => doc.signal !== undefined);
    for (const channel of channels) channel.destroy(lost);
    expect(await running).toMatchObject(unknown);
    await until(() => b.told.length > 0 && doc.signal?.aborted === true);
    expect(b.told).toMatchObject([{ reason: "session-lost", error: { code: "closed" } }]);
    expect(await stub.add("by A")).toBe(1);
    expect(doc.disposals).toBe(0);
    doc.door.open("nobody hears");
    await reader[Symbol.asyncDispose]();
  });
});

describe("when C's session with A ends,", () => {
  test("a call of B's that A could not send yet is not-executed, one that was sent is unknown", async () => {
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using world = await three({ origin: { service: { limits } } });
    const calls = [world.b.doc.wait(), world.b.doc.wait(), world.b.doc.wait()].map(failureOf);
    await until(() => world.doc.signal !== undefined && world.origin.connection.stats().pendingCalls === 3);
    world.origin.session.close("bye");
    const [running, queued, held] = await Promise.all(calls);
    expect(running).toMatchObject(unknown);
    expect(queued).toMatchObject(unknown);
    expect(held).toMatchObject({ code: "closed", outcome: "not-executed" });
    world.doc.door.open("nobody hears");
    await until(() => world.b.told.length > 0);
  });

  test("a call of B's that meets the news on its way is closed, not-executed", async () => {
    const { transport, toListener } = heldTransport(memoryTransport);
    const { front } = library();
    const b = new Reader();
    await using origin = await leakCheckedPair(front);
    await using reader = await leakCheckedPair({ take: (given: Doc) => b.take(given) }, {}, { ...memory, transport });
    using stub = await origin.front.doc();
    await reader.front.take(stub as never);
    toListener.shut();
    origin.session.close("bye");
    await until(() => toListener.waiting > 0);
    const crossing = failureOf(b.doc.add("too late"));
    await turns(5);
    toListener.open();
    expect(await crossing).toMatchObject({ code: "closed", outcome: "not-executed" });
    await until(() => b.told.length > 0);
    expect(b.told).toEqual([{ reason: "closed" }]);
  });

  test("a stub that is handed on only then says so at once, each time it is handed on", async () => {
    const { front } = library();
    const b = new Reader();
    await using origin = await leakCheckedPair(front);
    await using reader = await leakCheckedPair({ take: (given: Doc) => b.take(given) });
    const stub = await origin.front.doc();
    origin.session.close("bye");
    await origin.connection.closed;
    await reader.front.take(stub as never);
    await until(() => b.told.length === 1);
    const first = b.doc;
    await reader.front.take(stub as never);
    await until(() => b.told.length === 2);
    expect(b.doc).not.toBe(first);
    expect(b.told).toEqual([{ reason: "closed" }, { reason: "closed" }]);
    await until(() => reader.connection.stats().exports === 0);
  });

  test("a thousand documents handed on are told of, and given back", async () => {
    const docs = Array.from({ length: 1_000 }, () => new Doc());
    const told: Down[] = [];
    await using origin = await leakCheckedPair({ docs: () => docs });
    const front = {
      watch: (given: readonly Doc[]) => {
        for (const doc of given) monitor(doc, (down) => told.push(down));
        kept.push(...given);
      },
    };
    const kept: unknown[] = [];
    await using reader = await leakCheckedPair(front);
    await reader.front.watch((await origin.front.docs()) as never);
    expect(reader.connection.stats().exports).toBe(1_000);
    origin.session.close("bye");
    await until(() => told.length === 1_000);
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["closed"]));
    await until(() => reader.connection.stats().exports === 0);
  });
});

describe("when the object goes,", () => {
  test("because C revokes it, B's running call finishes, later ones are stale, B's monitor says `disposed`", async () => {
    await using world = await three();
    const running = world.b.doc.wait();
    await until(() => world.doc.signal !== undefined);
    revoke(world.doc);
    expect(await failureOf(world.b.doc.add("crossing"))).toMatchObject({
      code: "stale-reference",
      outcome: "not-executed",
    });
    await until(() => world.b.told.length > 0);
    expect(await failureOf(world.b.doc.add("too late"))).toMatchObject({
      code: "stale-reference",
      outcome: "not-sent",
    });
    expect(world.b.told).toEqual([{ reason: "disposed" }]);
    world.doc.door.open("finished");
    expect(await running).toBe("finished");
    await until(() => world.doc.disposals === 1);
  });

  test.each(["releases its stub", "revokes what it handed on"] as const)(
    "because A %s, B's is stale and its monitor says `disposed`",
    async (how) => {
      await using world = await three();
      if (how === "releases its stub") release(world.stub);
      else revoke(world.stub);
      await until(() => world.b.told.length > 0);
      expect(world.b.told).toEqual([{ reason: "disposed" }]);
      expect(await failureOf(world.b.doc.add("too late"))).toMatchObject({
        code: "stale-reference",
        outcome: "not-sent",
      });
      await until(() => world.reader.connection.stats().exports === 0);
    },
  );

  test("the news goes along a chain of any length, hop by hop", async () => {
    for (const end of ["revoked", "closed"] as const) {
      const { doc, front } = library();
      const origin = await leakCheckedPair(front, {}, tcp);
      const hops = [];
      let stub: Remote<Doc> = await origin.front.doc();
      for (let i = 0; i < 4; i++) {
        const given = stub;
        const hop = await leakCheckedPair({ doc: () => given }, {}, i % 2 === 0 ? memory : tcp);
        hops.push(hop);
        stub = await hop.front.doc();
      }
      expect(await stub.add("from the end of the chain")).toBe(1);
      const told: Down[] = [];
      monitor(stub, (down) => told.push(down));
      if (end === "revoked") revoke(doc);
      else origin.session.close();
      await until(() => told.length > 0);
      expect(told).toEqual([{ reason: end === "revoked" ? "disposed" : "closed" }]);
      for (const hop of hops.reverse()) await hop[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    }
  });
});

describe("a stub offered as a front", () => {
  test("is called through, and dies with the session it came by", async () => {
    const { doc, front } = library();
    await using origin = await leakCheckedPair(front);
    using stub = await origin.front.doc();
    await using gateway = await leakCheckedPair(stub as unknown as Doc);
    const told: Down[] = [];
    monitor(gateway.front, (down) => told.push(down));
    expect(await gateway.front.add("through a front")).toBe(1);
    origin.session.close("bye");
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "closed" }]);
    expect(await failureOf(gateway.front.add("too late"))).toMatchObject(notSent);
    expect(gateway.connection.state).toBe("open");
    expect(doc.lines).toEqual(["through a front"]);
  });

  test("that is dead before anybody connects tells so when somebody has", async () => {
    const { front } = library();
    await using origin = await leakCheckedPair(front);
    const stub = await origin.front.doc();
    release(stub);
    await using gateway = await leakCheckedPair(stub as unknown as Doc);
    const told: Down[] = [];
    monitor(gateway.front, (down) => told.push(down));
    await until(() => told.length > 0);
    expect(told).toEqual([{ reason: "disposed" }]);
  });

  test("of each session is given up with it", async () => {
    const docs: Doc[] = [];
    const make = () => {
      const doc = new Doc();
      docs.push(doc);
      return doc;
    };
    await using origin = await leakCheckedPair({ make });
    const gateway = await leakCheckedPair(perSession(async () => (await origin.front.make()) as unknown as Doc));
    expect(await gateway.front.add("mine")).toBe(1);
    await gateway[Symbol.asyncDispose]();
    await until(() => docs[0]?.disposals === 1);
  });
});
