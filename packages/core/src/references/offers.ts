/** What objects offer to whoever holds them from afar: methods, and a name for printing. One class offers one thing. */
import type { CallOptions } from "../types/session.ts";
import { className, ownName } from "../values/class-name.ts";
import { type CallerContract, originalOf } from "./contracts.ts";
import type { FarReference } from "./far-reference.ts";
import { isOfferable, isPlain, type Method, type MethodTable, type MethodTables } from "./method-table.ts";
import { contractOf, referenceOf } from "./stub.ts";

export { maxTypeNameLength } from "../values/class-name.ts";

/** What the entries of one class, or of one function, have in common. */
export interface Offer {
  readonly kind: "object" | "function";
  /** The class's or function's name, for printing at the far end. */
  readonly name: string;
  /** Its methods are called on the object: functions have no `this`. */
  readonly isBound: boolean;
  /** It lives in a third process: calls go on, failures come back as they are. */
  readonly isRelay: boolean;
  /** The method of that name, if it is offered. */
  method(object: object, name: string): Method | undefined;
}

export class Offers {
  readonly #methods: MethodTables;
  readonly #relayedOptions: () => CallOptions | undefined;
  /** By prototype. */
  readonly #byClass = new WeakMap<object, Offer>();

  /** `relayedOptions` gives signal, deadline and context of the call being relayed: they go on with it. */
  constructor(methods: MethodTables, relayedOptions: () => CallOptions | undefined) {
    this.#methods = methods;
    this.#relayedOptions = relayedOptions;
  }

  of(object: object): Offer {
    const relayed = referenceOf(object);
    if (relayed) return this.#relay(relayed, contractOf(object));
    if (typeof object === "function") return functionOffer(object);
    const shared = sharedOffers(object);
    const known = shared && this.#byClass.get(shared);
    if (known) return known;
    const offer = objectOffer(typeName(object), this.#methods.of(object));
    if (shared) this.#byClass.set(shared, offer);
    return offer;
  }

  /** Calls on a relayed object go on to where it lives. Names that every object inherits are no methods there either. */
  #relay(reference: FarReference, contract: CallerContract | undefined): Offer {
    const { kind, name, owner } = reference;
    const passOn = (method: string, args: readonly unknown[]) =>
      owner.invoke(reference, method, args, this.#relayedOptions(), contract);
    return {
      kind,
      name,
      isBound: false,
      isRelay: true,
      method(_object, asked) {
        if ((kind === "function") !== (asked === "")) return undefined;
        if (!isOfferable(asked) || asked === "then" || asked in Object.prototype) return undefined;
        return (...args: unknown[]) => passOn(asked, args);
      },
    };
  }
}

/** The prototype that makes all its objects offer the same; none for what offers its own properties, or another's. */
function sharedOffers(object: object): object | undefined {
  const isOrdinary = !isPlain(object) && !Array.isArray(object) && originalOf(object) === object;
  return isOrdinary ? Object.getPrototypeOf(object) : undefined;
}

function objectOffer(name: string, table: MethodTable): Offer {
  return { kind: "object", name, isBound: true, isRelay: false, method: (_object, asked) => table.get(asked) };
}

function functionOffer(callee: Method): Offer {
  return { kind: "function", name: ownName(callee), isBound: false, isRelay: false, method: itself };
}

/** A function's only method. */
function itself(callee: object, asked: string): Method | undefined {
  return asked === "" ? (callee as Method) : undefined; // the object of a function's offer
}

/** The class's name, for printing at the far end; of what only offers another's methods, the other's. */
export function typeName(object: object): string {
  return typeof object === "function" ? ownName(object) : className(originalOf(object));
}
