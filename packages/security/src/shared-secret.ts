/** Two sides that know the same secret prove it to each other without telling it. */
import { type AuthExchange, type Authenticator, type Credentials, type Principal, RpcError } from "@farref/core";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { isSame, utf8 } from "./bytes.ts";

const label = utf8("farref shared-secret 1");
const method = "shared-secret";

/**
 * Authenticates by a secret that both sides know: each answers the other's fresh nonce with an HMAC-SHA-256 over both
 * nonces and its own role, so that nothing can be replayed or sent back. The secret never travels; the client refuses a
 * server that can't prove it. The principal is `{ id: "shared-secret" }`. Give it to `authenticate` and to `credentials`.
 *
 * It does not encrypt: on a network others can write to, use it over TLS. Take a random secret, not a word: who records a
 * handshake can try guesses on it.
 *
 * @param secret text, taken as UTF-8, or bytes
 * @throws RpcError `invalid-argument` for an empty secret.
 * @example
 * await startService("tcp://0.0.0.0:8787", front, { authenticate: sharedSecret(process.env.SECRET ?? "") });
 * @see RFC 2104 (HMAC), ISO/IEC 9798-4 (mutual authentication with nonces and a MAC)
 */
export function sharedSecret(secret: string | Uint8Array): Authenticator & Credentials {
  const key = typeof secret === "string" ? utf8(secret) : secret.slice();
  if (key.length === 0) throw new RpcError("invalid-argument", "sharedSecret: the secret is empty", "not-sent");
  return {
    method,
    isMutual: true,
    async verify(exchange): Promise<Principal | null> {
      const theirs = await exchange.receive();
      if (!isSame(theirs, proof(key, "client", exchange))) return null;
      exchange.send(proof(key, "server", exchange));
      return { id: method };
    },
    async prove(exchange): Promise<void> {
      exchange.send(proof(key, "client", exchange));
      const theirs = await exchange.receive();
      if (isSame(theirs, proof(key, "server", exchange))) return;
      throw new RpcError("unauthenticated", "the server does not know the shared secret", "not-sent");
    },
  };
}

/** All parts but the role have a fixed length, so no two inputs run together. */
function proof(key: Uint8Array, role: AuthExchange["role"], { nonces }: AuthExchange): Uint8Array {
  const parts = [label, nonces.client, nonces.server, utf8(role)];
  const mac = hmac.create(sha256, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
