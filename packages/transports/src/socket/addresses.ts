/** IP addresses as the rest of farref sees them: one spelling each. */
import { BlockList, isIP, type Socket } from "node:net";
import type { PeerAddress } from "@farref/core";

/** `::ffff:127.0.0.1` is 127.0.0.1 seen by a dual-stack socket; `fe80::1%eth0` is fe80::1 seen through eth0. */
export function normalizeAddress(address: string): string {
  const [plain = ""] = address.split("%", 1);
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain) ?? [];
  return mapped ?? plain;
}

/** Whether only this machine can reach the address. A name other than `localhost` may mean anything. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  const address = normalizeAddress(host);
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** Who is at the other end; without an address when the connection is gone already, or never had one. */
export function peerOf(transport: string, { remoteAddress, remotePort }: Socket): PeerAddress {
  return { transport, address: remoteAddress && normalizeAddress(remoteAddress), port: remotePort };
}

/** Both ends of a connection: no two have the same. Node does not tell which socket a TLS socket was made of. */
export function connectionOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");
