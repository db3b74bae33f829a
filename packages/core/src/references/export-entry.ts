/** An object as one peer may call it: its number in the session's table, the holds on it, and what it offers. */
import type { WireReference } from "../values/codec.ts";
import type { Holder } from "./held-objects.ts";
import type { Method } from "./method-table.ts";
import type { Offer } from "./offers.ts";

export class ExportEntry implements WireReference, Holder {
  readonly table: Revoking;
  readonly id: number;
  readonly object: object;
  /** Holds of the peer: how often the reference was sent and not given back. */
  holds: number;
  /** Calls running on it: it is disposed only after them. */
  runningCalls = 0;
  /** The peer has had it: when nobody holds it any more, it is disposed. */
  wasHeld = false;
  /** Its owner has ended the peer's holds: nothing new begins on it. */
  isRevoked = false;
  /** Stops waiting for the end of what is only relayed. */
  unwatch: (() => void) | undefined = undefined;
  readonly #offer: Offer;

  constructor(table: Revoking, id: number, object: object, offer: Offer, holds: number) {
    this.table = table;
    this.id = id;
    this.object = object;
    this.holds = holds;
    this.#offer = offer;
  }

  get kind(): "object" | "function" {
    return this.#offer.kind;
  }

  get name(): string {
    return this.#offer.name;
  }

  /** `this` of its methods; `undefined` for functions. */
  get self(): object | undefined {
    return this.#offer.isBound ? this.object : undefined;
  }

  get isRelay(): boolean {
    return this.#offer.isRelay;
  }

  method(name: string): Method | undefined {
    return this.#offer.method(this.object, name);
  }
}

/** The table an entry stands in, as the object's owner sees it. */
interface Revoking {
  /** Ends the peer's holds. */
  revoke(entry: ExportEntry): void;
}
