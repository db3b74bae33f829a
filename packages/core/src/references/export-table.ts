/**
 * The objects one session holds for its peer. Each time a reference is sent counts one hold; the peer gives holds back by
 * number. Numbers are small, valid in this session only and never used again.
 */
import { refusal } from "../errors/refusal.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { CallOptions, Down } from "../types/session.ts";
import type { WireReference } from "../values/codec.ts";
import { Numbered } from "../wire/numbered.ts";
import { type CallerContract, originalOf } from "./contracts.ts";
import type { FarReference } from "./far-reference.ts";
import type { HeldObjects, Holder } from "./held-objects.ts";
import { isOfferable, isPlain, type Method, type MethodTable, type MethodTables } from "./method-table.ts";
import { contractOf, passedOn, referenceOf } from "./stub.ts";

/** What the entries of one class, or of one function, have in common. */
interface Offer {
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

/** An object the peer may call. */
export class ExportEntry implements WireReference, Holder {
  readonly table: ExportTable;
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

  constructor(table: ExportTable, id: number, object: object, offer: Offer, holds: number) {
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

export const maxTypeNameLength = 64;
const frontId = 0;
const revoked: Down = { reason: "disposed" };

export interface ExportTableOptions {
  readonly maxExports: number;
  readonly methods: MethodTables;
  readonly held: HeldObjects;
  /** Fronts and published objects travel as references though they are not marked. */
  isPinned(object: object): boolean;
  /** The session's own references: they go home as what they are. */
  isOurImport(reference: FarReference): boolean;
  /** Signal, deadline and context of the call being relayed: they go on with it. */
  relayedOptions(): CallOptions | undefined;
  /** Tells the peer that a reference it holds is gone for good. */
  tellDown(id: number, down: Down): void;
}

export class ExportTable {
  readonly #options: ExportTableOptions;
  readonly #byId = new Numbered<ExportEntry>("ours");
  /** Weak, though each entry holds its object: much passes through, and a Map would keep it (see `Numbered`). */
  readonly #byObject = new WeakMap<object, ExportEntry>();
  /** By prototype. */
  readonly #classOffers = new WeakMap<object, Offer>();
  /** Holds on what was revoked that the peer has not given back yet. */
  readonly #revoked = new Map<number, number>();
  /** Revoked, and not sent again since. */
  #withdrawn: WeakSet<object> | undefined;
  #front: object | undefined;
  #lastId = frontId;

  constructor(options: ExportTableOptions) {
    this.#options = options;
  }

  /** Objects held, the front not counted. */
  get size(): number {
    return this.#byId.size - (this.#byId.has(frontId) ? 1 : 0);
  }

  /** Offers the front: number 0, held as long as the session lives. @throws RpcError `unsupported-value` */
  offerFront(front: object): ExportEntry {
    this.#front = front;
    return this.#add(frontId, front, Number.POSITIVE_INFINITY);
  }

  get(id: number): ExportEntry | undefined {
    return this.#byId.get(id);
  }

  /**
   * The entry that calls on a result run on: the one it is sent as, or, where the peer's own object goes home, the way to
   * it. `undefined` for what does not travel as a reference.
   */
  entryOf(value: unknown): ExportEntry | undefined {
    const reference = referenceOf(value);
    if (reference && this.#options.isOurImport(reference)) return this.#wayHome(value as object);
    return this.#byObject.get((reference ? passedOn(value as object) : value) as object);
  }

  /** @throws RpcError `stale-reference` for what the peer was sent once, and is not to reach any more */
  checkNotRevoked(value: unknown): void {
    const object = (referenceOf(value) ? passedOn(value as object) : value) as object;
    if (this.#withdrawn?.has(object)) throw refusal("stale-reference", "its owner has revoked it", "not-executed");
  }

  isPinned(object: object): boolean {
    return object === this.#front || this.#options.isPinned(object);
  }

  /** The reference of a stub that goes back to where it came from. @throws RpcError `stale-reference` */
  homeward(value: object): WireReference | undefined {
    const reference = referenceOf(value);
    return reference && this.#options.isOurImport(reference) ? homeward(reference) : undefined;
  }

  /** Counts a hold of the peer on an object. @throws RpcError `unsupported-value`, `limit-exceeded` */
  export(value: object): ExportEntry {
    const object = referenceOf(value) ? passedOn(value) : value;
    const entry = this.#byObject.get(object) ?? this.#addNext(object);
    entry.holds++;
    return entry;
  }

  /** Undoes a hold that the peer will never learn of: what it never got is not disposed. */
  takeBack(entry: ExportEntry): void {
    if (entry.isRevoked) this.#giveBackRevoked(entry.id, 1);
    else this.#giveBack(entry, 1);
  }

  /** The peer gives `count` holds back. @throws RpcError `protocol` when it never had them */
  release(id: number, count: number): void {
    const entry = this.#byId.get(id);
    const holds = id === frontId ? 0 : (entry?.holds ?? this.#revoked.get(id) ?? 0);
    if (count < 1 || count > holds) {
      throw new RpcError("protocol", `release of ${count} holds on #${id}: the peer does not have them`, "unknown");
    }
    if (!entry) {
      this.#giveBackRevoked(id, count);
      return;
    }
    entry.wasHeld = true;
    this.#giveBack(entry, count);
  }

  /** The object's owner ends the peer's holds. It gives them back when it hears of it; those on their way count too. */
  revoke(entry: ExportEntry): void {
    const { id, holds } = entry;
    entry.isRevoked = true;
    this.#withdrawn ??= new WeakSet();
    this.#withdrawn.add(entry.object);
    if (holds === 0) return;
    if (id !== frontId) this.#revoked.set(id, holds);
    this.#end(entry);
    this.#options.tellDown(id, revoked);
  }

  beginCall(entry: ExportEntry): void {
    entry.wasHeld = true;
    entry.runningCalls++;
  }

  endCall(entry: ExportEntry): void {
    entry.runningCalls--;
    this.#letGoOfUnused(entry);
  }

  /** The session is over: every hold ends. */
  clear(): void {
    for (const entry of [...this.#byId.values()]) this.#end(entry);
    this.#revoked.clear();
  }

  #end(entry: ExportEntry): void {
    entry.wasHeld = true;
    this.#remove(entry);
    this.#letGoOfUnused(entry);
  }

  #giveBack(entry: ExportEntry, count: number): void {
    if (entry.holds === 0) return;
    entry.holds -= count;
    if (entry.holds > 0) return;
    this.#remove(entry);
    this.#letGoOfUnused(entry);
  }

  #giveBackRevoked(id: number, count: number): void {
    const holds = (this.#revoked.get(id) ?? 0) - count;
    if (holds > 0) this.#revoked.set(id, holds);
    else this.#revoked.delete(id);
  }

  #remove(entry: ExportEntry): void {
    entry.holds = 0;
    entry.unwatch?.();
    this.#byId.delete(entry.id);
    this.#forgetObject(entry);
  }

  /** Sent again, the object is a new reference. */
  #forgetObject(entry: ExportEntry): void {
    if (this.#byObject.get(entry.object) === entry) this.#byObject.delete(entry.object);
  }

  #letGoOfUnused(entry: ExportEntry): void {
    if (entry.holds > 0 || entry.runningCalls > 0) return;
    if (entry.wasHeld) this.#options.held.drop(entry);
    else this.#options.held.forget(entry);
  }

  #addNext(object: object): ExportEntry {
    const held = this.size + this.#revoked.size;
    if (held >= this.#options.maxExports) {
      const detail = `${held} objects are exported to this peer, limits.maxExports is ${this.#options.maxExports}`;
      throw new RpcError("limit-exceeded", detail, "not-sent");
    }
    const entry = this.#add(this.#lastId + 1, object, 0);
    this.#lastId = entry.id;
    this.#withdrawn?.delete(object);
    return entry;
  }

  #add(id: number, object: object, holds: number): ExportEntry {
    const entry = new ExportEntry(this, id, object, this.#offerOf(object), holds);
    this.#byId.set(id, entry);
    this.#byObject.set(object, entry);
    this.#options.held.hold(entry);
    if (entry.isRelay) this.#watch(entry);
    return entry;
  }

  /** Never in the table, and never held. */
  #wayHome(stub: object): ExportEntry {
    const object = passedOn(stub);
    return new ExportEntry(this, -1, object, this.#offerOf(object), Number.POSITIVE_INFINITY);
  }

  /** Where the way on ends, the peer is told. The entry stays, to say so to calls that come meanwhile. */
  #watch(entry: ExportEntry): void {
    const relayed = referenceOf(entry.object);
    entry.unwatch = relayed?.owner.monitor(relayed, (down) => {
      this.#forgetObject(entry);
      this.#options.tellDown(entry.id, down.reason === "released" ? revoked : down);
    });
  }

  #offerOf(object: object): Offer {
    const relayed = referenceOf(object);
    if (relayed) return this.#relay(relayed, contractOf(object));
    if (typeof object === "function") return functionOffer(object);
    const shared = sharedOffers(object);
    const known = shared && this.#classOffers.get(shared);
    if (known) return known;
    const offer = objectOffer(typeName(object), this.#options.methods.of(object));
    if (shared) this.#classOffers.set(shared, offer);
    return offer;
  }

  /** Calls on a relayed object go on to where it lives. Names that every object inherits are no methods there either. */
  #relay(reference: FarReference, contract: CallerContract | undefined): Offer {
    const { kind, name, owner } = reference;
    const passOn = (method: string, args: readonly unknown[]) =>
      owner.invoke(reference, method, args, this.#options.relayedOptions(), contract);
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

function homeward(reference: FarReference): WireReference {
  if (!reference.down) return { kind: "home", id: reference.id, name: "" };
  throw new RpcError("stale-reference", `${reference.describe()} is not held any more`, "not-sent");
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
  return { kind: "function", name: ownText(callee, "name"), isBound: false, isRelay: false, method: itself };
}

/** A function's only method. */
function itself(callee: object, asked: string): Method | undefined {
  return asked === "" ? (callee as Method) : undefined; // the object of a function's offer
}

/** The class's name, for printing at the far end; of what only offers another's methods, the other's. */
export function typeName(object: object): string {
  if (typeof object === "function") return ownText(object, "name");
  const prototype: object | null = Object.getPrototypeOf(originalOf(object));
  const maker: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof maker === "function" ? ownText(maker, "name") : "";
}

function ownText(object: object, key: string): string {
  const value: unknown = Object.getOwnPropertyDescriptor(object, key)?.value;
  return typeof value === "string" ? value.slice(0, maxTypeNameLength) : "";
}
