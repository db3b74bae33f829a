/** Decides over one HTTP upgrade request, and turns it into a channel or answers why not. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ListenerEvents, ListenOptions, PeerAddress } from "@farref/core";
import { WebSocketServer } from "ws";
import { handOver } from "../listener-events.ts";
import { isLoopback, peerOf } from "../socket/addresses.ts";
import { secured } from "../tls/certificate.ts";
import { quote } from "../uri.ts";
import { WebSocketChannel, webSocketLimits } from "./node-channel.ts";
import { isAllowedOrigin, isSaneHost, normalizeOrigins } from "./origin.ts";
import { type RefusedUpgrade, refusedUpgrade, refuseUpgrade } from "./refused-upgrade.ts";
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
  /** What the listener was given; told of who is refused. */
  readonly on: ListenerEvents;
  /**
   * Asked first: whoever it refuses gets no answer at all.
   * @param nearest who the connection is from: a proxy, or the peer itself
   */
  accept(peer: PeerAddress, nearest: PeerAddress): boolean;
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

  admit(attempt: UpgradeAttempt, service: UpgradeService): void {
    const { request, stream } = attempt;
    stream.on("error", ignore);
    const nearest = stream instanceof Socket ? webSocketPeer(stream) : undefined;
    if (!(stream instanceof Socket) || !nearest) {
      stream.destroy();
      return;
    }
    const peer = this.#proxies.clientOf(nearest, request.headers);
    if (peer && !service.accept(peer, nearest)) {
      stream.destroy();
      return;
    }
    const refused = peer ? this.#judge(request, stream, peer) : namelessClient(nearest, request.headers);
    if (refused) refuseUpgrade(stream, refused, service.on);
    else if (peer) this.#upgrade(attempt, stream, peer, service.on);
  }

  #upgrade({ request, head, openingMs }: UpgradeAttempt, socket: Socket, peer: PeerAddress, on: ListenerEvents): void {
    const malformed = (error: Error) => refuseUpgrade(socket, refusedUpgrade(400, peer, error.message), on);
    this.#handshake.once("wsClientError", malformed);
    try {
      this.#handshake.handleUpgrade(request, socket, head, (webSocket) => {
        handOver(on, new WebSocketChannel(webSocket, socket, peer, openingMs));
      });
    } catch {
      // Another upgrade listener of the same server has taken this very request.
      socket.destroy();
    } finally {
      this.#handshake.off("wsClientError", malformed);
    }
  }

  #judge({ method, headers }: IncomingMessage, socket: Socket, peer: PeerAddress): RefusedUpgrade | undefined {
    const { host, origin } = headers;
    // Version 8 named the page in another header; no browser speaks it any more.
    const version = headers["sec-websocket-version"];
    if (method !== "GET" || version !== "13") {
      return refusedUpgrade(
        400,
        peer,
        `asked for by ${method}, version ${quote(`${version}`)}, not by GET, version 13`,
      );
    }
    if (!isSaneHost(host)) return refusedUpgrade(400, peer, `the host ${quote(`${host}`)} is none`);
    const isLocal = isLocalConnection(socket);
    const isNear = isLocal && (peer.address === undefined || isLoopback(peer.address));
    if (this.#isLoopbackOnly && !isNear) {
      return refusedUpgrade(
        403,
        peer,
        "it comes from beyond loopback, and there is no acl, authenticate or insecure: true",
      );
    }
    const rule = { allowed: this.#allowedOrigins, isSecure: socket instanceof TLSSocket, host, isLocal };
    if (isAllowedOrigin(origin, rule)) return undefined;
    return refusedUpgrade(
      403,
      peer,
      `pages of ${quote(`${origin}`)} may not connect to ${quote(host)} (allowedOrigins)`,
    );
  }
}

function namelessClient(proxy: PeerAddress, headers: IncomingHttpHeaders): RefusedUpgrade {
  const forwarded = quote(`${headers["x-forwarded-for"]}`);
  return refusedUpgrade(400, proxy, `the proxy names no client in X-Forwarded-For: ${forwarded} (trustedProxies)`);
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

function isLocalConnection({ localAddress }: Socket): boolean {
  return localAddress === undefined || isLoopback(localAddress);
}

/** A connection that breaks before it is a channel is nobody's news. */
function ignore(): void {}
