/** Connects a WebSocket from Node, or says why not. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Channel, type DialOptions, RpcError, type RpcErrorCode } from "@farref/core";
import { WebSocket } from "ws";
import { dialAborted, unreachable } from "../failures.ts";
import { codeOf, systemReasonOf } from "../system-failures.ts";
import { connectTls, dialTlsFailure, isRefusal } from "../tls/connect-tls.ts";
import { formatHostUri, parseWebSocketUri, quote } from "../uri.ts";
import { WebSocketChannel, webSocketLimits } from "./node-channel.ts";
import { webSocketPeer } from "./upgrade-gate.ts";

export function dialWebSocket(uri: string, { signal, tls }: DialOptions): Promise<Channel> {
  const { scheme, path, ...address } = parseWebSocketUri(uri);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(dialAborted(uri, signal));
    const secure = scheme === "wss" ? connectTls(uri, address, tls) : undefined;
    const webSocket = new WebSocket(formatHostUri(scheme, address, path || "/"), {
      ...(secure && { createConnection: () => secure }),
      ...webSocketLimits,
    });
    let socket: Socket | undefined;
    const settle = (act: () => void) => {
      webSocket.off("open", open).off("close", lose);
      signal?.removeEventListener("abort", abort);
      act();
    };
    const fail = (error: RpcError) => {
      settle(() => reject(error));
      webSocket.terminate();
    };
    const abort = () => signal && fail(dialAborted(uri, signal));
    const lose = () => fail(unreachable(uri, "the connection was closed while it was made"));
    const open = () => settle(() => socket && resolve(toChannel(webSocket, socket)));
    webSocket.on("error", (error) => fail(handshakeFailure(uri, error, secure)));
    webSocket.on("unexpected-response", (_request, response) => fail(refusedBy(uri, response)));
    webSocket.on("upgrade", (response) => {
      socket = response.socket;
    });
    webSocket.on("close", lose).on("open", open);
    signal?.addEventListener("abort", abort);
  });
}

function toChannel(webSocket: WebSocket, socket: Socket): Channel {
  webSocket.removeAllListeners("error").removeAllListeners("unexpected-response");
  return new WebSocketChannel(webSocket, socket, webSocketPeer(socket) ?? { transport: "ws" });
}

const codes: ReadonlyMap<number | undefined, RpcErrorCode> = new Map([
  [401, "unauthenticated"],
  [403, "denied"],
  [503, "overloaded"],
]);

/** An HTTP server that answers something else than an upgrade. */
function refusedBy(uri: string, { statusCode, statusMessage }: IncomingMessage): RpcError {
  const detail = `dial ${quote(uri)}: the server answered ${statusCode} ${JSON.stringify(statusMessage)}`;
  return new RpcError(codes.get(statusCode) ?? "protocol", detail, "not-sent");
}

/** The system's errors have codes; those of the HTTP parser begin with HPE; ws has none for a broken handshake. */
function handshakeFailure(uri: string, error: Error, secure: TLSSocket | undefined): RpcError {
  if (secure && isRefusal(error, secure)) return dialTlsFailure(uri, error, secure);
  const code = codeOf(error);
  const isNetwork = error instanceof AggregateError || (code !== undefined && !code.startsWith("HPE_"));
  if (isNetwork) return secure ? dialTlsFailure(uri, error, secure) : unreachable(uri, systemReasonOf(error), error);
  const detail = `dial ${quote(uri)}: the server does not speak WebSocket (${error.message})`;
  return new RpcError("protocol", detail, "not-sent", { cause: error });
}
