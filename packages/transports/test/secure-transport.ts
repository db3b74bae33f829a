/** A transport whose TLS options are given once, for tests that know nothing of TLS. */
import type { Transport } from "@farref/core";
import type { Authority } from "./certificates.ts";

/** Listens with a certificate for 127.0.0.1 and localhost, and trusts the authority that issued it. */
export function secureTransport(transport: Transport, authority: Authority): Transport {
  const listen = transport.listen?.bind(transport);
  const server = authority.issue({ name: "a server", hosts: ["127.0.0.1", "localhost"] });
  return {
    schemes: transport.schemes,
    dial: (uri, options) => transport.dial(uri, { tls: { ca: authority.cert }, ...options }),
    ...(listen && { listen: (uri, options) => listen(uri, { tls: server, ...options }) }),
  };
}
