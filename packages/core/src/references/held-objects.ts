/**
 * Which objects of this process are held from afar, and by whom: the last holder to let go of one disposes it. One of the
 * two pieces of module-level state in core: an object has one life, however many endpoints hand it out, and its owner ends
 * it with `revoke(object)`, which names none of them.
 */

import { runGuarded } from "../errors/guarded.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { originalOf } from "./contracts.ts";
import { referenceOf } from "./stub.ts";

/** What holds an object for one peer: an entry of a session's export table. */
export interface Holder {
  readonly object: object;
  readonly table: { revoke(holder: Holder): void };
}

/**
 * By the object itself: what offers it, and views of a stub, are the same. One holder is the rule. Weak, though holders
 * hold their objects too: much passes through, and a Map would keep it (see `Numbered`).
 */
const holders = new WeakMap<object, Holder | Set<Holder>>();
/** How often an object is a front or published: its owner decides when it ends. */
const keeps = new WeakMap<object, number>();
/** An object is disposed once, however often it is handed out again. */
const disposed = new WeakSet<object>();

/**
 * Ends every far hold on an object: in all sessions of this process, under every contract. Calls that run finish, later
 * ones are refused with `stale-reference`, monitors say `disposed`. Then the object's `[Symbol.dispose]` runs, unless it is
 * a front or published. Does nothing to an object that nobody far away holds; one that is sent again is a new reference.
 *
 * @example
 * class Accounts { close(account: Account) { revoke(account); } }
 */
export function revoke(object: object): void {
  if ((typeof object !== "object" || object === null) && typeof object !== "function") {
    throw new RpcError("invalid-argument", "revoke: the value is neither an object nor a function", "not-sent");
  }
  for (const holder of holdersOf(identityOf(object))) holder.table.revoke(holder);
}

/** The same for all endpoints of the process but for whom they tell. */
export class HeldObjects {
  readonly #onError: (error: Error) => void;

  /** `onError` hears what an object's `[Symbol.dispose]` throws. */
  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  hold(holder: Holder): void {
    const identity = identityOf(holder.object);
    const known = holders.get(identity);
    if (!known) holders.set(identity, holder);
    else if (known instanceof Set) known.add(holder);
    else holders.set(identity, new Set([known, holder]));
  }

  /** A session has given the object back: disposes it when that was the last. */
  drop(holder: Holder): void {
    if (!remove(holder) || keeps.has(identityOf(holder.object))) return;
    // A stub passed on is still ours: when nobody here holds it either, its own hold goes back.
    if (!referenceOf(holder.object)) this.#dispose(holder.object);
  }

  /** A session never got the object it was to get. */
  forget(holder: Holder): void {
    remove(holder);
  }

  /** The object is a front or published: its end is not ours to decide. */
  keep(object: object): void {
    const identity = identityOf(object);
    keeps.set(identity, (keeps.get(identity) ?? 0) + 1);
  }

  /** It is one no more. */
  unkeep(object: object): void {
    const identity = identityOf(object);
    const count = (keeps.get(identity) ?? 0) - 1;
    if (count > 0) keeps.set(identity, count);
    else keeps.delete(identity);
  }

  /** The session, or the call, that a front was made for is over. */
  disposeFront(front: object): void {
    this.unkeep(front);
    if (!keeps.has(identityOf(front))) this.#dispose(front);
  }

  #dispose(object: object): void {
    const original = originalOf(object);
    runGuarded(() => {
      const dispose = (original as Partial<Disposable>)[Symbol.dispose];
      if (typeof dispose === "function" && isFirst(original)) return dispose.call(original);
    }, this.#onError);
  }
}

/** Only what has something to run is noted: most objects have not, and each would stay until the next collection. */
function isFirst(original: object): boolean {
  if (disposed.has(original)) return false;
  disposed.add(original);
  return true;
}

/** What an object is the same as: what it offers in its place, a stub's reference, or itself. */
function identityOf(object: object): object {
  return referenceOf(object) ?? originalOf(object);
}

function holdersOf(identity: object): readonly Holder[] {
  const known = holders.get(identity);
  if (known === undefined) return [];
  return known instanceof Set ? [...known] : [known];
}

/** Returns whether nobody holds the object any more. */
function remove(holder: Holder): boolean {
  const identity = identityOf(holder.object);
  const known = holders.get(identity);
  if (known instanceof Set) {
    known.delete(holder);
    if (known.size > 0) return false;
  } else if (known !== holder) {
    return false;
  }
  return holders.delete(identity);
}
