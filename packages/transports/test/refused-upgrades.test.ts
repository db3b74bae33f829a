/** What a service is told of upgrade requests that it refused: why, from whom, in words that may go into a log. */
import { once } from "node:events";
import { createServer } from "node:http";
import { Acceptor, acceptAt } from "@farref/conformance";
import type { ListenOptions } from "@farref/core";
import { webSocketListener, webSocketTransport } from "@farref/transports";
import { describe, expect, test } from "vitest";
import { watchedServers } from "./shared-servers.ts";
import { upgrade } from "./upgrade-request.ts";

const servers = watchedServers();

/** The same words from both kinds of listener. */
const listeners = {
  "a listener of one's own": (options: ListenOptions) =>
    acceptAt(webSocketTransport, "ws://127.0.0.1:0/farref", options),
  "a shared server": async (options: ListenOptions) => {
    const server = createServer();
    servers.push(server);
    const listener = webSocketListener(server, { path: "/farref" });
    listener.configure?.(options);
    const acceptor = new Acceptor(listener);
    await acceptor.start();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return acceptor;
  },
};

const evil = "https://evil.example";
const forwarded = "X-Forwarded-For";
const trustedProxies = ["127.0.0.1"];

describe.each(Object.entries(listeners))("%s", (_, listen) => {
  async function refused(headers: Record<string, string>, options: ListenOptions = {}, method = "GET", path = "") {
    await using acceptor = await listen(options);
    const { status, socket } = await upgrade(acceptor.uri + path, headers, method);
    socket?.destroy();
    expect(acceptor.count).toBe(0);
    return { status, errors: acceptor.errors };
  }

  test.each<[what: string, status: number, code: string, why: string, ...Parameters<typeof refused>]>([
    ["a page of another site", 403, "denied", `pages of "${evil}" may not connect to "127.0.0.1:`, { Origin: evil }],
    ["a page that is not on the list", 403, "denied", "(allowedOrigins)", { Origin: evil }, { allowedOrigins: [] }],
    ["a page of no site", 403, "denied", 'pages of "null"', { Origin: "null" }],
    [
      "a name for this machine",
      403,
      "denied",
      'to "evil.example"',
      { Origin: "http://evil.example", Host: "evil.example" },
    ],
    ["another method", 400, "protocol", "asked for by POST", {}, {}, "POST"],
    ["another version", 400, "protocol", 'version "8"', { "Sec-WebSocket-Version": "8" }],
    ["a host that is none", 400, "protocol", 'the host "a/b" is none', { Host: "a/b" }],
    ["a key that is none", 400, "protocol", "Sec-WebSocket-Key", { "Sec-WebSocket-Key": "x" }],
    ["another protocol", 400, "protocol", "Upgrade", { Upgrade: "h2c" }],
    ["another path", 404, "not-found", "the path is not /farref", {}, {}, "GET", "/other"],
    [
      "a proxy that names nobody",
      400,
      "protocol",
      `names no client in ${forwarded}: "unknown"`,
      { [forwarded]: "unknown" },
      { trustedProxies },
    ],
    [
      "a client behind a proxy, unguarded",
      403,
      "denied",
      "beyond loopback",
      { [forwarded]: "203.0.113.7" },
      { trustedProxies },
    ],
  ])("%s: %i, and %s is told: %s", async (_what, status, code, why, ...request) => {
    const { status: answered, errors } = await refused(...request);
    expect(answered).toBe(status);
    expect(errors).toMatchObject([
      { name: "RpcError", code, outcome: "not-sent", detail: expect.stringContaining(why) },
    ]);
    expect(errors[0]?.message).toContain(request[0][forwarded] === "203.0.113.7" ? "for 203.0.113.7" : "for 127.0.0.1");
  });

  test("what a peer says is quoted on one line, cut, and steers no terminal", async () => {
    const { errors } = await refused({ Origin: `https://\u009b31m${"x".repeat(5_000)}` });
    const { message } = errors[0] as Error;
    expect(message).toContain("https://\\u{9b}31mxxx");
    expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
    expect(message.length).toBeLessThan(600);
  });

  test("who is let in, or not accepted by the service itself, is no news of the listener's", async () => {
    await using acceptor = await listen({});
    const { status, socket } = await upgrade(acceptor.uri);
    socket?.destroy();
    expect([status, acceptor.errors]).toEqual([101, []]);
    (await acceptor.next()).destroy();
  });
});
