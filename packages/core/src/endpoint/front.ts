/** What a service offers to whoever connects: one object for all, one for each session, or one for each call. */
import { RpcError } from "../errors/rpc-error.ts";
import type { Session } from "../types/session.ts";

export type Front<F> = F | PerSession<F> | PerCall<F>;
type Make<F> = (session: Session) => F | Promise<F>;

/**
 * Made by `perSession`. It has no member of its own that a program's class might have too: the compiler would take such a
 * class for one of these.
 */
export class PerSession<F> {
  readonly #make: Make<F>;

  constructor(make: Make<F>) {
    this.#make = make;
  }

  static make<F>(front: PerSession<F>, session: Session): F | Promise<F> {
    return front.#make(session);
  }
}

/** Made by `perCall`. */
export class PerCall<F> {
  readonly #make: Make<F>;

  constructor(make: Make<F>) {
    this.#make = make;
  }

  static make<F>(front: PerCall<F>, session: Session): F | Promise<F> {
    return front.#make(session);
  }
}

/**
 * One front for each session, made after authentication and disposed with the session. A factory that throws refuses the
 * connection as `internal`. Calls that the factory makes on the session are sent once the session has begun.
 *
 * @example
 * await startService("tcp://127.0.0.1:8787", perSession((session) => new ChatRoom(session.front<Chatter>())));
 */
export function perSession<F>(make: (session: Session) => F | Promise<F>): PerSession<F> {
  return new PerSession(make);
}

/**
 * A fresh front for each call on it, disposed when the call is answered.
 *
 * @example
 * await startService("tcp://127.0.0.1:8787", perCall(() => new UnitOfWork()));
 */
export function perCall<F>(make: (session: Session) => F | Promise<F>): PerCall<F> {
  return new PerCall(make);
}

/** @throws RpcError `invalid-argument` for what can't be called, and for a promise that nobody awaited */
export function checkReferable(value: unknown, what: string): void {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  if (isObject && !(value instanceof Promise)) return;
  const got = isObject ? "a promise: await it first" : value === null ? "null" : typeof value;
  throw new RpcError("invalid-argument", `${what} is an object or a function, not ${got}`, "not-sent");
}
