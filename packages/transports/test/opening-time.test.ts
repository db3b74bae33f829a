/** TLS and HTTP take their time out of the session's: one limit from accepting a connection to an established session. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { ManualClock, turns, turnsUntil } from "@farref/conformance";
import { type Channel, type Listener, openService, type Transport } from "@farref/core";
import { tcpTransport, tlsTransport, webSocketListener, webSocketTransport } from "@farref/transports";
import { describe, expect, test } from "vitest";
import { createAuthority } from "./certificates.ts";
import { portIn } from "./relay.ts";
import { watchedServers } from "./shared-servers.ts";
import { requestUpgrade } from "./upgrade-request.ts";

const authority = createAuthority();
const { cert: ca } = authority;
const tls = authority.issue({ name: "a server", hosts: ["127.0.0.1"] });

const servers = watchedServers();

async function shared(server: Server): Promise<Listener> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return webSocketListener(server);
}

interface Place {
  readonly transport: Transport;
  listener(): Promise<Listener>;
}

const listenAt = (transport: Transport, uri: string) => async () => transport.listen?.(uri, { tls }) as Listener;
const places: Readonly<Record<string, Place>> = {
  tls: { transport: tlsTransport, listener: listenAt(tlsTransport, "tls://127.0.0.1:0") },
  ws: { transport: webSocketTransport, listener: listenAt(webSocketTransport, "ws://127.0.0.1:0") },
  wss: { transport: webSocketTransport, listener: listenAt(webSocketTransport, "wss://127.0.0.1:0") },
  "a shared server": { transport: webSocketTransport, listener: () => shared(createServer()) },
  "a shared secure server": { transport: webSocketTransport, listener: () => shared(createHttpsServer(tls)) },
};

const timeoutMs = 2_000;

/** A service whose clock stands still: whatever time a session has less, it was told of. */
async function serve({ listener }: Pick<Place, "listener">) {
  const clock = new ManualClock();
  const errors: Error[] = [];
  const channels: Channel[] = [];
  const inner = await listener();
  const watched: Listener = {
    get uri() {
      return inner.uri;
    },
    isPrivate: inner.isPrivate,
    start: (on) =>
      inner.start({
        ...{ accept: (peer) => on.accept(peer), error: (error) => on.error(error) },
        channel: (channel) => {
          channels.push(channel);
          on.channel(channel);
        },
      }),
    close: () => inner.close(),
    ref: () => inner.ref(),
    unref: () => inner.unref(),
  };
  const service = await openService(
    [watched],
    {},
    {
      clock,
      limits: { handshakeTimeoutMs: timeoutMs },
      onError: (error) => errors.push(error),
    },
  );
  return { service, clock, errors, channels };
}

/** Hands on what a client sends one byte a turn, and only when it is told to begin. */
async function dribbling(port: number) {
  const held: number[] = [];
  const sockets: Socket[] = [];
  let isOpen = false;
  let forwarded = 0;
  let tellConnected!: () => void;
  const connected = new Promise<void>((resolve) => {
    tellConnected = resolve;
  });
  const server = createTcpServer((near) => {
    const far = connect({ port, host: "127.0.0.1", noDelay: true }, tellConnected);
    sockets.push(near, far);
    const part = () => [near, far].forEach((socket) => void socket.destroy());
    for (const socket of [near, far]) socket.on("error", () => {}).on("close", part);
    near.on("data", (bytes) => held.push(...bytes));
    far.pipe(near);
    const step = () => {
      const byte = isOpen ? held.shift() : undefined;
      if (byte !== undefined) far.write(Uint8Array.of(byte), () => forwarded++);
      if (!far.destroyed) setImmediate(step);
    };
    step();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connected,
    open: () => {
      isOpen = true;
    },
    get forwarded() {
      return forwarded;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe.each(Object.entries(places))("%s", (_, place) => {
  test("a client that dribbles has spent some of the handshake's time when its channel is there", async () => {
    const { service, clock, errors, channels } = await serve(place);
    await using relay = await dribbling(portIn(service.uri));
    const dialledAt = performance.now();
    const dialled = place.transport.dial(service.uri.replace(/:\d+/, `:${relay.port}`), { tls: { ca } });
    await relay.connected;
    await connectAfter(portIn(service.uri));
    const acceptedAt = performance.now();
    relay.open();
    expect(await turnsUntil(() => relay.forwarded > 100, 3_000)).toBe(true);
    const spentMs = performance.now() - acceptedAt;
    const near = await dialled;
    await turnsUntil(() => channels.length === 1, 3_000);
    const { openingMs = 0 } = channels[0] as Channel;
    expect(openingMs).toBeGreaterThanOrEqual(spentMs);
    expect(openingMs).toBeLessThanOrEqual(performance.now() - dialledAt);

    expect(clock.pendingTimers).toBe(1);
    clock.advance(timeoutMs - spentMs);
    const late = expect.objectContaining({ code: "timeout", outcome: "not-sent" });
    await turnsUntil(() => errors.some((error) => late.asymmetricMatch(error)), 3_000);
    expect(errors).toContainEqual(late);
    near.destroy();
    await service.close();
  });
});

/** Connections are accepted in their order: when this one has been hung up on, those before it are accepted. */
async function connectAfter(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  socket.end("x");
  await once(socket.resume(), "close");
}

test("tcp says nothing of it: its channels are there at once", async () => {
  const { service, channels } = await serve({ listener: listenAt(tcpTransport, "tcp://127.0.0.1:0") });
  const near = await tcpTransport.dial(service.uri, {});
  await turnsUntil(() => channels.length === 1, 3_000);
  expect(channels[0]?.openingMs).toBeUndefined();
  near.destroy();
  await service.close();
});

test("on a shared server a connection that has carried a request before has all its time", async () => {
  const server = createServer((_, response) => response.end("a page"));
  const { service, channels } = await serve({ listener: () => shared(server) });
  const socket = connect(portIn(service.uri), "127.0.0.1").on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await once(socket, "data");
  await turns(20);
  socket.write(
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await turnsUntil(() => channels.length === 1, 3_000);
  expect(channels[0]?.openingMs).toBeUndefined();
  socket.destroy();
  await service.close();
});

test("a shared listener takes all that it listens to back", async () => {
  const server = createServer();
  const { service } = await serve({ listener: () => shared(server) });
  const port = portIn(service.uri);
  const events = ["connection", "request", "upgrade"];
  const before = events.map((event) => server.listenerCount(event));
  expect(await requestUpgrade(`ws://127.0.0.1:${port}`)).toBe(101);
  await service.close();
  expect(events.map((event, i) => (before[i] as number) - server.listenerCount(event))).toEqual([1, 1, 1]);
});
