import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import { memoryTransport, tcpTransport } from "../../../transports/src/index.ts";
import { currentCall, openConnection, openService, perCall, type RpcError, type Session } from "../../src/index.ts";
import { frame, optional } from "../../src/wire/frames.ts";
import { leakCheckedPair, places } from "./pairs.ts";
import { RawPeer } from "./raw-peer.ts";
import { failureOf, gate, until } from "./waiting.ts";

const heartbeatMs = 15_000;
const answerMs = 10_000;

function waiter() {
  const door = gate<string>();
  const signals: AbortSignal[] = [];
  const front = {
    wait: () => {
      signals.push(currentCall().signal);
      return door.opened;
    },
    add: (a: number, b: number) => a + b,
  };
  return { front, door, signals };
}

const running = (session: Session, count = 1) => until(() => session.stats().runningCalls === count, "a running call");

describe.each(places)("closing over $place", ({ at }) => {
  test("the connection ends the session at both ends, and tells each by whom", async () => {
    await using pair = await leakCheckedPair(waiter().front, {}, at);
    await pair.connection.close();
    expect(pair.connection.state).toBe("closed");
    expect(await pair.connection.closed).toEqual({ code: "closed", message: "closed", by: "us" });
    expect(await pair.session.closed).toEqual({ code: "closed", message: "closed", by: "peer" });
    expect(pair.session.state).toBe("closed");
    await until(() => pair.service.sessions.size === 0);
  });

  test("the service ends every session at once, and running calls fail as closed, unknown", async () => {
    const { front, door, signals } = waiter();
    await using pair = await leakCheckedPair(front, {}, at);
    const failure = failureOf(pair.front.wait());
    await running(pair.session);
    await pair.service.close();
    expect(await failure).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(signals[0]?.aborted).toBe(true);
    expect(await pair.connection.closed).toMatchObject({
      code: "closed",
      by: "peer",
      message: "the service was closed",
    });
    await pair.service.closed;
    door.open("too late");
  });

  test("a session tells the client why", async () => {
    await using pair = await leakCheckedPair(waiter().front, {}, at);
    pair.session.close("maintenance");
    expect(await pair.connection.closed).toEqual({ code: "closed", message: "maintenance", by: "peer" });
  });
});

describe("closing", () => {
  test("twice, from both ends, at once, is closing", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    pair.session.close();
    await Promise.all([pair.connection.close(), pair.connection.close(), pair.service.close(), pair.service.close()]);
    expect(await pair.connection.closed).toMatchObject({ by: "us" });
  });

  test("lets a small answer that is written already reach the caller", async () => {
    await using pair = await leakCheckedPair({
      bye(): string {
        const { session } = currentCall();
        queueMicrotask(() => session.close());
        return "bye";
      },
    });
    expect(await pair.front.bye()).toBe("bye");
  });

  test("tells those who watch its state, once, with the reason", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    const seen: [string, string | undefined][] = [];
    const stop = pair.connection.on("state", (state, reason) => seen.push([state, reason?.code]));
    const stopped: string[] = [];
    pair.connection.on("state", (state) => stopped.push(state))();
    pair.session.close("done");
    await pair.connection.closed;
    expect(seen).toEqual([["closed", "closed"]]);
    expect(stopped).toEqual([]);
    stop();
  });

  test("is not disturbed by a watcher that throws", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    const seen: string[] = [];
    pair.connection.on("state", () => {
      throw new Error("a watcher that throws");
    });
    pair.connection.on("state", (state) => seen.push(state));
    pair.session.close("done");
    expect(await pair.connection.closed).toMatchObject({ code: "closed", by: "peer" });
    expect(seen).toEqual(["closed"]);
    expect(pair.takeReported().connection).toEqual([expect.objectContaining({ message: "a watcher that throws" })]);
  });

  test("a service by its signal, before it listens or after", async () => {
    const listen = () => memoryTransport.listen?.("memory:signalled", {}) ?? expect.unreachable();
    const starting = openService([listen()], waiter().front, { signal: AbortSignal.abort() });
    expect(await failureOf(starting)).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    const controller = new AbortController();
    await using pair = await leakCheckedPair(waiter().front, { service: { signal: controller.signal } });
    controller.abort();
    await pair.service.closed;
    expect(await pair.connection.closed).toMatchObject({ by: "peer" });
  });

  test.each(["close", "drain"] as const)("a service by %s leaves it the addresses it has listened on", async (end) => {
    const at = ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0"].map((uri) => tcpTransport.listen!(uri, {}));
    const service = await openService(at, waiter().front, {});
    const { uri, uris } = service;
    expect(uris).toEqual([expect.stringMatching(/:[1-9]\d*$/), expect.stringMatching(/:[1-9]\d*$/)]);
    await service[end]();
    expect([service.uri, service.uris]).toEqual([uri, uris]);
    await service.close();
    expect([service.uri, service.uris]).toEqual([uri, uris]);
  });

  test("a service that could not start leaves the listener to the one that has it", async () => {
    const listener = memoryTransport.listen!("memory:taken", {});
    const service = await openService([listener], waiter().front, {});
    expect(await failureOf(openService([listener], waiter().front, {}))).toMatchObject({ outcome: "not-sent" });
    expect(service.uri).toBe("memory:taken");
    (await memoryTransport.dial("memory:taken", {})).destroy();
    await service.close();
  });

  test("settles only when the channel is gone, however slow the peer", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(waiter().front, { clock });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    raw.pause();
    const closing = pair.service.close();
    await turns(5);
    clock.advance(1_000);
    await closing;
    raw.resume();
    await raw.closed();
  });

  test("by disposing what connect returned closes its connection", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    pair.front[Symbol.dispose]();
    expect(await pair.connection.closed).toMatchObject({ by: "us" });
  });
});

describe("a connection that breaks off", () => {
  test("ends the session as lost: calls that may have run are unknown, and nothing stays", async () => {
    const { front, door, signals } = waiter();
    const pair = await leakCheckedPair(front);
    const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    raw.call(1, 0, "wait");
    await until(() => signals.length === 1);
    raw.destroy();
    expect(await session?.closed).toMatchObject({ code: "lost", by: "network" });
    expect(signals[0]?.aborted).toBe(true);
    expect(session?.stats()).toMatchObject({ exports: 0, imports: 0, runningCalls: 0, pendingCalls: 0 });
    door.open("nobody hears");
    await raw[Symbol.asyncDispose]();
    await pair[Symbol.asyncDispose]();
  });

  test("at the service's end fails the client's calls as closed, unknown, in the turn of the news", async () => {
    const acceptor: RawPeer[] = [];
    const listener = memoryTransport.listen?.("memory:raw-server", {}) ?? expect.unreachable();
    await listener.start({
      accept: () => true,
      channel: (channel) => acceptor.push(new RawPeer(channel)),
      error: () => {},
    });
    const connecting = memoryTransport
      .dial("memory:raw-server", {})
      .then((channel) => openConnection(channel, { address: "memory:raw-server" }));
    await until(() => acceptor.length === 1);
    const server = acceptor[0] as RawPeer;
    await server.serve();
    const front = (await connecting) as { work(): Promise<unknown> };
    const failure = failureOf(front.work());
    await server.nextCall();
    server.destroy();
    expect(await failure).toMatchObject({
      code: "closed",
      outcome: "unknown",
      message: expect.stringContaining("was lost"),
    });
    expect(await failureOf(front.work())).toMatchObject({ code: "closed", outcome: "not-sent" });
    await server.closed();
    await listener.close();
  });
});

describe("draining", () => {
  test("finishes running calls, refuses new ones as not-executed, then closes as drained", async () => {
    const { front, door, signals } = waiter();
    await using pair = await leakCheckedPair(front);
    const states: string[] = [];
    pair.connection.on("state", (state) => states.push(state));
    const running = pair.front.wait();
    await until(() => signals.length === 1);
    const drained = pair.service.drain();
    await until(() => pair.connection.state === "draining");
    await expect(pair.front.add(1, 2)).rejects.toMatchObject({ code: "closed", outcome: "not-executed" });
    expect(pair.session.state).toBe("draining");
    door.open("finished");
    expect(await running).toBe("finished");
    await drained;
    await pair.service.closed;
    expect(await pair.connection.closed).toMatchObject({ code: "drained", by: "peer" });
    expect(states).toEqual(["draining", "closed"]);
    expect(signals[0]?.aborted).toBe(false);
  });

  test("with nothing to finish closes at once", async () => {
    await using pair = await leakCheckedPair(waiter().front);
    await pair.service.drain();
    expect(await pair.connection.closed).toMatchObject({ code: "drained", by: "peer" });
  });

  test("accepts calls nested in running ones", async () => {
    const door = gate();
    await using pair = await leakCheckedPair({
      async outer(inner: () => Promise<string>): Promise<string> {
        await door.opened;
        return `outer of ${await inner()}`;
      },
      leaf: () => "leaf",
    });
    const call = pair.front.outer(() => pair.front.leaf());
    await running(pair.session);
    const drained = pair.service.drain();
    await until(() => pair.connection.state === "draining");
    door.open();
    // The callback is called after the method's first await, but itself calls back before its own.
    expect(await call).toBe("outer of leaf");
    await drained;
  });

  test("lets queued calls run that came before it", async () => {
    const { front, door } = waiter();
    await using pair = await leakCheckedPair(front, { service: { limits: { maxRunningCalls: 1 } } });
    const calls = [pair.front.wait(), pair.front.add(1, 2), pair.front.add(3, 4)];
    await until(() => pair.session.stats().callsIn === 3);
    const drained = pair.service.drain();
    door.open("done");
    expect(await Promise.all(calls)).toEqual(["done", 3, 7]);
    await drained;
  });

  test("waits for the answers of large results to leave", async () => {
    const door = gate();
    await using pair = await leakCheckedPair({
      async large(): Promise<Uint8Array> {
        await door.opened;
        return new Uint8Array(2_000_000).fill(7);
      },
    });
    const call = pair.front.large();
    await running(pair.session);
    const drained = pair.service.drain();
    door.open();
    expect((await call).length).toBe(2_000_000);
    await drained;
    expect(await pair.connection.closed).toMatchObject({ code: "drained" });
  });

  test("ends when a call that waited for a decision has run in one go", async () => {
    const door = gate();
    await using pair = await leakCheckedPair(
      { add: (a: number, b: number) => a + b },
      {
        service: { authorize: [async () => door.opened.then(() => true)] },
      },
    );
    const call = pair.front.add(5, 3);
    await running(pair.session);
    const drained = pair.service.drain();
    door.open();
    expect(await call).toBe(8);
    await drained;
  });

  test("ends when a call whose front had to be made has run in one go", async () => {
    const door = gate();
    const front = perCall(async () => {
      await door.opened;
      return { add: (a: number, b: number) => a + b };
    });
    await using pair = await leakCheckedPair(front);
    const call = pair.front.add(5, 3);
    await running(pair.session);
    const drained = pair.service.drain();
    door.open();
    expect(await call).toBe(8);
    await drained;
  });

  test("ends when a large call that had begun has come and run", async () => {
    await using pair = await leakCheckedPair({ take: (bytes: Uint8Array) => bytes.length });
    const call = pair.front.take(new Uint8Array(9_000_000));
    await until(() => pair.session.stats().callsIn === 1);
    const drained = pair.service.drain();
    expect(await call).toBe(9_000_000);
    await drained;
  });

  test("ends after its time in any case: what still runs fails as closed", async () => {
    const clock = new ManualClock();
    const { front, door } = waiter();
    await using pair = await leakCheckedPair(front, { clock });
    const failure = failureOf(pair.front.wait());
    await running(pair.session);
    const drained = pair.service.drain({ timeoutMs: 5_000 });
    await until(() => pair.connection.state === "draining");
    clock.advance(4_999);
    expect(pair.session.state).toBe("draining");
    clock.advance(1);
    await drained;
    expect(await failure).toMatchObject({ code: "closed", outcome: "unknown" });
    door.open("too late");
  });

  test("gives running calls 30 s by default", async () => {
    const clock = new ManualClock();
    const { front, door } = waiter();
    await using pair = await leakCheckedPair(front, {
      service: { clock, heartbeatMs: Number.MAX_SAFE_INTEGER },
      connection: { heartbeatMs: Number.MAX_SAFE_INTEGER },
    });
    const failure = failureOf(pair.front.wait());
    await running(pair.session);
    const drained = pair.service.drain();
    await until(() => pair.session.state === "draining");
    clock.advance(29_999);
    expect(pair.session.state).toBe("draining");
    clock.advance(1);
    await drained;
    await failure;
    door.open("too late");
  });

  test("takes no new sessions", async () => {
    const { front, door } = waiter();
    await using pair = await leakCheckedPair(front);
    const call = pair.front.wait();
    await running(pair.session);
    const drained = pair.service.drain();
    await turns(2);
    await expect(memoryTransport.dial(pair.service.uri || "memory:gone", {})).rejects.toMatchObject({
      code: "unreachable",
    });
    door.open("done");
    await call;
    await drained;
  });

  test("twice is draining", async () => {
    const { front, door } = waiter();
    await using pair = await leakCheckedPair(front);
    const call = pair.front.wait();
    await running(pair.session);
    const drains = [pair.service.drain(), pair.service.drain()];
    door.open("done");
    await Promise.all([call, ...drains]);
  });
});

describe("the heartbeat", () => {
  test("finds a silent peer dead after its interval and the time to answer", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(waiter().front, { service: { clock } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    await turns(3);
    clock.advance(heartbeatMs);
    await raw.next(frame.ping);
    clock.advance(answerMs - 1);
    expect(session?.state).toBe("open");
    clock.advance(1);
    expect(await session?.closed).toMatchObject({ code: "timeout", by: "network" });
    await raw.closed();
  });

  test("keeps a peer that answers, for as long as it does", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(waiter().front, { service: { clock } });
    for (let i = 0; i < 10; i++) {
      const { bytesIn } = pair.session.stats();
      clock.advance(heartbeatMs);
      await until(() => pair.session.stats().bytesIn > bytesIn);
    }
    expect(pair.session.state).toBe("open");
    expect(pair.session.stats().callsIn).toBe(0);
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("never asks a peer that is busy", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(waiter().front, { service: { clock } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (let id = 1; id <= 10; id++) {
      raw.call(id, 0, "add", [1, 2]);
      await raw.nextResult();
      clock.advance(heartbeatMs - 1);
    }
    expect(raw.frames.filter(({ kind }) => kind === frame.ping)).toEqual([]);
  });

  test("tells a dead peer from a slow method: any byte is a sign of life, an answer to the call is not needed", async () => {
    const clock = new ManualClock();
    const { front, door } = waiter();
    await using pair = await leakCheckedPair(front, { connection: { clock }, service: { clock } });
    const call = pair.front.wait();
    await running(pair.session);
    for (let i = 0; i < 8; i++) {
      const before = [pair.session.stats().bytesIn, pair.connection.stats().bytesIn];
      clock.advance(heartbeatMs);
      await until(
        () => pair.session.stats().bytesIn > (before[0] ?? 0) && pair.connection.stats().bytesIn > (before[1] ?? 0),
      );
    }
    door.open("slow but alive");
    expect(await call).toBe("slow but alive");
  });

  test("gives grace after a late timer: we slept, the peer may have spoken meanwhile", async () => {
    const clock = new SleepyClock();
    await using pair = await leakCheckedPair(waiter().front, { service: { clock } });
    await using raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    await turns(3);
    clock.advance(heartbeatMs);
    await raw.next(frame.ping);
    clock.oversleep(60_000);
    expect(session?.state).toBe("open");
    raw.send(frame.pong | optional);
    await until(() => (session?.stats().bytesIn ?? 0) > 0);
    await turns(2);
    clock.advance(1_000);
    expect(session?.state).toBe("open");
  });

  test("takes the shorter interval of both ends", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(waiter().front, {
      clock,
      service: { heartbeatMs: 60_000 },
      connection: { heartbeatMs: 3_000 },
    });
    const { bytesIn } = pair.session.stats();
    clock.advance(3_000);
    await until(() => pair.session.stats().bytesIn > bytesIn);
  });

  test("says nothing once the session has ended", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(waiter().front, { clock });
    await pair.connection.close();
    await pair.service.close();
    clock.advance(100_000);
    expect(clock.pendingTimers).toBe(0);
  });
});

/** A clock whose process can be stopped: time goes on, and timers run late, all at once. */
class SleepyClock extends ManualClock {
  #skippedMs = 0;

  override now(): number {
    return super.now() + this.#skippedMs;
  }

  oversleep(ms: number): void {
    this.#skippedMs += ms;
    this.advance(answerMs);
  }
}

describe("a session that ends while somebody waits", () => {
  test("fails lookups, calls held back and callbacks too", async () => {
    const { front, door } = waiter();
    await using pair = await leakCheckedPair(
      { ...front, callBack: (callback: () => Promise<string>) => callback() },
      { service: { limits: { maxRunningCalls: 1, maxQueuedCalls: 1 } } },
    );
    const failures = [
      failureOf(pair.front.wait()),
      failureOf(pair.front.wait()),
      failureOf(pair.front.wait()),
      failureOf(pair.connection.lookup("x")),
    ];
    await until(() => pair.session.stats().callsIn === 2);
    await pair.connection.close();
    const [first, second, held] = (await Promise.all(failures)) as RpcError[];
    expect([first?.outcome, second?.outcome, held?.outcome]).toEqual(["unknown", "unknown", "not-sent"]);
    door.open("too late");
  });
});
