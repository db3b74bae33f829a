/** The messages of one authentication, over `auth` frames. */
import type { PeerAddress } from "../channel/channel.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { AuthExchange } from "../types/authentication.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame } from "../wire/frames.ts";
import type { Link } from "../wire/link.ts";

const maxMessageBytes = 2_048;
/** Messages that may wait to be asked for. */
const maxWaiting = 4;

interface Receiver {
  resolve(bytes: Uint8Array): void;
  reject(error: RpcError): void;
}

export class AuthDialogue implements AuthExchange {
  readonly role: AuthExchange["role"];
  readonly nonces: AuthExchange["nonces"];
  readonly #link: Link;
  readonly #arrived: Uint8Array[] = [];
  #receiver: Receiver | undefined;
  #ended: RpcError | undefined;

  constructor(role: AuthExchange["role"], nonces: AuthExchange["nonces"], link: Link) {
    this.role = role;
    this.nonces = nonces;
    this.#link = link;
  }

  get peer(): PeerAddress {
    return this.#link.peer;
  }

  send(bytes: Uint8Array): void {
    if (this.#ended) throw this.#ended;
    if (bytes.length > maxMessageBytes) {
      const detail = `an authentication message of ${bytes.length} bytes, at most ${maxMessageBytes}`;
      throw new RpcError("limit-exceeded", detail, "not-sent");
    }
    this.#link.outbox.begin(frame.auth).raw(bytes);
    this.#link.outbox.end("control");
  }

  receive(): Promise<Uint8Array> {
    const waiting = this.#arrived.shift();
    if (waiting) return Promise.resolve(waiting);
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#receiver = { resolve, reject };
    });
  }

  /** A message of the peer's. @throws RpcError `protocol` when nobody asks for so many */
  deliver(reader: ByteReader): void {
    const bytes = reader.bytes.slice(reader.position, reader.end);
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver) {
      receiver.resolve(bytes);
    } else {
      if (this.#arrived.length >= maxWaiting)
        throw new RpcError("protocol", "too many authentication messages", "not-sent");
      this.#arrived.push(bytes);
    }
  }

  /** Nothing will come any more. */
  end(error: RpcError): void {
    this.#ended ??= error;
    this.#receiver?.reject(error);
    this.#receiver = undefined;
  }
}
