/** `ws://host:port/path` and `wss://host:port/path` in Node. */
import { createServer, type Server as HttpServer, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ListenerEvents, ListenOptions, Transport } from "@farref/core";
import { isAccepted, reportError } from "../listener-events.ts";
import { isLoopback } from "../socket/addresses.ts";
import { hostListener } from "../socket/host-listener.ts";
import { Newcomers } from "../socket/newcomers.ts";
import { acceptFailure } from "../tls/accept-failure.ts";
import { serverOptions, withOptionsOf } from "../tls/tls-options.ts";
import { parseWebSocketListenUri } from "../uri.ts";
import { dialWebSocket } from "./dial-websocket.ts";
import { refusedUpgrade, refuseUpgrade } from "./refused-upgrade.ts";
import { TrustedProxies } from "./trusted-proxies.ts";
import { pathOf, UpgradeGate, type UpgradeService } from "./upgrade-gate.ts";

/** Listening on `wss:` takes `tls: { key, cert }`; dialing it verifies the server unless told not to. */
export const webSocketTransport: Transport = {
  schemes: ["ws", "wss"],
  dial: async (uri, options) => dialWebSocket(uri, options),
  listen(uri, options) {
    const address = parseWebSocketListenUri(uri);
    const { scheme, path, host } = address;
    const { allowedOrigins, isGuarded = false } = options;
    const proxies = new TrustedProxies(options.trustedProxies);
    const isLoopbackOnly = !isGuarded && isLoopback(host);
    const gate = new UpgradeGate({ allowedOrigins, isLoopbackOnly, proxies });
    const newcomers = new Newcomers(options);
    const server = scheme === "wss" ? createSecureServer(uri, options) : createServer();
    return hostListener({
      uri,
      ...address,
      asksLater: (peer) => proxies.has(peer),
      serve: (on) => {
        serve({ server, path: path || "/", gate, newcomers, proxies }, on);
        return (socket, peer) => {
          if (newcomers.add(socket, peer)) server.emit("connection", socket);
        };
      },
      dropPending: () => newcomers.cutOff(),
    });
  },
};

interface Site {
  /** Never listens itself: it is given connections that were let in. */
  readonly server: HttpServer;
  readonly path: string;
  readonly gate: UpgradeGate;
  readonly newcomers: Newcomers;
  readonly proxies: TrustedProxies;
}

function createSecureServer(uri: string, { tls }: ListenOptions): HttpServer {
  const options = serverOptions(tls, uri);
  return withOptionsOf(uri, () => createHttpsServer(options));
}

/** The service was asked about everybody who connects but trusted proxies: for them their client's address counts. */
function serve({ server, path, gate, newcomers, proxies }: Site, on: ListenerEvents): void {
  const service: UpgradeService = { on, accept: (peer, nearest) => !proxies.has(nearest) || isAccepted(on, peer) };
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    reportError(on, acceptFailure(error, socket));
    socket.destroy();
  });
  server.on("request", (request, response) => turnAway(response, pathOf(request) === path ? 426 : 404));
  server.on("upgrade", (request, stream, head) => {
    const arrived = stream instanceof Socket ? newcomers.takeOut(stream) : undefined;
    if (!arrived) stream.destroy();
    else if (pathOf(request) === path) gate.admit({ request, stream, head, openingMs: arrived.openingMs }, service);
    else refuseUpgrade(stream, refusedUpgrade(404, arrived.peer, `the path is not ${path}`), on);
  });
}

function turnAway(response: ServerResponse, status: 404 | 426): void {
  response.writeHead(status, { Connection: "close", "Content-Type": "text/plain", ...(status === 426 && upgrade) });
  response.end(status === 426 ? "Only WebSocket connections are served here.\n" : "Not found.\n");
}

const upgrade = { Upgrade: "websocket" };
