/** What a service offers to whoever connects: one object for all, one for each session, or one for each call. */
import { RpcError } from "../errors/rpc-error.ts";
import { typeName } from "../references/offers.ts";
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
 * @throws RpcError `invalid-argument` for what is no function, and for a class, which the factory is to make instances of.
 * @example
 * await startService("tcp://127.0.0.1:8787", perSession((session) => new ChatRoom(session.front<Chatter>())));
 */
export function perSession<F>(make: (session: Session) => F | Promise<F>): PerSession<F> {
  checkFactory(make, "perSession");
  return new PerSession(make);
}

/**
 * A fresh front for each call on it, disposed when the call is answered.
 *
 * @throws RpcError `invalid-argument` for what is no function, and for a class, which the factory is to make instances of.
 * @example
 * await startService("tcp://127.0.0.1:8787", perCall(() => new UnitOfWork()));
 */
export function perCall<F>(make: (session: Session) => F | Promise<F>): PerCall<F> {
  checkFactory(make, "perCall");
  return new PerCall(make);
}

/** @throws RpcError `invalid-argument` for what can't be called, for a class, and for a promise that nobody awaited */
export function checkReferable(value: unknown, what: string): void {
  const otherwise = whatElse(value);
  if (otherwise === undefined) return;
  throw new RpcError("invalid-argument", `${what} is an object or a function, not ${otherwise}`, "not-sent");
}

function whatElse(value: unknown): string | undefined {
  if (value instanceof Promise) return "a promise: await it first";
  if (isClass(value)) return `a class: give an instance, new ${typeName(value)}()`;
  if (typeof value === "function" || (typeof value === "object" && value !== null)) return undefined;
  return value === null ? "null" : typeof value;
}

/** A class can't be called, so it makes neither a front nor a factory. */
function checkFactory(make: unknown, verb: string): void {
  if (typeof make === "function" && !isClass(make)) return;
  const name = isClass(make) ? typeName(make) : "Front";
  const expected = `a function that makes a front, as in (session) => new ${name}(session)`;
  throw new RpcError("invalid-argument", `${verb}: expected ${expected}`, "not-sent");
}

/** By its source, which a stub does not show; a method may have the name `class`. */
function isClass(value: unknown): value is object {
  return typeof value === "function" && /^class\b(?!\s*\()/.test(Function.prototype.toString.call(value));
}
