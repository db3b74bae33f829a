/** Decides over one HTTP upgrade request, and turns it into a channel or answers why not. */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Channel, ListenOptions, PeerAddress } from "@farref/core";
import { WebSocketServer } from "ws";
import { isLoopback, peerOf } from "../socket/addresses.ts";
import { secured } from "../tls/certificate.ts";
import { WebSocketChannel, webSocketLimits } from "./node-channel.ts";
import { isAllowedOrigin, isSaneHost, normalizeOrigins } from "./origin.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export interface UpgradeRules {
  readonly allowedOrigins: ListenOptions["allowedOrigins"];
  /** Only connections to a loopback address, or to a socket that has none, are let through, and no others' by proxy. */
  readonly isLoopbackOnly: boolean;
  readonly proxies: TrustedProxies;
}

/** One request, as a server has it. */
export interface UpgradeAttempt {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  readonly head: Buffer;
  /** Since the connection was accepted, where that is known. */
  readonly openingMs: number | undefined;
}

export interface UpgradeService {
  /**
   * Asked first: whoever it refuses gets no answer at all.
   * @param nearest who the connection is from: a proxy, or the peer itself
   */
  accept(peer: PeerAddress, nearest: PeerAddress): boolean;
  channel(channel: Channel): void;
}

export class UpgradeGate {
  readonly #isLoopbackOnly: boolean;
  readonly #proxies: TrustedProxies;
  readonly #allowedOrigins: ReadonlySet<string> | undefined;
  readonly #handshake = new WebSocketServer({ noServer: true, clientTracking: false, ...webSocketLimits });

  constructor({ allowedOrigins, isLoopbackOnly, proxies }: UpgradeRules) {
    this.#proxies = proxies;
    this.#allowedOrigins = normalizeOrigins(allowedOrigins);
    this.#isLoopbackOnly = isLoopbackOnly;
  }

  admit({ request, stream, head, openingMs }: UpgradeAttempt, service: UpgradeService): void {
    stream.on("error", ignore);
    const nearest = stream instanceof Socket ? webSocketPeer(stream) : undefined;
    if (!(stream instanceof Socket) || !nearest) {
      stream.destroy();
      return;
    }
    const peer = this.#proxies.clientOf(nearest, request.headers);
    if (!peer) {
      answer(stream, 400);
      return;
    }
    if (!service.accept(peer, nearest)) {
      stream.destroy();
      return;
    }
    const status = this.#judge(request, stream, peer);
    if (status !== 101) {
      answer(stream, status);
      return;
    }
    try {
      this.#handshake.handleUpgrade(request, stream, head, (webSocket) => {
        service.channel(new WebSocketChannel(webSocket, stream, peer, openingMs));
      });
    } catch {
      // Another upgrade listener of the same server has taken this very request.
      stream.destroy();
    }
  }

  #judge({ method, headers }: IncomingMessage, socket: Socket, { address }: PeerAddress): number {
    const { host, origin } = headers;
    const isLocal = isLocalConnection(socket);
    // Version 8 named the page in another header; no browser speaks it any more.
    if (method !== "GET" || headers["sec-websocket-version"] !== "13" || !isSaneHost(host)) return 400;
    const isNear = isLocal && (address === undefined || isLoopback(address));
    if (this.#isLoopbackOnly && !isNear) return 403;
    const rule = { allowed: this.#allowedOrigins, isSecure: socket instanceof TLSSocket, host, isLocal };
    return isAllowedOrigin(origin, rule) ? 101 : 403;
  }
}

/** A peer whose address is gone already cannot be judged; one on a Unix socket never had one. */
export function webSocketPeer(socket: Socket): PeerAddress | undefined {
  const { remoteAddress, localAddress, destroyed } = socket;
  if (remoteAddress === undefined && (destroyed || localAddress !== undefined)) return undefined;
  return socket instanceof TLSSocket ? secured(peerOf("wss", socket), socket) : peerOf("ws", socket);
}

/** The path a request asks for, without its query. */
export function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}

/** Answers an upgrade request with a status and closes. */
export function answer(socket: Duplex, status: number): void {
  socket.on("error", ignore);
  const text = `${STATUS_CODES[status]}\n`;
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
}

function isLocalConnection({ localAddress }: Socket): boolean {
  return localAddress === undefined || isLoopback(localAddress);
}

/** A connection that breaks before it is a channel is nobody's news. */
function ignore(): void {}
