/** Which web pages may connect. A browser says where a page comes from; other programs say nothing and may. */
import { RpcError } from "@farref/core";
import { isLoopback } from "../socket/addresses.ts";

export interface OriginRule {
  /** Origins as `normalizeOrigins` makes them; without them a page of the very same host may connect. */
  readonly allowed: ReadonlySet<string> | undefined;
  readonly isSecure: boolean;
  /** The request's Host header. */
  readonly host: string;
  /** The connection came in by a loopback address. */
  readonly isLocal: boolean;
}

export function isAllowedOrigin(origin: string | undefined, { allowed, isSecure, host, isLocal }: OriginRule): boolean {
  if (origin === undefined) return true;
  const normal = normalizeOrigin(origin);
  if (normal === undefined) return false;
  if (allowed) return allowed.has(normal);
  if (isLocal && !isLocalHost(host)) return false;
  return normal === normalizeOrigin(`${isSecure ? "https" : "http"}://${host}`);
}

/** A program's list of origins. @throws RpcError `invalid-argument` for what no browser would ever send. */
export function normalizeOrigins(origins: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return origins && new Set(origins.map(checkedOrigin));
}

/** A Host header that is one host and at most a port. */
export function isSaneHost(host: string | undefined): host is string {
  if (host === undefined || !/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(host)) return false;
  return URL.canParse(`http://${host}`);
}

function checkedOrigin(origin: string): string {
  const normal = normalizeOrigin(origin);
  if (normal !== undefined) return normal;
  const detail = `allowedOrigins: expected an origin like "https://example.com", got ${JSON.stringify(origin)}`;
  throw new RpcError("invalid-argument", detail, "not-sent");
}

/** One spelling for each origin: lower case, no default port. `null` and anything but an origin is none. */
function normalizeOrigin(origin: string): string | undefined {
  if (!URL.canParse(origin)) return undefined;
  const { protocol, host, username, password, pathname, search, hash } = new URL(origin);
  const isBare = pathname === "" || pathname === "/";
  if (host === "" || !isBare || username || password || search || hash) return undefined;
  return `${protocol}//${host.toLowerCase()}`;
}

/** A page of another site that points its own name at this machine (DNS rebinding) has that name for a host. */
function isLocalHost(host: string): boolean {
  const { hostname } = new URL(`http://${host}`);
  const name = hostname.replace(/^\[|\]$/g, "");
  return isLoopback(name) || name.endsWith(".localhost") || /^[\d.]+$|:/.test(name);
}
