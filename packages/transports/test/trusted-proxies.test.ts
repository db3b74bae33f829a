/** Who a client behind a proxy is, and who may say so. */
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:tls";
import { Acceptor, acceptAt, turnsUntil } from "@farref/conformance";
import type { ListenerEvents, ListenOptions } from "@farref/core";
import { webSocketListener, webSocketTransport } from "@farref/transports";
import { describe, expect, test } from "vitest";
import { createAuthority } from "./certificates.ts";
import { portIn } from "./relay.ts";
import { watchedServers } from "./shared-servers.ts";
import { requestUpgrade } from "./upgrade-request.ts";

const servers = watchedServers();

const trustedProxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48"];

/** The same rules for both kinds of listener. */
const listeners = {
  "a listener of one's own": (options: ListenOptions, on?: Partial<ListenerEvents>) =>
    acceptAt(webSocketTransport, "ws://127.0.0.1:0", { isGuarded: true, ...options }, on),
  "a shared server": async (options: ListenOptions, on?: Partial<ListenerEvents>) => {
    const server = createServer();
    servers.push(server);
    const listener = webSocketListener(server);
    listener.configure?.({ isGuarded: true, ...options });
    const acceptor = new Acceptor(listener);
    await acceptor.start(on);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return acceptor;
  },
};

describe.each(Object.entries(listeners))("%s", (_, listen) => {
  /** Who the service is asked about, and what the client gets. */
  async function ask(header: string | readonly string[] | undefined, options: ListenOptions = { trustedProxies }) {
    await using acceptor = await listen(options);
    const headers = header === undefined ? {} : { "X-Forwarded-For": header as string };
    const status = await requestUpgrade(acceptor.uri, headers);
    await turnsUntil(() => status !== 101 || acceptor.count === 1, 1_000);
    return { status, asked: acceptor.asked };
  }

  test.each([
    ["203.0.113.7", { address: "203.0.113.7", port: undefined }],
    ["203.0.113.7:4711", { address: "203.0.113.7", port: 4711 }],
    ["2001:db8::7", { address: "2001:db8::7", port: undefined }],
    ["[2001:db8::7]", { address: "2001:db8::7", port: undefined }],
    ["[2001:DB8:0:0::7]:4711", { address: "2001:db8::7", port: 4711 }],
    ["::ffff:203.0.113.7", { address: "203.0.113.7", port: undefined }],
    ["[::ffff:cb00:7107]:1", { address: "203.0.113.7", port: 1 }],
    // From the right: what is trusted is a proxy, the first that is not is the client, what it claims is nothing.
    ["203.0.113.7, 10.1.2.3", { address: "203.0.113.7", port: undefined }],
    ["203.0.113.7 ,10.1.2.3:80,2001:db8:ffff::9,  127.0.0.1", { address: "203.0.113.7", port: undefined }],
    ["127.0.0.1, 198.51.100.1, 203.0.113.7, 10.1.2.3", { address: "203.0.113.7", port: undefined }],
    ["rubbish, 203.0.113.7", { address: "203.0.113.7", port: undefined }],
    ["::ffff:10.1.2.3, 203.0.113.7, ::ffff:10.1.2.3", { address: "203.0.113.7", port: undefined }],
    [["127.0.0.1", "203.0.113.7", "10.1.2.3"], { address: "203.0.113.7", port: undefined }],
    // All of them proxies: the first of them is the client.
    ["10.9.9.9, 10.1.2.3", { address: "10.9.9.9", port: undefined }],
  ])("%j from a trusted proxy", async (header, peer) => {
    expect(await ask(header)).toEqual({ status: 101, asked: [{ transport: "ws", ...peer }] });
  });

  test.each([
    "",
    ",",
    "203.0.113.7,",
    "unknown",
    "_hidden",
    "203.0.113.7, unknown",
    "203.0.113",
    "203.0.113.256",
    "203.0.113.07",
    "203.0.113.7.1",
    "0xcb007107",
    "3405803783",
    "203.0.113.7:",
    "203.0.113.7:65536",
    "203.0.113.7:port",
    "203.0.113.7:1:2",
    "2001:db8::7%eth0",
    "[2001:db8::7",
    "2001:db8::7]",
    "[203.0.113.7]",
    "[2001:db8::7]4711",
    "for=203.0.113.7",
    '"203.0.113.7"',
    "203.0.113.7 198.51.100.1",
    "localhost",
    "10.1.2.3/8",
  ])("%j from a trusted proxy: nobody is let in", async (header) => {
    expect(await ask(header)).toEqual({ status: 400, asked: [] });
  });

  test("without the header it is the proxy itself", async () => {
    const { status, asked } = await ask(undefined);
    expect([status, asked]).toMatchObject([101, [{ address: "127.0.0.1", port: expect.any(Number) }]]);
  });

  test.each([
    ["nobody is trusted", {}],
    ["others are trusted", { trustedProxies: ["10.0.0.0/8", "127.0.0.2", "::1"] }],
  ])("where %s, the header means nothing", async (_, options) => {
    for (const header of ["203.0.113.7", "rubbish"]) {
      const { status, asked } = await ask(header, options);
      expect([status, asked]).toMatchObject([101, [{ address: "127.0.0.1", port: expect.any(Number) }]]);
    }
  });

  test("it is the client's address that is accepted or not", async () => {
    const accept = ({ address }: { address?: string | undefined }) => address === "203.0.113.7";
    await using acceptor = await listen({ trustedProxies }, { accept });
    const answers = ["203.0.113.7", "203.0.113.8", "203.0.113.7, 203.0.113.8"].map((header) =>
      requestUpgrade(acceptor.uri, { "X-Forwarded-For": header }),
    );
    expect(await Promise.all(answers)).toEqual([101, 0, 0]);
    expect(await requestUpgrade(acceptor.uri)).toBe(0);
  });

  test("nobody from elsewhere gets in through a proxy unguarded", async () => {
    const options = { trustedProxies, isGuarded: false };
    expect((await ask("203.0.113.7", options)).status).toBe(403);
    expect((await ask("127.0.0.1", options)).status).toBe(101);
    expect((await ask("::1", options)).status).toBe(101);
  });
});

test.each(["", "proxy", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.*", "::/129", "[::1]", "1.2.3"])(
  "%j is no proxy",
  (proxy) => {
    const listen = () => webSocketTransport.listen?.("ws://127.0.0.1:0", { trustedProxies: ["10.0.0.1", proxy] });
    expect(listen).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  },
);

test("what a proxy proves over wss is not its client's", async () => {
  const authority = createAuthority();
  const { cert: ca } = authority;
  const tls = { ...authority.issue({ name: "a server", hosts: ["127.0.0.1"] }), ca, requestCert: true };
  await using acceptor = await acceptAt(webSocketTransport, "wss://127.0.0.1:0", { tls, trustedProxies });
  const proxy = { port: portIn(acceptor.uri), host: "127.0.0.1", ca, ...authority.issue({ name: "a proxy" }) };
  for (const [header, peer] of [
    ["", { address: "127.0.0.1", certificate: { subject: { CN: "a proxy" } } }],
    ["X-Forwarded-For: 127.0.0.1\r\n", { transport: "wss", address: "127.0.0.1", port: undefined }],
  ] as const) {
    const socket = connect(proxy).on("error", () => {});
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${header}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    const far = await acceptor.next();
    expect(far.peer).toMatchObject(peer);
    expect("certificate" in far.peer).toBe(header === "");
    far.destroy();
    socket.destroy();
  }
});
