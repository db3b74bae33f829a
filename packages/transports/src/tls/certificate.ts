/** What a peer proved of itself. */
import type { TLSSocket } from "node:tls";
import type { PeerAddress } from "@farref/core";

/**
 * The peer with its certificate, if it has shown one that was verified. A resumed TLS session counts as authorized even
 * where nobody ever showed a certificate: there is none to tell of then.
 */
export function secured(peer: PeerAddress, socket: TLSSocket): PeerAddress {
  if (!socket.authorized) return peer;
  const certificate: object | null = socket.getPeerCertificate();
  return certificate && "raw" in certificate ? { ...peer, certificate } : peer;
}
