/** `ws://host:port/path` in Node, and `wss://` for dialing. */
import { createServer, type Server as HttpServer, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  type Channel,
  defaultLimits,
  type ListenerEvents,
  type ListenOptions,
  RpcError,
  type Transport,
} from "@farref/core";
import { handOver, isAccepted } from "../listener-events.ts";
import { isLoopback } from "../socket/addresses.ts";
import { listen, portOf, ServerListener } from "../socket/server-listener.ts";
import { formatHostUri, parseWebSocketListenUri, quote } from "../uri.ts";
import { dialWebSocket } from "./dial-websocket.ts";
import { answer, pathOf, UpgradeGate, webSocketPeer } from "./upgrade-gate.ts";

export const webSocketTransport: Transport = {
  schemes: ["ws", "wss"],
  dial: async (uri, options) => dialWebSocket(uri, options),
  listen(uri, options) {
    const { scheme, host, port, path } = parseWebSocketListenUri(uri);
    if (scheme !== "ws") throw cannotSecure(uri);
    const gate = new UpgradeGate({ allowedOrigins: options.allowedOrigins, isLoopbackOnly: false });
    const server = createHttpServer(options);
    return new ServerListener({
      uri,
      isPrivate: isLoopback(host),
      server,
      serve: (_, on) => serve(server, path || "/", gate, on),
      bind: async () => {
        await listen(server, { host, port });
        return { uri: formatHostUri("ws", { host, port: portOf(server) }, path) };
      },
      dropPending: () => server.closeAllConnections(),
    });
  },
};

/** Whoever has not asked for a WebSocket in time is cut off, even if he says nothing at all. */
function createHttpServer({ handshakeTimeoutMs = defaultLimits.handshakeTimeoutMs }: ListenOptions): HttpServer {
  return createServer({
    noDelay: true,
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: Math.ceil(handshakeTimeoutMs / 5),
  });
}

/** The server is ours alone, so the service is asked as soon as somebody connects, before HTTP has answered anything. */
function serve(server: HttpServer, path: string, gate: UpgradeGate, on: ListenerEvents): void {
  server.on("connection", (socket: Socket) => {
    const peer = webSocketPeer(socket);
    if (!peer || !isAccepted(on, peer)) socket.destroy();
  });
  const service = { accept: () => true, channel: (channel: Channel) => handOver(on, channel) };
  server.on("request", (request, response) => turnAway(response, pathOf(request) === path ? 426 : 404));
  server.on("upgrade", (request, socket, head) => {
    if (pathOf(request) === path) gate.admit(request, socket, head, service);
    else answer(socket, 404);
  });
}

function turnAway(response: ServerResponse, status: 404 | 426): void {
  response.writeHead(status, { Connection: "close", "Content-Type": "text/plain", ...(status === 426 && upgrade) });
  response.end(status === 426 ? "Only WebSocket connections are served here.\n" : "Not found.\n");
}

const upgrade = { Upgrade: "websocket" };

function cannotSecure(uri: string): RpcError {
  const detail = `listen on ${quote(uri)}: give an https.Server to webSocketListener instead`;
  return new RpcError("unknown-scheme", detail, "not-sent");
}
