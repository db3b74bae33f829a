/** Serving an object: addresses become listeners, options become policies, and what would be open to all is refused. */
import {
  type Authenticator,
  type Front,
  type Listener,
  type ListenOptions,
  openService,
  type PeerAddress,
  RpcError,
  resolveLimits,
  resolveTypes,
  type Service,
  type Transport,
} from "@farref/core";
import { memoryTransport, tcpTransport, tlsTransport, unixTransport, webSocketTransport } from "@farref/transports";
import { transportFor } from "./addresses.ts";
import { checkServiceOptions } from "./known-options.ts";
import { nodePlatform } from "./node-platform.ts";
import type { ServiceOptions } from "./options.ts";

/** Where to listen: an address, or a listener of one's own. */
export type Where = string | Listener;

export const nodeTransports: readonly Transport[] = [
  tcpTransport,
  tlsTransport,
  unixTransport,
  webSocketTransport,
  memoryTransport,
];

/**
 * Serves an object at one or several addresses. Port 0 chooses a free one: see `service.uri`. Without a front only
 * published objects can be reached.
 *
 * Rejects with RpcError, `not-sent`: `bad-uri`, `unknown-scheme`, `refused` (the address is in use, not permitted, or open
 * to other machines without `acl` or `authenticate`), `invalid-argument` (TLS options or types that make no sense),
 * `unsupported-value` (the front has a method named `then`).
 *
 * @example
 * const service = await startService("tcp://127.0.0.1:8787", new Calculator());
 * …
 * await service.close();
 */
export async function startService<F extends object>(
  where: Where | readonly Where[],
  front?: Front<F>,
  options: ServiceOptions = {},
): Promise<Service<F>> {
  checkServiceOptions(options);
  const { acl, authenticate = [], authorize = [], heartbeatMs, callTimeoutMs, limits, onError, signal } = options;
  return openService(createListeners(where, options), front, {
    admits: acl && ((peer: PeerAddress) => peer.address === undefined || acl.allows(peer.address)),
    authenticators: offeredFirst("method" in authenticate ? [authenticate] : authenticate),
    authorize: typeof authorize === "function" ? [authorize] : authorize,
    audit: options.audit,
    exposeStacks: options.exposeStacks,
    redactErrors: options.redactErrors,
    heartbeatMs,
    callTimeoutMs,
    limits,
    onError,
    platform: nodePlatform,
    signal,
    types: resolveTypes(options.types, options.redactErrors ? "kept" : "told"),
  });
}

/** What a client offers credentials for comes before what it is judged by without a word of its own. */
function offeredFirst(authenticators: readonly Authenticator[]): readonly Authenticator[] {
  return [...authenticators].sort((a, b) => Number(a.needsNoMessages ?? false) - Number(b.needsNoMessages ?? false));
}

function createListeners(where: Where | readonly Where[], options: ServiceOptions): readonly Listener[] {
  const places: readonly Where[] = isList(where) ? where : [where];
  if (places.length === 0) throw new RpcError("bad-uri", "startService: expected at least one address", "not-sent");
  const transports = [...(options.transports ?? []), ...nodeTransports];
  const listenOptions = listenOptionsOf(options);
  const listeners = places.map((place) => createListener(place, transports, listenOptions));
  for (const [index, listener] of listeners.entries()) checkGuarded(places[index] as Where, listener, listenOptions);
  return listeners;
}

function isList(where: Where | readonly Where[]): where is readonly Where[] {
  return Array.isArray(where);
}

function listenOptionsOf(options: ServiceOptions): ListenOptions {
  const { handshakeTimeoutMs, maxConnections, maxMessageBytes } = resolveLimits(options.limits);
  return {
    allowedOrigins: options.allowedOrigins,
    tls: options.tls,
    trustedProxies: options.trustedProxies,
    unix: options.unix,
    handshakeTimeoutMs,
    maxConnections,
    maxMessageBytes,
    isGuarded: options.acl !== undefined || asksWhoItIs(options) || options.insecure === true,
  };
}

function asksWhoItIs({ authenticate }: ServiceOptions): boolean {
  return authenticate !== undefined && ("method" in authenticate || authenticate.length > 0);
}

function createListener(place: Where, transports: readonly Transport[], options: ListenOptions): Listener {
  if (typeof place !== "string") {
    place.configure?.(options);
    return place;
  }
  if (place.includes("#")) throw new RpcError("bad-uri", `${place}: names are published, not listened on`, "not-sent");
  const transport = transportFor(place, transports);
  if (transport.listen) return transport.listen(place, options);
  throw new RpcError("unknown-scheme", `${place}: this transport can connect but not listen`, "not-sent");
}

/** Nobody serves the world by accident. */
function checkGuarded(place: Where, listener: Listener, { isGuarded }: ListenOptions): void {
  if (listener.isPrivate || isGuarded) return;
  const address = typeof place === "string" ? place : listener.uri;
  const cure = "give acl or authenticate, or insecure: true if everybody may call";
  throw new RpcError("refused", `${address} can be reached from other machines: ${cure}`, "not-sent");
}
