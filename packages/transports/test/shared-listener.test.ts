import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { Acceptor, type HandleWatch, handleWatch, probe } from "@farref/conformance";
import type { ListenOptions } from "@farref/core";
import { webSocketListener, webSocketTransport } from "@farref/transports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { selfSigned } from "./certificates.ts";
import { requestUpgrade } from "./upgrade-request.ts";

let watch: HandleWatch;
let server: Server;
beforeEach(() => {
  watch = handleWatch();
  server = createServer((_, response) => response.end("a page"));
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await watch.assertClosed();
});

async function listening(host = "127.0.0.1"): Promise<string> {
  server.listen(0, host);
  await once(server, "listening");
  return `ws://${host}:${(server.address() as AddressInfo).port}`;
}

async function share(path?: string, options: ListenOptions = {}): Promise<Acceptor> {
  const listener = webSocketListener(server, path === undefined ? {} : { path });
  listener.configure?.(options);
  const acceptor = new Acceptor(listener);
  await acceptor.start();
  return acceptor;
}

describe("a listener on a shared server", () => {
  test("never makes the server listen, and has an address once it does", async () => {
    await using acceptor = await share("/farref");
    expect(acceptor.listener.isPrivate).toBe(true);
    expect([acceptor.uri, server.listening]).toEqual(["", false]);
    const base = await listening();
    expect(acceptor.uri).toBe(`${base}/farref`);
  });

  test("carries channels, and leaves the server's pages alone", async () => {
    await using acceptor = await share("/farref");
    const base = await listening();
    const near = probe(await webSocketTransport.dial(acceptor.uri, {}));
    const far = probe(await acceptor.next());
    near.channel.write(Uint8Array.of(1, 2, 3));
    expect([...(await far.bytes(3))]).toEqual([1, 2, 3]);
    const page = await fetch(`${base.replace("ws:", "http:")}/farref`);
    expect(await page.text()).toBe("a page");
    near.channel.end();
    await Promise.all([near.closed(), far.closed()]);
  });

  test("takes every path unless it has one", async () => {
    await using _ = await share();
    const base = await listening();
    expect(await requestUpgrade(`${base}/any/path?query`)).toBe(101);
  });

  test("answers 404 elsewhere when nobody else would answer", async () => {
    await using _ = await share("/farref");
    const base = await listening();
    const statuses = await Promise.all(
      ["/farref", "/farref?a=b", "/farref/", "/"].map((p) => requestUpgrade(base + p)),
    );
    expect(statuses).toEqual([101, 101, 404, 404]);
  });

  test("lives beside other upgrade listeners", async () => {
    const other = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url === "/other") other.handleUpgrade(request, socket, head, (webSocket) => webSocket.terminate());
    });
    await using first = await share("/first");
    await using second = await share("/second");
    const base = await listening();
    for (const path of ["/other", "/first", "/second"]) expect(await requestUpgrade(base + path)).toBe(101);
    expect([first.count, second.count]).toEqual([1, 1]);
  });

  test("survives another listener that has answered already", async () => {
    const other = new WebSocketServer({ server });
    await using acceptor = await share();
    const base = await listening();
    await requestUpgrade(base);
    expect(acceptor.count).toBe(0);
    for (const client of other.clients) client.terminate();
    other.close();
  });

  test("close takes back its upgrade listener and nothing else; channels live on", async () => {
    const acceptor = await share("/farref");
    const base = await listening();
    const near = probe(await webSocketTransport.dial(acceptor.uri, {}));
    const far = probe(await acceptor.next());
    await acceptor.listener.close();
    expect([server.listenerCount("upgrade"), server.listening, acceptor.uri]).toEqual([0, true, ""]);
    near.channel.write(Uint8Array.of(1));
    await far.bytes(1);
    near.channel.end();
    await Promise.all([near.closed(), far.closed()]);
    expect((await fetch(base.replace("ws:", "http:"))).status).toBe(200);
  });

  test("closed before its server listens leaves nothing with the server, which then listens as if it had not been there", async () => {
    const listeners = () => server.eventNames().map((event) => [event, server.listenerCount(event)]);
    const before = listeners();
    const never = webSocketListener(server, { path: "/never" });
    const acceptor = await share("/farref");
    await Promise.all([never.close(), acceptor.listener.close()]);
    expect(listeners()).toEqual(before);
    const base = await listening();
    expect([acceptor.uri, never.uri]).toEqual(["", ""]);
    // Without a listener for upgrades Node answers as if none had been asked for.
    expect(await requestUpgrade(`${base}/farref`)).toBe(200);
    expect(acceptor.asked).toEqual([]);
  });

  test("keeps its address when its server has closed before it", async () => {
    await using acceptor = await share("/farref");
    const base = await listening();
    server.close();
    await once(server, "close");
    expect(acceptor.uri).toBe(`${base}/farref`);
  });

  test("asks for origins and acceptance as any other", async () => {
    await using picky = await share("/picky", { allowedOrigins: ["https://good.example"] });
    const base = await listening();
    expect(await requestUpgrade(`${base}/picky`, { Origin: "https://good.example" })).toBe(101);
    expect(await requestUpgrade(`${base}/picky`, { Origin: "https://evil.example" })).toBe(403);
    expect(picky.asked).toHaveLength(2);
    const closed = new Acceptor(webSocketListener(server, { path: "/closed" }));
    await closed.start({ accept: () => false });
    expect(await requestUpgrade(`${base}/closed`)).toBe(0);
    await closed.listener.close();
  });

  test("a path is checked when it is given", () => {
    for (const path of ["farref", "/a b", "/a?b", "/a#b", ""]) {
      expect(() => webSocketListener(server, { path })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    }
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal)?.address;

  test.runIf(outside)("lets nobody in from beyond loopback unless it is guarded", async () => {
    await using _ = await share("/open");
    await using __ = await share("/guarded", { isGuarded: true });
    // The request comes from this machine and in by an address that others could reach as well.
    const base = await listening(outside);
    expect(await requestUpgrade(`${base}/open`)).toBe(403);
    expect(await requestUpgrade(`${base}/guarded`)).toBe(101);
  });

  test("on an https server it is reached by wss", async () => {
    const certificate = selfSigned();
    const secure = createHttpsServer(certificate);
    const acceptor = new Acceptor(webSocketListener(secure, { path: "/farref" }));
    await acceptor.start();
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    expect(acceptor.uri).toMatch(/^wss:\/\/127\.0\.0\.1:\d+\/farref$/);
    await expect(webSocketTransport.dial(acceptor.uri, {})).rejects.toMatchObject({ code: "unauthenticated" });
    const near = probe(await webSocketTransport.dial(acceptor.uri, { tls: { ca: certificate.cert } }));
    const far = probe(await acceptor.next());
    expect(far.channel.peer.transport).toBe("wss");
    near.channel.write(new Uint8Array(1_000_000));
    await far.bytes(1_000_000);
    near.channel.end();
    await Promise.all([near.closed(), far.closed(), acceptor.listener.close()]);
    secure.close();
    secure.closeAllConnections();
  });
});
