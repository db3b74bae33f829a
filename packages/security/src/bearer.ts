/** Tokens: whoever has one is taken for its owner. */
import { type Authenticator, type Credentials, type Principal, RpcError } from "@farref/core";
import { fromUtf8, utf8 } from "./bytes.ts";

const method = "bearer";
const maxTokenBytes = 2_048;

/**
 * Credentials that are a token, or a function that fetches one for each connection. A token in the clear can be taken by
 * anybody on the way: beyond loopback `connect` refuses it without TLS, unless `insecure: true`.
 *
 * @example
 * await connect<Api>("wss://api.example.org", { credentials: bearer(() => session.freshToken()) });
 */
export function bearer(token: string | (() => Promise<string>)): Credentials {
  return {
    method,
    revealsSecret: true,
    async prove(exchange): Promise<void> {
      const bytes = utf8(typeof token === "string" ? token : await token());
      if (bytes.length === 0 || bytes.length > maxTokenBytes) {
        throw new RpcError(
          "invalid-argument",
          `bearer: a token of 1 to ${maxTokenBytes} bytes is expected`,
          "not-sent",
        );
      }
      exchange.send(bytes);
    },
  };
}

/**
 * Asks clients for a token and lets `verify` say whose it is; `null` refuses. Look tokens up by their hash, or check a
 * signature: comparing them with `===` tells by its time how much of a guess was right.
 *
 * @example
 * authenticate: verifyBearer(async (token) => (await tokens.findByHash(sha256(token)))?.owner ?? null)
 */
export function verifyBearer(verify: (token: string) => Principal | null | Promise<Principal | null>): Authenticator {
  return {
    method,
    async verify(exchange): Promise<Principal | null> {
      const token = readToken(await exchange.receive());
      return token === undefined ? null : verify(token);
    },
  };
}

function readToken(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes);
  } catch {
    return undefined;
  }
}
