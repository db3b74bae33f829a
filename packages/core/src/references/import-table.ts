/**
 * The stubs one session has of its peer's objects. Held weakly: when a program lets go of a stub, its holds go back in the
 * next batch. Counted by how often the reference came, so that one that is under way meanwhile is not lost.
 *
 * Most references are released within milliseconds, and a weak reference costs more than all else about them. So a new
 * one is held strongly until the engine's next collection, and weakly from then on: what a program forgot is found gone
 * at the collection after. Measured: half as many objects again got, called and released in a second.
 */
import type { Clock } from "../clock/clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { Down } from "../types/session.ts";
import { Numbered } from "../wire/numbered.ts";
import type { Collections } from "./collections.ts";
import { FarReference, type ReferenceOwner } from "./far-reference.ts";
import { type DownListener, Monitors } from "./monitors.ts";
import { type PeersNumber, peersNumber } from "./peers-number.ts";

/** A reference that has seen a collection, and what must be known of it when it is gone. */
class WeakReference extends WeakRef<FarReference> {
  readonly id: number;
  readonly received: number;

  constructor(reference: FarReference) {
    super(reference);
    this.id = reference.id;
    this.received = reference.received;
  }
}

/** A collection is asked for when the table is this full, at most once for so many new entries. */
const pressureShare = 0.75;

const minPeerExports = 1_000;
/** Entries looked at in one turn after a collection: half a millisecond's work. */
const entriesPerTurn = 16_384;
const released: Down = { reason: "released" };

export interface ImportTableOptions {
  readonly clock: Clock;
  readonly owner: ReferenceOwner;
  readonly collections: Collections;
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
  readonly #entries = new Numbered<FarReference | WeakReference>("the peer's");
  readonly #front: FarReference;
  /** Of few references, and not known to them, so that they hear of their collection. */
  readonly #monitors = new Map<PeersNumber, Monitors>();
  #isWatching = false;
  /** What is still to be looked at of the last collection. */
  #unswept: Iterator<FarReference | WeakReference> | undefined;
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
    const known = this.#find(id);
    if (!known) return this.#add(id, kind, name);
    known.received++;
    return known;
  }

  /** The program gave the reference up: all its holds go back. */
  release(reference: FarReference): void {
    if (reference.down || reference === this.#front) return;
    reference.down = released;
    if (this.#entries.has(reference.id)) this.#letGo(reference, released);
  }

  /** The peer says that a reference is gone for good. We may have given it back meanwhile. */
  down(id: number, down: Down): void {
    if (id === 0) {
      this.#front.down ??= down;
      this.#tell(id, down);
      return;
    }
    const entry = this.#entries.get(id);
    if (!entry) return;
    const reference = entry instanceof FarReference ? entry : entry.deref();
    if (reference) reference.down = down;
    this.#letGo(entry, down);
  }

  /** Tells `listener` once that a reference is gone. Returns a function that stops it. */
  monitor(reference: FarReference, listener: DownListener): () => void {
    const down = reference.down ?? this.#down;
    const monitors = down ? new Monitors(this.#options) : this.#monitorsOf(reference.id);
    const stop = monitors.add(listener);
    if (down) monitors.tell(down);
    return stop;
  }

  /** The session is over: nothing is given back any more. */
  clear(down: Down): void {
    this.#down = down;
    for (const monitors of this.#monitors.values()) monitors.tell(down);
    this.#monitors.clear();
    this.#entries.clear();
    this.#unswept = undefined;
    this.#unwatch();
  }

  #monitorsOf(id: number): Monitors {
    const key = peersNumber(id);
    const monitors = this.#monitors.get(key) ?? new Monitors(this.#options);
    this.#monitors.set(key, monitors);
    return monitors;
  }

  #tell(id: number, down: Down): void {
    const key = peersNumber(id);
    this.#monitors.get(key)?.tell(down);
    this.#monitors.delete(key);
  }

  /** A reference that is found may change: it is held strongly once more. One that is gone gives its holds back. */
  #find(id: number): FarReference | undefined {
    const entry = this.#entries.get(id);
    if (!entry || entry instanceof FarReference) return entry;
    const reference = entry.deref();
    if (reference) this.#entries.set(id, reference);
    else this.#letGo(entry, released);
    return reference;
  }

  #add(id: number, kind: "object" | "function", name: string): FarReference {
    if (this.#entries.size >= this.#options.maxImports) {
      const detail = `${this.#entries.size} far objects are held, limits.maxImports is ${this.#options.maxImports}`;
      throw new RpcError("limit-exceeded", detail, "not-executed");
    }
    const reference = new FarReference(this.#options.owner, kind, id, name);
    this.#entries.set(id, reference);
    if (!this.#isWatching) this.#watch();
    if (this.#entries.size >= this.#nextPressureSize) this.#relievePressure();
    return reference;
  }

  #letGo({ id, received }: FarReference | WeakReference, down: Down): void {
    this.#entries.delete(id);
    this.#options.release(id, received);
    if (this.#monitors.size > 0) this.#tell(id, down);
  }

  #watch(): void {
    this.#isWatching = true;
    this.#options.collections.watch(this.#collected);
  }

  #unwatch(): void {
    this.#isWatching = false;
    this.#options.collections.unwatch(this.#collected);
  }

  readonly #collected = (): void => {
    if (this.#entries.size === 0) this.#unwatch();
    else if (!this.#unswept) this.#sweep(this.#entries.values());
  };

  /** Looks for what is gone, and holds weakly what was new: so much of it now, the rest in later turns. */
  #sweep(entries: Iterator<FarReference | WeakReference>): void {
    this.#unswept = entries;
    for (let i = 0; i < entriesPerTurn; i++) {
      const next = entries.next();
      if (next.done) {
        this.#unswept = undefined;
        this.#nextPressureSize = Math.max(this.#pressureSize, this.#entries.size + this.#pressureSize / 8);
        return;
      }
      this.#weaken(next.value);
    }
    this.#options.clock.nextTurn(() => {
      if (this.#unswept) this.#sweep(this.#unswept);
    });
  }

  #weaken(entry: FarReference | WeakReference): void {
    if (entry instanceof FarReference) this.#entries.set(entry.id, new WeakReference(entry));
    else if (!entry.deref()) this.#letGo(entry, released);
  }

  /** A peer that says it can export next to nothing must not make us collect all the time. */
  get #pressureSize(): number {
    const peerSize = Math.max(this.#options.maxPeerExports, minPeerExports);
    return Math.max(1, pressureShare * Math.min(this.#options.maxImports, peerSize));
  }

  #relievePressure(): void {
    this.#nextPressureSize = this.#entries.size + this.#pressureSize / 8;
    for (const entry of this.#entries.values()) this.#weaken(entry);
    // What was looked at in this turn is kept until its end.
    this.#options.clock.nextTurn(() => this.#collect());
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
