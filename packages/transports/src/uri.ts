/** Reads and writes addresses. One grammar for all transports; what it refuses is `bad-uri`, with the reason. */
import { RpcError } from "@farref/core";

export interface HostAddress {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface WebSocketAddress extends HostAddress {
  readonly scheme: string;
  /** `""` or begins with `/`; a query, where there is one, belongs to it. */
  readonly path: string;
}

/** `scheme://host:port`, all of them there and nothing else. */
export function parseHostUri(uri: string, scheme: string): HostAddress {
  const { port, rest, ...address } = splitUri(uri, [scheme]);
  if (rest !== "") throw badUri(uri, "expected nothing after the port");
  if (port === undefined) throw badUri(uri, `expected a port, as in ${scheme}://${address.host}:8787`);
  return { host: address.host, port };
}

/** `ws://host:port/path` or `wss://…`. The port may be left out: it is the one of HTTP or HTTPS then. */
export function parseWebSocketUri(uri: string): WebSocketAddress {
  const { scheme, host, port, rest } = splitUri(uri, ["ws", "wss"]);
  return { scheme, host, port: port ?? (scheme === "wss" ? 443 : 80), path: rest.startsWith("?") ? `/${rest}` : rest };
}

/** The same for an address to listen on: the port is there, and no query. */
export function parseWebSocketListenUri(uri: string): WebSocketAddress {
  if (splitUri(uri, ["ws", "wss"]).port === undefined) throw badUri(uri, "expected a port, as in ws://127.0.0.1:8787");
  const address = parseWebSocketUri(uri);
  if (address.path.includes("?")) throw badUri(uri, "a query is not part of an address to listen on");
  return address;
}

/** What follows `scheme:` where that is no host: a file's path, a name. */
export function parseOpaqueUri(uri: string, scheme: string): string {
  checkCharacters(uri, /\p{Cc}/u, "line breaks or control characters");
  if (!uri.startsWith(`${scheme}:`)) throw badUri(uri, `expected ${scheme}:…`);
  const rest = uri.slice(scheme.length + 1);
  if (rest === "") throw badUri(uri, `expected something after ${scheme}:`);
  return rest;
}

export function formatHostUri(scheme: string, { host, port }: HostAddress, path = ""): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}

export function badUri(uri: string, reason: string): RpcError {
  return new RpcError("bad-uri", `${quote(uri)}: ${reason}`, "not-sent");
}

/** An address, or what a peer says, as an error shows it: on one line, of bounded length, nothing that steers a terminal. */
export function quote(text: string): string {
  const quoted = JSON.stringify(text.length > 256 ? `${text.slice(0, 256)}…` : text);
  return quoted.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
}

interface UriParts {
  readonly scheme: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly rest: string;
}

const grammar = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]/?]*\]|[^:/?[\]]*)(?::([^/?]*))?([/?].*)?$/;

function splitUri(uri: string, schemes: readonly string[]): UriParts {
  checkCharacters(uri, /[\s\p{Cc}]/u, "white space or control characters");
  if (uri.includes("#")) throw badUri(uri, "a fragment is not part of an address");
  const [, scheme = "", host = "", port, rest = ""] = grammar.exec(uri) ?? [];
  if (!schemes.includes(scheme))
    throw badUri(uri, `expected ${schemes.map((name) => `${name}://host:port`).join(" or ")}`);
  return { scheme, host: checkedHost(uri, host), port: checkedPort(uri, port), rest };
}

function checkCharacters(uri: string, forbidden: RegExp, what: string): void {
  if (forbidden.test(uri)) throw badUri(uri, `${what} are not allowed`);
}

function checkedHost(uri: string, host: string): string {
  if (host.includes("@")) throw badUri(uri, "credentials do not belong into an address");
  if (host === "") throw badUri(uri, "expected a host; 0.0.0.0 or [::] means every address of this machine");
  if (!host.startsWith("[")) return checkedName(uri, host);
  const [address = "", zone] = host.slice(1, -1).split("%", 2);
  const isZone = zone === undefined || /^[A-Za-z0-9._~-]+$/.test(zone);
  if (!isZone || !isIPv6(address)) throw badUri(uri, "expected an IPv6 address between the brackets");
  return host.slice(1, -1);
}

function checkedName(uri: string, name: string): string {
  if (!/^[A-Za-z0-9._-]+$/.test(name) || !URL.canParse(`http://${name}/`))
    throw badUri(uri, "expected a host name or an IP address");
  return name;
}

function isIPv6(address: string): boolean {
  return URL.canParse(`http://[${address}]/`);
}

function checkedPort(uri: string, port: string | undefined): number | undefined {
  if (port === undefined) return undefined;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw badUri(uri, "expected a port from 0 to 65535");
  return Number(port);
}
