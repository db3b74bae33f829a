import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import {
  acceptAt,
  describeTransport,
  type HandleWatch,
  handleWatch,
  openPair,
  probe,
  slicingTransport,
} from "@farref/conformance";
import { webSocketTransport } from "@farref/transports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { requestUpgrade, upgrade } from "./upgrade-request.ts";

const freshUri = () => "ws://127.0.0.1:0/farref";
const setUp = {
  transport: webSocketTransport,
  freshUri,
  badUris: [
    "ws://",
    "ws://:80",
    "ws://127.0.0.1:65536/",
    "ws://user:secret@127.0.0.1:80/",
    "ws://127.0.0.1:80/a b",
    "ws://127.0.0.1:80/\n",
    "ws://127.0.0.1:80/#name",
    "ws://1.2.3.4.5:80/",
    "http://127.0.0.1:80/",
  ],
  async connectFragile(uri: string) {
    const { socket } = await upgrade(uri);
    return () => void socket?.resetAndDestroy();
  },
};

describeTransport("websocket", setUp);
describeTransport("websocket, byte by byte", {
  ...setUp,
  transport: slicingTransport(webSocketTransport),
  largestBytes: 400_000,
});

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

describe("websocket addresses", () => {
  test("a listener needs a port and no query, and a certificate where it is secure", () => {
    const listen = (uri: string) => () => webSocketTransport.listen?.(uri, {});
    expect(listen("ws://127.0.0.1/")).toThrow(expect.objectContaining({ code: "bad-uri" }));
    expect(listen("ws://127.0.0.1:0/?a=b")).toThrow(expect.objectContaining({ code: "bad-uri" }));
    expect(listen("wss://127.0.0.1:0/")).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  test("the address keeps its path, or has none", async () => {
    await using withPath = await acceptAt(webSocketTransport, "ws://127.0.0.1:0/a/b");
    expect(withPath.uri).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/a\/b$/);
    await using bare = await acceptAt(webSocketTransport, "ws://[::1]:0");
    expect(bare.uri).toMatch(/^ws:\/\/\[::1\]:\d+$/);
    for (const uri of [bare.uri, `${bare.uri}/`, `${bare.uri}?token=x`]) expect(await requestUpgrade(uri)).toBe(101);
    expect(await requestUpgrade(`${bare.uri}/other`)).toBe(404);
  });
});

describe("what is no WebSocket", () => {
  test("a plain request is told to upgrade, on another path that there is nothing", async () => {
    await using acceptor = await acceptAt(webSocketTransport, freshUri());
    const url = acceptor.uri.replace("ws:", "http:");
    const [here, there] = [await fetch(url), await fetch(`${url}/other`, { method: "POST", body: "x" })];
    expect([here.status, there.status]).toEqual([426, 404]);
    expect(await here.text()).toContain("WebSocket");
    await there.text();
    expect(acceptor.count).toBe(0);
  });

  test.each([
    ["another method", {}, "POST", 400],
    ["another version", { "Sec-WebSocket-Version": "8" }, "GET", 400],
    ["a bad key", { "Sec-WebSocket-Key": "x" }, "GET", 400],
    ["another protocol", { Upgrade: "h2c" }, "GET", 400],
    ["two hosts", { Host: "a, b" }, "GET", 400],
    ["a host with a path", { Host: "a/b" }, "GET", 400],
    ["a host with an impossible port", { Host: "a:99999", Origin: "http://a" }, "GET", 400],
    ["a host that is no address", { Host: "1.2.3.4.5", Origin: "http://a" }, "GET", 400],
  ])("%s is refused", async (_, headers, method, status) => {
    await using acceptor = await acceptAt(webSocketTransport, freshUri());
    const answer = await upgrade(acceptor.uri, headers, method);
    answer.socket?.destroy();
    expect(answer.status).toBe(status);
  });

  test("who is not accepted gets no answer to plain requests either", async () => {
    await using acceptor = await acceptAt(webSocketTransport, freshUri(), {}, { accept: () => false });
    await expect(fetch(acceptor.uri.replace("ws:", "http:"))).rejects.toThrow();
    expect(await requestUpgrade(acceptor.uri)).toBe(0);
  });

  test("who connects and says nothing is cut off, and close cuts off who has not asked yet", async () => {
    const acceptor = await acceptAt(webSocketTransport, freshUri(), { handshakeTimeoutMs: 20 });
    const port = Number(new URL(acceptor.uri).port);
    await gone(connect(port, "127.0.0.1"));
    const late = connect(port, "127.0.0.1");
    late.write("GET / HTTP/1.1\r\n");
    await Promise.all([gone(late), once(late, "connect").then(() => acceptor.listener.close())]);
  });

  test("random bytes end a connection and nothing else", async () => {
    await using acceptor = await acceptAt(webSocketTransport, freshUri());
    for (const bytes of [
      "\x16\x03\x01",
      "SSH-2.0-x\r\n",
      "GET",
      "\0\0\0\0",
      "GET / HTTP/1.1\r\nHost: a\r\nA\r\n\r\n",
    ]) {
      const socket = connect(Number(new URL(acceptor.uri).port), "127.0.0.1");
      socket.end(bytes);
      await gone(socket);
    }
    expect(acceptor.count).toBe(0);
  });
});

describe("origins", () => {
  const judge = async (headers: Record<string, string>, allowedOrigins?: readonly string[]) => {
    await using acceptor = await acceptAt(webSocketTransport, freshUri(), { allowedOrigins });
    const port = new URL(acceptor.uri).port;
    const filled = Object.entries(headers).map(([name, value]) => [name, value.replace("PORT", port)]);
    return await requestUpgrade(acceptor.uri, Object.fromEntries(filled));
  };

  test.each([
    [101, {}],
    [101, { Host: "anything.example" }],
    [101, { Origin: "http://127.0.0.1:PORT" }],
    [101, { Origin: "HTTP://LocalHost:80", Host: "LOCALHOST" }],
    [101, { Origin: "http://localhost", Host: "localhost:80" }],
    [101, { Origin: "http://app.localhost:3000", Host: "app.localhost:3000" }],
    [403, { Origin: "http://127.0.0.1" }],
    [403, { Origin: "http://127.0.0.1:1" }],
    [403, { Origin: "https://127.0.0.1:PORT" }],
    [403, { Origin: "http://localhost:PORT" }],
    [403, { Origin: "http://127.0.0.1:PORT.evil.example" }],
    [403, { Origin: "http://127.0.0.1.evil.example:PORT" }],
    [403, { Origin: "http://127.0.0.1:PORT@evil.example" }],
    [403, { Origin: "http://localhost.", Host: "localhost" }],
    [403, { Origin: "null" }],
    [403, { Origin: "" }],
    [403, { Origin: "nonsense" }],
    [403, { Origin: "file://" }],
    // DNS rebinding: the page and the request agree on a name that is not this machine's.
    [403, { Origin: "http://attacker.example:PORT", Host: "attacker.example:PORT" }],
  ])("by default: %i for %j", async (status, headers) => {
    expect(await judge(headers as Record<string, string>)).toBe(status);
  });

  test.each([
    [101, {}],
    [101, { Origin: "https://good.example" }],
    [101, { Origin: "https://GOOD.example:443" }],
    [101, { Origin: "http://dev.example:3000" }],
    [101, { Origin: "chrome-extension://abcdef" }],
    [403, { Origin: "http://good.example" }],
    [403, { Origin: "https://good.example.evil.example" }],
    [403, { Origin: "https://evilgood.example" }],
    [403, { Origin: "https://good.example:8443" }],
    [403, { Origin: "http://dev.example" }],
    [403, { Origin: "http://127.0.0.1:PORT" }],
    [403, { Origin: "null" }],
  ])("with a list: %i for %j", async (status, headers) => {
    const allowed = ["https://good.example", "http://dev.example:3000/", "chrome-extension://abcdef"];
    expect(await judge(headers as Record<string, string>, allowed)).toBe(status);
  });

  test("a list with what no browser sends is refused", () => {
    for (const origin of ["*", "null", "good.example", "https://good.example/path"]) {
      const listen = () => webSocketTransport.listen?.(freshUri(), { allowedOrigins: [origin] });
      expect(listen).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    }
  });
});

describe("messages", () => {
  const openClient = async (options: object = {}) => {
    const acceptor = await acceptAt(webSocketTransport, freshUri());
    const client = new WebSocket(acceptor.uri, { perMessageDeflate: false, ...options });
    client.on("error", () => {});
    await once(client, "open");
    const far = probe(await acceptor.next());
    await acceptor.listener.close();
    return { client, far, closed: once(client, "close") };
  };

  test("text is refused with 1003", async () => {
    const { client, far, closed } = await openClient();
    client.send("hello");
    client.send(Buffer.of(1));
    expect(await far.closed()).toMatchObject({ code: "protocol" });
    expect((await closed)[0]).toBe(1003);
    expect(far.received).toHaveLength(0);
  });

  test("compression is not spoken", async () => {
    const { client, far } = await openClient({ perMessageDeflate: true });
    expect(client.extensions).toBe("");
    client.close();
    expect(await far.closed()).toBeUndefined();
  });

  test("a message over the largest size is refused with 1009", async () => {
    const { client, far, closed } = await openClient();
    for (let i = 0; i < 4; i++) client.send(Buffer.alloc(16 * 1024));
    client.send(Buffer.alloc(256 * 1024));
    await far.bytes(64 * 1024 + 256 * 1024);
    client.send(Buffer.alloc(256 * 1024 + 1));
    expect(await far.closed()).toBeInstanceOf(Error);
    expect((await closed)[0]).toBe(1009);
  });

  test("an early message is not collected beyond its smaller size", async () => {
    const { client, far, closed } = await openClient();
    client.send(Buffer.alloc(16 * 1024));
    await far.bytes(16 * 1024);
    client.send(Buffer.alloc(200 * 1024), { fin: false });
    expect(await far.closed()).toMatchObject({ code: "protocol" });
    await closed;
    expect(far.received).toHaveLength(16 * 1024);
  });

  test("early messages may be as small as they like, with pings between them", async () => {
    const { client, far } = await openClient();
    for (let i = 0; i < 30_000; i++) {
      client.send(Buffer.of(i));
      if (i % 1_000 === 0) client.ping();
    }
    await far.bytes(30_000);
    client.close();
    expect(await far.closed()).toBeUndefined();
  });

  test("endless fragments are refused", async () => {
    const { client, far, closed } = await openClient();
    for (let i = 0; i < 100; i++) client.send(Buffer.of(i), { fin: false });
    expect(await far.closed()).toBeInstanceOf(Error);
    await closed;
  });

  test("a broken frame costs its own connection", async () => {
    await using acceptor = await acceptAt(webSocketTransport, freshUri());
    const { socket } = await upgrade(acceptor.uri);
    const far = probe(await acceptor.next());
    socket?.write(Buffer.from("ffffffffffff", "hex"));
    expect(await far.closed()).toBeInstanceOf(Error);
    socket?.destroy();
  });

  test.each([
    [1000, undefined],
    [1001, undefined],
    [1011, expect.any(Error)],
    [4000, expect.any(Error)],
  ])("close code %i", async (code, error) => {
    const { client, far } = await openClient();
    client.close(code, "a reason");
    expect(await far.closed()).toEqual(error);
  });

  test("a close without a code is orderly, a socket that just ends is not", async () => {
    const [first, second] = [await openClient(), await openClient()];
    first.client.close();
    expect(await first.far.closed()).toBeUndefined();
    second.client.terminate();
    expect(await second.far.closed()).toBeInstanceOf(Error);
  });

  test("no write is cut into more messages than it needs", async () => {
    const { client, far } = await openClient();
    const sizes: number[] = [];
    client.on("message", (message: Buffer) => sizes.push(message.length));
    far.channel.write(new Uint8Array(64 * 1024));
    far.channel.write(new Uint8Array(600 * 1024));
    far.channel.end();
    await far.closed();
    expect(sizes.map((size) => size / 1024)).toEqual([16, 16, 16, 16, 256, 256, 88]);
  });
});

describe("dialing what is no farref", () => {
  test.each([
    [200, "protocol"],
    [301, "protocol"],
    [401, "unauthenticated"],
    [403, "denied"],
    [404, "protocol"],
    [503, "overloaded"],
  ])("an answer of %i is %s", async (status, code) => {
    const server = createServer((_, response) => response.writeHead(status, { Location: "/" }).end("no"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const uri = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const dial = webSocketTransport.dial(uri, {});
    await expect(dial).rejects.toMatchObject({
      code,
      outcome: "not-sent",
      detail: expect.stringContaining(`${status}`),
    });
    server.close();
    server.closeAllConnections();
  });

  test.each([
    ["SSH-2.0-OpenSSH\r\n", "protocol"],
    ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "protocol"],
    ["", "unreachable"],
  ])("%j is %s", async (text, code) => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(text));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const uri = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(webSocketTransport.dial(uri, {})).rejects.toMatchObject({ code, outcome: "not-sent" });
    server.close();
  });

  test("an abort while the server keeps silent ends the dial", async () => {
    const server = createTcpServer((socket) => socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const controller = new AbortController();
    const uri = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const dial = webSocketTransport.dial(uri, { signal: controller.signal });
    await once(server, "connection");
    controller.abort();
    await expect(dial).rejects.toMatchObject({ code: "cancelled" });
    server.close();
  });
});

test("peers are known by their normalised addresses", async () => {
  await using pair = await openPair(webSocketTransport, "ws://localhost:0/");
  expect(pair.far.peer).toMatchObject({ transport: "ws", port: expect.any(Number) });
  expect(["127.0.0.1", "::1"]).toContain(pair.far.peer.address);
  expect(pair.near.peer.address).toBe(pair.far.peer.address);
});

/** Waits until a socket is closed, in whatever way. */
function gone(socket: Socket): Promise<void> {
  socket.on("error", () => {}).resume();
  return new Promise((resolve) => socket.on("close", () => resolve()));
}
