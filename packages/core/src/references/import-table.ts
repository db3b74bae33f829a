/**
 * The stubs one session has of its peer's objects. Held weakly: when a program lets go of a stub, its holds go back in the
 * next batch. Counted by how often the reference came, so that one that is under way meanwhile is not lost.
 */
import type { Clock } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { Down } from "../types/session.ts";
import { FarReference, type ReferenceOwner } from "./far-reference.ts";
import { type DownListener, Monitors } from "./monitors.ts";
import { type PeersNumber, peersNumber } from "./peers-number.ts";

interface ImportEntry {
  readonly table: ImportTable;
  readonly id: number;
  readonly key: PeersNumber;
  readonly reference: WeakRef<FarReference>;
  received: number;
  /** Known to the table and not to the reference, so that they hear of its collection. */
  monitors: Monitors | undefined;
}

/** Hears of references that were collected, for all sessions of an endpoint: one is dear, and tables come and go. */
export type CollectedReferences = FinalizationRegistry<ImportEntry>;

export function createCollectedReferences(): CollectedReferences {
  return new FinalizationRegistry((entry) => entry.table.collected(entry));
}

/** A collection is asked for when the table is this full, at most once for so many new entries. */
const pressureShare = 0.75;

const minPeerExports = 1_000;
const released: Down = { reason: "released" };

export interface ImportTableOptions {
  readonly clock: Clock;
  readonly owner: ReferenceOwner;
  readonly collected: CollectedReferences;
  /** The peer's front, as the peer announces it. */
  readonly front: { readonly kind: "object" | "function"; readonly name: string };
  readonly maxImports: number;
  /** The peer's own limit: it can't export more than that. */
  readonly maxPeerExports: number;
  /** Gives `count` holds on `id` back to the peer. */
  release(id: number, count: number): void;
  /** Asks the engine to collect garbage, where it can be asked. */
  collectGarbage(): void;
  /** A monitor's listener threw. */
  onError(error: Error): void;
}

export class ImportTable {
  readonly #options: ImportTableOptions;
  readonly #entries = new Map<PeersNumber, ImportEntry>();
  readonly #front: FarReference;
  #frontMonitors: Monitors | undefined;
  /** Why the session is over. */
  #down: Down | undefined;
  #nextPressureSize: number;
  #collectedEnoughUntil = 0;

  constructor(options: ImportTableOptions) {
    this.#options = options;
    this.#front = new FarReference(options.owner, options.front.kind, 0, options.front.name);
    this.#nextPressureSize = this.#pressureSize;
  }

  /** References held, the peer's front not counted. */
  get size(): number {
    return this.#entries.size;
  }

  /** The peer's front. */
  get front(): FarReference {
    return this.#front;
  }

  /** A reference came: counts a hold. @throws RpcError `limit-exceeded` */
  receive(id: number, kind: "object" | "function", name: string): FarReference {
    if (id === 0) return this.#front;
    const key = peersNumber(id);
    const entry = this.#entries.get(key);
    const known = entry?.reference.deref();
    if (!entry || !known) return this.#add(id, key, kind, name);
    entry.received++;
    return known;
  }

  /** The program gave the reference up: all its holds go back. */
  release(reference: FarReference): void {
    if (reference.down || reference === this.#front) return;
    reference.down = released;
    const entry = this.#entries.get(peersNumber(reference.id));
    if (entry?.reference.deref() === reference) this.#letGo(entry, released);
  }

  /** The peer says that a reference is gone for good. We may have given it back meanwhile. */
  down(id: number, down: Down): void {
    if (id === 0) {
      this.#front.down ??= down;
      this.#frontMonitors?.tell(down);
      return;
    }
    const entry = this.#entries.get(peersNumber(id));
    if (!entry) return;
    const reference = entry.reference.deref();
    if (reference) reference.down = down;
    this.#letGo(entry, down);
  }

  /** A program let go of a stub without a word. */
  collected(entry: ImportEntry): void {
    this.#letGo(entry, released);
  }

  /** Tells `listener` once that a reference is gone. Returns a function that stops it. */
  monitor(reference: FarReference, listener: DownListener): () => void {
    const down = reference.down ?? this.#down;
    const monitors = down ? new Monitors(this.#options) : this.#monitorsOf(reference);
    const stop = monitors.add(listener);
    if (down) monitors.tell(down);
    return stop;
  }

  /** The session is over: nothing is given back any more. */
  clear(down: Down): void {
    this.#down = down;
    this.#frontMonitors?.tell(down);
    for (const entry of this.#entries.values()) {
      this.#options.collected.unregister(entry);
      entry.monitors?.tell(down);
    }
    this.#entries.clear();
  }

  /** Of a reference that is not gone: all but the front's stand in the table. */
  #monitorsOf(reference: FarReference): Monitors {
    const entry = this.#entries.get(peersNumber(reference.id));
    const monitors = (entry ? entry.monitors : this.#frontMonitors) ?? new Monitors(this.#options);
    if (entry) entry.monitors = monitors;
    else this.#frontMonitors = monitors;
    return monitors;
  }

  #add(id: number, key: PeersNumber, kind: "object" | "function", name: string): FarReference {
    if (this.#entries.size >= this.#options.maxImports) {
      const detail = `${this.#entries.size} far objects are held, limits.maxImports is ${this.#options.maxImports}`;
      throw new RpcError("limit-exceeded", detail, "not-executed");
    }
    const reference = new FarReference(this.#options.owner, kind, id, name);
    const entry = { table: this, id, key, reference: new WeakRef(reference), received: 1, monitors: undefined };
    this.#entries.set(key, entry);
    this.#options.collected.register(reference, entry, entry);
    this.#relievePressure();
    return reference;
  }

  /** A later entry may have taken the number's place: only its own goes. */
  #letGo(entry: ImportEntry, down: Down): void {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    this.#options.collected.unregister(entry);
    this.#options.release(entry.id, entry.received);
    entry.monitors?.tell(down);
  }

  /** A peer that says it can export next to nothing must not make us collect all the time. */
  get #pressureSize(): number {
    const peerSize = Math.max(this.#options.maxPeerExports, minPeerExports);
    return Math.max(1, pressureShare * Math.min(this.#options.maxImports, peerSize));
  }

  #relievePressure(): void {
    if (this.#entries.size < this.#nextPressureSize) {
      if (this.#entries.size < this.#pressureSize / 2) this.#nextPressureSize = this.#pressureSize;
      return;
    }
    this.#nextPressureSize += this.#pressureSize / 8;
    this.#collect();
  }

  /** Takes at most a quarter of the time, unless the table is nearly full. */
  #collect(): void {
    const { clock, maxImports, collectGarbage } = this.#options;
    const begun = clock.now();
    if (begun < this.#collectedEnoughUntil && this.#entries.size < 0.9 * maxImports) return;
    collectGarbage();
    const ended = clock.now();
    this.#collectedEnoughUntil = ended + 3 * (ended - begun);
  }
}
