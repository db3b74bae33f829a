/**
 * Who a client behind a proxy is. A proxy that the program trusts adds the address it was called from at the right end of
 * the X-Forwarded-For header; what stands further left is what that address said itself, and may be invented. Nothing
 * else of a proxy's headers is read, and nothing at all of anybody who is not trusted.
 */
import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP, SocketAddress } from "node:net";
import { type PeerAddress, RpcError } from "@farref/core";
import { normalizeAddress } from "../socket/addresses.ts";

export class TrustedProxies {
  readonly #list = new BlockList();

  /** @throws RpcError `invalid-argument` for what is neither an IP address nor a range such as `10.0.0.0/8` */
  constructor(proxies: readonly string[] = []) {
    for (const proxy of proxies) addTo(this.#list, proxy);
  }

  has({ address }: PeerAddress): boolean {
    return address !== undefined && this.#includes(address);
  }

  /**
   * The client of a request that came over a connection from `nearest`: from the right, the first address in the header
   * that is no trusted proxy's. `undefined` when a trusted proxy names none that can be read: nobody is taken for a proxy.
   */
  clientOf(nearest: PeerAddress, headers: IncomingHttpHeaders): PeerAddress | undefined {
    const forwarded = headers["x-forwarded-for"];
    if (forwarded === undefined || !this.has(nearest)) return nearest;
    // What a proxy has proved in TLS is not its client's.
    const { transport } = nearest;
    let client: Hop | undefined;
    for (const text of String(forwarded).split(",").reverse()) {
      client = readHop(text.trim());
      if (!client || !this.#includes(client.address)) break;
    }
    return client && { transport, ...client };
  }

  #includes(address: string): boolean {
    return this.#list.check(address, address.includes(":") ? "ipv6" : "ipv4");
  }
}

interface Hop {
  readonly address: string;
  readonly port: number | undefined;
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. */
const hop = /^(?:([\d.]+)|\[([\da-f:.]+)\])(?::(\d{1,5}))?$|^([\da-f:.]+)$/i;

function readHop(text: string): Hop | undefined {
  const [, v4, bracketed, port, v6] = hop.exec(text) ?? [];
  const address = v4 ?? bracketed ?? v6 ?? "";
  if (isIP(address) !== (v4 === undefined ? 6 : 4) || Number(port ?? 0) > 65_535) return undefined;
  return { address: v4 ?? shortest(address), port: port === undefined ? undefined : Number(port) };
}

/** One spelling for each address, as sockets have it. */
function shortest(address: string): string {
  return normalizeAddress(new SocketAddress({ address, family: "ipv6" }).address);
}

function addTo(list: BlockList, proxy: string): void {
  const [, address = "", prefix] = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(proxy) ?? [];
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (family !== 0 && length <= bits) list.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  else throw badProxy(proxy);
}

function badProxy(proxy: string): RpcError {
  const detail = `trustedProxies: expected an IP address or a range like "10.0.0.0/8", got ${JSON.stringify(proxy)}`;
  return new RpcError("invalid-argument", detail, "not-sent");
}
