/** Clients that prove who they are in the TLS handshake, before farref says a word. */
import type { PeerCertificate } from "node:tls";
import type { Authenticator, Principal } from "@farref/core";

/**
 * Authenticates by the client's certificate, over `tls:` and `wss:`. It counts only if it was verified against the
 * authority the service was given; without one, or with one nobody vouches for, the client is `unauthenticated`. The
 * principal is `{ id }` with the subject's common name, or what `verify` makes of the certificate; `null` refuses it.
 *
 * The service has to ask for certificates: `tls: { key, cert, ca, requestCert: true }`. With
 * `rejectUnauthorized: false` as well, clients without one get as far as the other authenticators. A client that offers
 * credentials for one of those is judged by them, not by its certificate.
 *
 * @example
 * await startService("tls://0.0.0.0:8787", front, {
 *   tls: { key, cert, ca, requestCert: true },
 *   authenticate: clientCertificate(),
 * });
 */
export function clientCertificate(verify: (certificate: PeerCertificate) => Principal | null = byName): Authenticator {
  return {
    method: "client-certificate",
    needsNoMessages: true,
    async verify({ peer }): Promise<Principal | null> {
      return isCertificate(peer.certificate) ? verify(peer.certificate) : null;
    },
  };
}

/** A subject of several common names has none. */
function byName({ subject }: PeerCertificate): Principal | null {
  const name: unknown = subject.CN;
  return typeof name === "string" && name !== "" ? { id: name } : null;
}

/** Transports tell of certificates that were verified, and of no others; what they tell is Node's own object. */
function isCertificate(certificate: unknown): certificate is PeerCertificate {
  return typeof certificate === "object" && certificate !== null && "subject" in certificate && !!certificate.subject;
}
