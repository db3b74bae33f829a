/** A session as its caller sees it: the connection behind a stub. */
import { RpcError } from "../errors/rpc-error.ts";
import { referenceOf } from "../references/stub.ts";
import type { Remote } from "../types/remote.ts";
import type { CloseReason, Connection, SessionStats } from "../types/session.ts";
import type { LiveSession } from "./session.ts";
import { errorCodeOf } from "./session-end.ts";

export class SessionConnection implements Connection {
  readonly #session: LiveSession;

  constructor(session: LiveSession) {
    this.#session = session;
  }

  get state(): Connection["state"] {
    const { state } = this.#session;
    return state === "resuming" ? "reconnecting" : state;
  }

  get uri(): string {
    return this.#session.address;
  }

  get closed(): Promise<CloseReason> {
    return this.#session.closed;
  }

  lookup<T>(name: string): Promise<Remote<T>> {
    return this.#session.lookup(name) as Promise<Remote<T>>;
  }

  stats(): SessionStats {
    return this.#session.stats();
  }

  close(): Promise<void> {
    this.#session.close();
    return this.#session.gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  on(_event: "state", listener: (state: Connection["state"], reason?: RpcError) => void): () => void {
    return this.#session.onState((_state, reason) => listener(this.state, reason && asError(reason)));
  }

  ref(): this {
    this.#session.ref();
    return this;
  }

  unref(): this {
    this.#session.unref();
    return this;
  }
}

function asError({ code, message, error }: CloseReason): RpcError {
  return error ?? new RpcError(errorCodeOf(code), message, "unknown");
}

/** The connection behind any stub. @throws RpcError `invalid-argument` when `remote` is not a stub */
export function connectionOf(remote: object): Connection {
  const reference = referenceOf(remote);
  if (reference) return reference.owner.connection;
  throw new RpcError("invalid-argument", "connectionOf: the value is not a remote object", "not-sent");
}
