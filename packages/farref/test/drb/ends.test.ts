/**
 * Carries over what DRb's suite asks of a peer that connects and closes at once, to every transport; and what it leaves
 * untested: resets in a handshake, peers of which only half is there, a service that stops while calls are under way.
 */
import { once } from "node:events";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { connect, connectionOf, type Service, startService } from "farref";
import { describe, expect, test } from "vitest";
import { acceptAt, handleWatch, leakCheckedPair, ManualClock } from "../../../conformance/src/index.ts";
import { connectionOf as coreConnectionOf, openConnection, type Remote } from "../../../core/src/index.ts";
import { frame, preamble } from "../../../core/src/wire/frames.ts";
import { RawPeer } from "../../../core/test/session/raw-peer.ts";
import { gate, until } from "../../../core/test/session/waiting.ts";
import { type Place, places, securePlaces } from "../places.ts";

class Door {
  readonly closed = gate<string>();
  begun = 0;

  add(a: number, b: number): number {
    return a + b;
  }

  wait(): Promise<string> {
    this.begun++;
    return this.closed.opened;
  }
}

/** A bare socket to an address of any scheme. */
async function bareSocket(uri: string): Promise<Socket> {
  const at = uri.startsWith("unix:") ? { path: uri.slice(5) } : { host: "127.0.0.1", port: Number(new URL(uri).port) };
  const socket = connectSocket({ ...at, allowHalfOpen: true });
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  return socket;
}

/** Serves, and fails where anything is left when it is over. */
async function serving({ at, serving: options, connecting }: Place) {
  const watch = handleWatch();
  const failures: Error[] = [];
  const service = await startService(at.freshUri(), new Door(), {
    ...options,
    onError: (error) => failures.push(error),
  });
  return {
    service,
    failures,
    /** Somebody else connects, calls, and leaves. */
    async expectServing() {
      const front = await connect<Door>(service.uri, connecting);
      expect(await front.add(5, 3)).toBe(8);
      await connectionOf(front).close();
    },
    async [Symbol.asyncDispose]() {
      await until(() => service.sessions.size === 0, "the end of all sessions");
      await service.close();
      await watch.assertClosed();
    },
  };
}

const everywhere = [...places, ...securePlaces()];

/** How each scheme's conversation begins, cut off in the middle. */
const beginnings: Readonly<Partial<Record<Place["place"], string>>> = {
  tcp: "\x93farr",
  unix: "\x93farr",
  ws: "GET /farref HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webs",
  tls: "\x16\x03\x01\x02\x00\x01\x00\x01",
  wss: "\x16\x03\x01\x02\x00\x01\x00\x01",
};

describe.each(everywhere)("a peer, over $place,", (place) => {
  const ways: readonly (readonly [what: string, leave: (socket: Socket) => void])[] = [
    ["closes at once", (socket) => void socket.end()],
    ["is destroyed at once", (socket) => void socket.destroy()],
    ["resets at once", (socket) => void socket.resetAndDestroy()],
    [
      "closes in the middle of its first words",
      (socket) => void socket.end(Buffer.from(beginnings[place.place] ?? "", "latin1")),
    ],
    [
      "resets in the middle of its first words",
      (socket) => {
        socket.write(Buffer.from(beginnings[place.place] ?? "", "latin1"));
        socket.resetAndDestroy();
      },
    ],
  ];

  test.each(ways.filter(([what]) => place.place !== "unix" || !what.startsWith("resets")))(
    "that %s harms nobody: others are served, and nothing is left of it",
    async (_what, leave) => {
      await using world = await serving(place);
      for (let i = 0; i < 10; i++) {
        const socket = await bareSocket(world.service.uri);
        leave(socket);
        await world.expectServing();
        socket.destroy();
      }
    },
  );

  test("that has a channel and drops it before a word harms nobody", async () => {
    await using world = await serving(place);
    for (let i = 0; i < 5; i++) {
      const channel = await place.at.transport.dial(world.service.uri, {});
      if (i % 2 === 0) channel.destroy();
      else channel.end();
      channel.start({ chunk: () => {}, drained: () => {}, closed: () => {} });
      await world.expectServing();
    }
    await until(() => world.failures.length === 5, "the news of each");
  });

  test("that serves nobody, and closes or resets at once, is unreachable", async () => {
    const watch = handleWatch();
    let isRude = false;
    const server = createServer((socket) => {
      socket.on("error", () => {}).resume();
      if (isRude) socket.resetAndDestroy();
      else socket.end();
    });
    const uri = place.at.freshUri();
    server.listen(uri.startsWith("unix:") ? { path: uri.slice(5) } : { host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    const address = server.address();
    const reachable = typeof address === "object" && address ? uri.replace(":0", `:${address.port}`) : uri;
    for (isRude of place.place === "unix" ? [false] : [false, true]) {
      const connecting = connect(reachable, place.connecting);
      await expect(connecting).rejects.toMatchObject({ code: "unreachable", outcome: "not-sent" });
    }
    server.close();
    await watch.assertClosed();
  });
});

describe.each(places)("a peer of which half is there, over $place,", ({ at }) => {
  test("as it has closed its side after shaking hands, is gone, with the calls that run for it", async () => {
    const door = new Door();
    await using pair = await leakCheckedPair(at, door);
    const channel = await at.transport.dial(pair.service.uri, {});
    const raw = new RawPeer(channel);
    await shakeHands(raw);
    await until(() => pair.service.sessions.size === 2);
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    raw.call(1, 0, "wait");
    await until(() => door.begun === 1);
    channel.end();
    expect(await session?.closed).toMatchObject({ code: "lost", by: "network" });
    expect(session?.stats()).toMatchObject({ runningCalls: 0, exports: 0 });
    await raw.closed();
    door.closed.open("late");
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("as nothing comes from it any more, is found dead by its silence", async () => {
    const clock = new ManualClock();
    await using pair = await leakCheckedPair(at, new Door(), { service: { clock } });
    await using raw = await RawPeer.connect(at.transport, pair.service.uri);
    raw.call(1, 0, "add", [5, 3]);
    expect(await raw.nextResult()).toMatchObject({ value: 8 });
    const [session] = [...pair.service.sessions].filter((candidate) => candidate !== pair.session);
    await passSilently(clock, 15_000, () => pair.session.stats().bytesIn);
    await raw.next(frame.ping);
    clock.advance(10_000);
    expect(await session?.closed).toMatchObject({ code: "timeout", by: "network" });
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("as a server that takes calls and never says a word again, ends them as unknown", async () => {
    const watch = handleWatch();
    const clock = new ManualClock();
    const acceptor = await acceptAt(at.transport, at.freshUri());
    const dialled = at.transport.dial(acceptor.uri, {});
    const raw = new RawPeer(await acceptor.next());
    const serving = raw.serve();
    const front = (await openConnection(await dialled, { address: acceptor.uri, clock })) as Remote<Door>;
    await serving;
    const calls = [front.add(1, 2), front.wait()].map((call) => call.catch((error: unknown) => error));
    await raw.nextCall();
    await raw.nextCall();
    clock.advance(15_000);
    await raw.next(frame.ping);
    clock.advance(10_000);
    for (const call of calls) expect(await call).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(await coreConnectionOf(front).closed).toMatchObject({ code: "timeout", by: "network" });
    expect(clock.pendingTimers).toBe(0);
    await raw[Symbol.asyncDispose]();
    await acceptor[Symbol.asyncDispose]();
    await watch.assertClosed();
  });
});

describe.each(places)("a service that stops, over $place,", ({ at, serving: options, connecting }) => {
  test("at once ends every session and fails the calls that run, as unknown", async () => {
    const door = new Door();
    await using pair = await leakCheckedPair(at, door);
    const { uri } = pair.service;
    const calls = Array.from({ length: 10 }, () => pair.front.wait().catch((error: unknown) => error));
    await until(() => door.begun === 10);
    await pair.service.close();
    for (const call of calls) expect(await call).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(await pair.connection.closed).toMatchObject({ code: "closed", by: "peer" });
    await expect(pair.front.add(1, 2)).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
    await expect(connect(uri)).rejects.toMatchObject({ code: "unreachable" });
  });

  test("when it has finished lets running calls answer and refuses new ones", async () => {
    const door = new Door();
    await using pair = await leakCheckedPair(at, door);
    const calls = Array.from({ length: 10 }, () => pair.front.wait());
    await until(() => door.begun === 10);
    const drained = pair.service.drain();
    await until(() => pair.connection.state === "draining");
    await expect(pair.front.add(1, 2)).rejects.toMatchObject({ code: "closed", outcome: "not-executed" });
    door.closed.open("answered");
    expect(await Promise.all(calls)).toEqual(calls.map(() => "answered"));
    await drained;
    expect(await pair.connection.closed).toMatchObject({ code: "drained", by: "peer" });
  });

  test("from within a call still answers it", async () => {
    let stopping: Promise<void> | undefined;
    const services: Service<object>[] = [];
    const front = {
      stop: () => {
        stopping = services[0]?.drain();
        return "stopping";
      },
    };
    await using pair = await leakCheckedPair(at, front);
    services.push(pair.service);
    expect(await pair.front.stop()).toBe("stopping");
    await stopping;
    expect(await pair.connection.closed).toMatchObject({ code: "drained", by: "peer" });
  });

  test("is served again at its address by another, to whom clients have to connect", async () => {
    const first = await startService(at.freshUri(), new Door(), options);
    const { uri } = first;
    const front = await connect<Door>(uri, connecting);
    await first.close();
    await connectionOf(front).closed;
    await using _second = await startService(uri, new Door(), options);
    await expect(front.add(1, 2)).rejects.toMatchObject({ code: "closed", outcome: "not-sent" });
    const again = await connect<Door>(uri, connecting);
    expect(await again.add(5, 3)).toBe(8);
    await connectionOf(again).close();
  });
});

async function shakeHands(raw: RawPeer): Promise<void> {
  raw.write(preamble);
  raw.hello();
  await raw.next(frame.hello);
  await raw.next(frame.ready);
  raw.send(frame.ready);
}

/** Moves time on, and waits until whoever is alive has shown it. */
async function passSilently(clock: ManualClock, ms: number, bytesIn: () => number): Promise<void> {
  const before = bytesIn();
  clock.advance(ms);
  await until(() => bytesIn() > before, "a sign of life");
}
