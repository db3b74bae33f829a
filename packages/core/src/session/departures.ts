/**
 * What leaves with a message beside its bytes: holds on objects. Counted while the message is being written, as one
 * transaction: whoever takes it answers for it, and undoes it when the message is never sent or was never read.
 */
import type { ExportEntry, ExportTable } from "../references/export-table.ts";
import type { Exporter, WireReference } from "../values/codec.ts";

/** What one message has counted. */
export class Departed {
  readonly #exports: ExportTable;
  readonly #entries: ExportEntry[] = [];

  constructor(exports: ExportTable) {
    this.#exports = exports;
  }

  add(entry: ExportEntry): void {
    this.#entries.push(entry);
  }

  /** The peer will never learn of it. */
  undo(): void {
    for (const entry of this.#entries.splice(0)) this.#exports.takeBack(entry);
  }
}

export class Departures implements Exporter {
  readonly #exports: ExportTable;
  #departing: Departed | undefined;

  constructor(exports: ExportTable) {
    this.#exports = exports;
  }

  reference(value: object): WireReference {
    const home = this.#exports.homeward(value);
    if (home) return home;
    const entry = this.#exports.export(value);
    this.#departing ??= new Departed(this.#exports);
    this.#departing.add(entry);
    return entry;
  }

  isPinned(object: object): boolean {
    return this.#exports.isPinned(object);
  }

  /** What was counted since the last `take`; `undefined` for most messages. */
  take(): Departed | undefined {
    const departed = this.#departing;
    this.#departing = undefined;
    return departed;
  }

  /** The message being written is not sent. */
  undo(): void {
    this.take()?.undo();
  }
}
