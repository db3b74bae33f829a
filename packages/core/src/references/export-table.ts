/**
 * The objects one session holds for its peer. Each time a reference is sent counts one hold; the peer gives holds back by
 * number. Numbers are small, valid in this session only and never used again.
 */
import { refusal } from "../errors/refusal.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { Down } from "../types/session.ts";
import type { WireReference } from "../values/codec.ts";
import { Numbered } from "../wire/numbered.ts";
import { ExportEntry } from "./export-entry.ts";
import type { FarReference } from "./far-reference.ts";
import type { HeldObjects } from "./held-objects.ts";
import type { Offers } from "./offers.ts";
import { referenceOf } from "./stub.ts";
import { passedOn } from "./stub-proxy.ts";

const frontId = 0;
const revoked: Down = { reason: "disposed" };

export interface ExportTableOptions {
  readonly maxExports: number;
  readonly offers: Offers;
  readonly held: HeldObjects;
  /** Fronts and published objects travel as references though they are not marked. */
  isPinned(object: object): boolean;
  /** The session's own references: they go home as what they are. */
  isOurImport(reference: FarReference): boolean;
  /** Tells the peer that a reference it holds is gone for good. */
  tellDown(id: number, down: Down): void;
}

export class ExportTable {
  readonly #options: ExportTableOptions;
  readonly #byId = new Numbered<ExportEntry>("ours");
  /** Weak, though each entry holds its object: much passes through, and a Map would keep it (see `Numbered`). */
  readonly #byObject = new WeakMap<object, ExportEntry>();
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

  /** Counts a hold of the peer on an object. @throws RpcError `unsupported-value`, `limit-exceeded`, `stale-reference` */
  export(value: object): ExportEntry {
    const reference = referenceOf(value);
    if (reference?.down?.reason === "released") throw notHeld(reference);
    const object = reference ? passedOn(value) : value;
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
    const entry = new ExportEntry(this, id, object, this.#options.offers.of(object), holds);
    this.#byId.set(id, entry);
    this.#byObject.set(object, entry);
    this.#options.held.hold(entry);
    if (entry.isRelay) this.#watch(entry);
    return entry;
  }

  /** Never in the table, and never held. */
  #wayHome(stub: object): ExportEntry {
    const object = passedOn(stub);
    return new ExportEntry(this, -1, object, this.#options.offers.of(object), Number.POSITIVE_INFINITY);
  }

  /** Where the way on ends, the peer is told. The entry stays, to say so to calls that come meanwhile. */
  #watch(entry: ExportEntry): void {
    const relayed = referenceOf(entry.object);
    entry.unwatch = relayed?.owner.monitor(relayed, (down) => {
      this.#forgetObject(entry);
      this.#options.tellDown(entry.id, down.reason === "released" ? revoked : down);
    });
  }
}

function homeward(reference: FarReference): WireReference {
  if (!reference.down) return { kind: "home", id: reference.id, name: "" };
  throw notHeld(reference);
}

function notHeld(reference: FarReference): RpcError {
  return new RpcError("stale-reference", `${reference.describe()} is not held any more`, "not-sent");
}
