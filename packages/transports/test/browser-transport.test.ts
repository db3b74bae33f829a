/** The browser's transport against a stand-in for the browser's WebSocket; a real browser runs it with the whole library. */
import { once } from "node:events";
import { acceptAt, describeTransport, type HandleWatch, handleWatch, probe } from "@farref/conformance";
import type { Transport } from "@farref/core";
import { webSocketTransport as nodeTransport } from "@farref/transports";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { webSocketTransport as browserTransport } from "../src/index.browser.ts";

/** In a browser nobody has to listen to errors. */
class BrowserWebSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on("error", () => {});
  }
}

beforeAll(() => {
  vi.stubGlobal("WebSocket", BrowserWebSocket);
});
afterAll(() => {
  vi.unstubAllGlobals();
});

const transport: Transport = {
  schemes: browserTransport.schemes,
  dial: (uri, options) => browserTransport.dial(uri, options),
  listen: (uri, options) => nodeTransport.listen?.(uri, options) ?? expect.unreachable(),
};

describeTransport("websocket from a browser", {
  transport,
  freshUri: () => "ws://127.0.0.1:0/farref",
  badUris: ["ws://", "ws://a b/", "ws://127.0.0.1:80/#name", "ws://user@127.0.0.1/", "http://127.0.0.1:80/"],
  dropsUnsent: false,
});

describe("in a browser", () => {
  let watch: HandleWatch;
  beforeEach(() => {
    watch = handleWatch();
  });
  afterEach(() => watch.assertClosed());

  test("there is no listening", () => {
    expect(browserTransport.listen).toBeUndefined();
  });

  test("the peer learns that a channel was destroyed, not ended", async () => {
    await using acceptor = await acceptAt(nodeTransport, "ws://127.0.0.1:0/");
    const near = probe(await browserTransport.dial(acceptor.uri, {}));
    const far = probe(await acceptor.next());
    near.channel.destroy();
    expect(await far.closed()).toMatchObject({ message: expect.stringContaining("4000") });
    expect(await near.closed()).toBeUndefined();
  });

  test("text from the peer ends the channel", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (webSocket) => webSocket.send("hello"));
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("expected a port");
    const near = probe(await browserTransport.dial(`ws://127.0.0.1:${address.port}/`, {}));
    expect(await near.closed()).toMatchObject({ code: "protocol" });
    server.close();
  });
});
