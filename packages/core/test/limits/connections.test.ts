/** `maxConnections`, `handshakeTimeoutMs`, `stallTimeoutMs` and `maxSendBufferBytes`: what a peer may occupy, and for how long. */
import { connect as dialTcp, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { memoryTransport, tcpTransport } from "../../../transports/src/index.ts";
import { type Listener, openConnection, type Transport } from "../../src/index.ts";
import { frame, preamble } from "../../src/wire/frames.ts";
import { leakCheckedPair, memory, tcp } from "../session/pairs.ts";
import { helloFrame, RawPeer } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";
import { calculator, rawClient, rawServer } from "./worlds.ts";

describe("limits.maxConnections", () => {
  const dial = async (address: string) =>
    openConnection(await memoryTransport.dial(address, {}), { address, onError: () => {} });

  test("counts peers that have not said hello: they take places, and give them back in time", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(calculator, {
      clock,
      service: { limits: { maxConnections: 3, handshakeTimeoutMs: 2_000 } },
    });
    await using first = await RawPeer.dial(memoryTransport, pair.service.uri);
    await using second = await RawPeer.dial(memoryTransport, pair.service.uri);
    second.write(preamble);
    await until(() => clock.pendingTimers === 4, "two handshakes under way");
    await expect(dial(pair.service.uri)).rejects.toMatchObject({ code: "unreachable", outcome: "not-sent" });
    expect(await pair.front.add(5, 3)).toBe(8);
    clock.advance(2_000);
    await Promise.all([first.closed(), second.closed()]);
    pair.takeReported();
    await using _taken = (await dial(pair.service.uri)) as AsyncDisposable;
    expect(pair.service.sessions.size).toBe(2);
  });

  test("counts peers that were refused and do not hang up", async () => {
    await using pair = await leakCheckedPair(calculator, { service: { limits: { maxConnections: 4 } } }, tcp);
    const port = Number(new URL(pair.service.uri).port);
    const sockets: Socket[] = [];
    let answered = 0;
    for (let i = 0; i < 8; i++) {
      // Says a hello that is refused, and leaves its side open when the service has ended its own.
      const socket = dialTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
      sockets.push(socket.on("error", () => {}).once("data", () => answered++));
      socket.write(Buffer.concat([preamble, helloFrame({ versions: [99] })]));
      await until(() => socket.readableEnded || socket.destroyed, "the service's end of the socket");
    }
    expect(answered).toBe(3);
    expect(await pair.front.add(5, 3)).toBe(8);
    for (const socket of sockets) socket.destroy();
    let next: RawPeer | undefined;
    while (!next) next = await RawPeer.connect(tcpTransport, pair.service.uri).catch(() => undefined);
    await next[Symbol.asyncDispose]();
    pair.takeReported();
  });

  test("of a service that closes leave nobody behind, not even those it has refused", async () => {
    const pair = await leakCheckedPair(calculator, {}, tcp);
    const port = Number(new URL(pair.service.uri).port);
    const socket = dialTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {}).resume();
    socket.write(Buffer.concat([preamble, helloFrame({ versions: [99] })]));
    await until(() => socket.readableEnded, "the service's end of the socket");
    pair.takeReported();
    await pair.service.close();
    // Who writes to a socket that is closed hears of it.
    await until(() => !socket.write("still here") && socket.closed, "the end of the socket");
    await pair[Symbol.asyncDispose]();
  });
});

describe("limits.handshakeTimeoutMs", () => {
  test("passes at its very end: a hello in the last millisecond is in time", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(calculator, {
      clock,
      service: { limits: { handshakeTimeoutMs: 2_000 } },
    });
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    raw.write(preamble);
    await until(() => clock.pendingTimers === 3);
    clock.advance(1_999);
    raw.hello();
    await raw.next(frame.ready);
    raw.send(frame.ready);
    clock.advance(1);
    raw.call(1, 0, "add", [5, 3]);
    expect(await raw.nextResult()).toMatchObject({ value: 8 });
  });

  test.each([
    ["the preamble", preamble],
    ["half a hello", Buffer.concat([preamble, helloFrame().subarray(0, 50)])],
    ["the header of a hello", Buffer.concat([preamble, helloFrame().subarray(0, 4)])],
  ])("ends a peer that stops after %s", async (_what, bytes) => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(calculator, {
      clock,
      service: { limits: { handshakeTimeoutMs: 2_000, stallTimeoutMs: 60_000 } },
    });
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    raw.write(bytes);
    await until(() => clock.pendingTimers >= 3);
    clock.advance(1_999);
    expect(raw.closing).toBeUndefined();
    clock.advance(1);
    await raw.closed();
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ code: "timeout", outcome: "not-sent" })]);
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test.each([
    [1_500, 500],
    [1_999.5, 0.5],
    [2_000, 0],
    [60_000, 0],
  ])("counts what came before the channel: after %d ms of TLS there are %d left", async (openingMs, leftMs) => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(
      calculator,
      { clock, service: { limits: { handshakeTimeoutMs: 2_000 } } },
      { ...memory, transport: openingFor(openingMs) },
    );
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    raw.write(preamble);
    await until(() => clock.pendingTimers === 3);
    if (leftMs > 0) clock.advance(leftMs - 0.25);
    expect(raw.closing).toBeUndefined();
    clock.advance(0.25);
    await raw.closed();
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ code: "timeout", outcome: "not-sent" })]);
  });
});

/** Memory whose channels say that it took them a while to open. */
function openingFor(openingMs: number): Transport {
  return {
    ...memoryTransport,
    listen(uri, options) {
      const listener = memoryTransport.listen?.(uri, options) as Listener;
      return {
        get uri() {
          return listener.uri;
        },
        isPrivate: listener.isPrivate,
        start: (on) =>
          listener.start({
            accept: (peer) => on.accept(peer),
            channel: (channel) => on.channel(Object.assign(channel, { openingMs })),
            error: (error) => on.error(error),
          }),
        close: () => listener.close(),
        ref: () => listener.ref(),
        unref: () => listener.unref(),
      };
    },
  };
}

describe("limits.stallTimeoutMs", () => {
  test("of a client ends the session of a server that stops in the middle of an answer", async () => {
    const clock = new ManualClock();
    await using world = await rawServer<{ give(): string }>({ clock, limits: { stallTimeoutMs: 4_000 } });
    const failed = expect(world.remote.give()).rejects.toMatchObject({ code: "closed", outcome: "unknown" });
    await world.raw.nextCall();
    const before = clock.pendingTimers;
    world.raw.write(Uint8Array.of(frame.result, 0, 0, 9, 1));
    await until(() => clock.pendingTimers > before);
    clock.advance(3_999);
    expect(world.connection.state).toBe("open");
    clock.advance(1);
    await failed;
    expect(await world.connection.closed).toMatchObject({ code: "timeout", by: "network" });
    expect(await world.othersAreWell()).toBe(true);
  });

  test("of a client ends the session of a server that takes nothing", async () => {
    const clock = new ManualClock();
    await using world = await rawServer<{ take(bytes: Uint8Array): void }>({
      clock,
      limits: { stallTimeoutMs: 4_000 },
    });
    world.raw.pause();
    const before = clock.pendingTimers;
    const failed = expect(world.remote.take(new Uint8Array(1_000_000))).rejects.toMatchObject({
      code: "closed",
      outcome: "unknown",
    });
    await until(() => clock.pendingTimers > before);
    clock.advance(3_999);
    expect(world.connection.state).toBe("open");
    clock.advance(1);
    await failed;
    expect(await world.connection.closed).toMatchObject({ code: "timeout", by: "network" });
    expect(await world.othersAreWell()).toBe(true);
    world.raw.resume();
  });

  test("is counted from the last bytes the peer took: one that reads slowly keeps its session", async () => {
    const clock = new ManualClock();
    const give = { give: () => new Uint8Array(2_000_000) };
    await using world = await rawClient(give, { clock, limits: { stallTimeoutMs: 4_000 } });
    world.raw.pause();
    world.raw.call(1, 0, "give");
    const received = () => world.raw.frames.reduce((bytes, { payload }) => bytes + payload.length, 0);
    const pings = () => world.raw.frames.filter(({ kind }) => kind === frame.ping).length;
    for (let pongs = 0; received() < 2_000_000; ) {
      const { bytesOut: before, bytesIn: heard } = world.session.stats();
      world.raw.resume();
      await until(() => world.session.stats().bytesOut > before || received() > 2_000_000);
      world.raw.pause();
      do world.raw.send(frame.pong);
      while (++pongs < pings());
      await until(() => world.session.stats().bytesIn > heard);
      if (received() < 2_000_000) clock.advance(3_000);
    }
    expect(world.session.state).toBe("open");
    world.raw.resume();
    expect(await world.othersAreWell()).toBe(true);
  });
});

describe("limits.maxSendBufferBytes", () => {
  const give = { give: (bytes: number) => new Uint8Array(bytes) };

  test("let one answer of any size wait, alone", async () => {
    await using world = await rawClient(give, { limits: { maxSendBufferBytes: 300_000 } });
    world.raw.pause();
    world.raw.call(1, 0, "give", [5_000_000]);
    world.raw.send(frame.ping);
    await until(() => world.session.stats().callsIn === 1);
    expect(world.session.state).toBe("open");
    expect(await world.othersAreWell()).toBe(true);
    world.raw.resume();
    await world.raw.next(frame.result);
    expect(world.session.state).toBe("open");
  });

  test("end the session of a server that reads nothing, refusals neither", async () => {
    const limits = { maxSendBufferBytes: 20_000, maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using world = await rawServer({ limits, front: { hang: () => new Promise(() => {}) } });
    world.raw.pause();
    for (let id = 1; id <= 3_000; id++) world.raw.call(id, 0, "hang");
    expect(await world.connection.closed).toMatchObject({
      code: "limit-exceeded",
      by: "us",
      message: expect.stringContaining("limits.maxSendBufferBytes"),
    });
    expect(await world.othersAreWell()).toBe(true);
    world.raw.resume();
    await world.raw.closed();
  });

  test("do not bind what a service asks of its client: calls wait for a client that reads slowly", async () => {
    const client = { take: (bytes: Uint8Array) => bytes.length };
    await using pair = await leakCheckedPair(calculator, {
      clientFront: client,
      service: { limits: { maxSendBufferBytes: 10_000 } },
    });
    const remote = pair.session.front<typeof client>();
    const calls = Array.from({ length: 50 }, () => remote.take(new Uint8Array(100_000)));
    expect(await Promise.all(calls)).toEqual(calls.map(() => 100_000));
  });
});
