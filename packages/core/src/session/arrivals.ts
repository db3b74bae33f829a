/** Turns what has arrived into what a program sees: markers into stubs and originals, or back to where they came from. */
import { RpcError } from "../errors/rpc-error.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { ImportTable } from "../references/import-table.ts";
import { stubOf } from "../references/stub.ts";
import type { Codec, Decoded, Importer, WireReference } from "../values/codec.ts";
import type { Releases } from "./releases.ts";

/** Holds nothing between messages. */
const none: unknown[] = [];

/** What a call of the peer's has returned. @throws RpcError */
export type ResultOf = (callId: number) => unknown;

/** Only calls refer to results of calls. */
const noResult: ResultOf = (callId) => {
  throw new RpcError("protocol", `the result of call ${callId} is referred to outside of a call`, "not-executed");
};

export class Arrivals {
  readonly #codec: Codec;
  readonly #exports: ExportTable;
  readonly #imports: ImportTable;
  readonly #releases: Releases;
  #resolved = none;
  #resultOf: ResultOf = noResult;
  readonly #importer: Importer = { resolve: (reference) => this.#resolve(reference) };

  constructor(codec: Codec, exports: ExportTable, imports: ImportTable, releases: Releases) {
    this.#codec = codec;
    this.#exports = exports;
    this.#imports = imports;
    this.#releases = releases;
  }

  /**
   * Puts stubs in their places, and into `arrived` what they are; `resultOf` tells what calls have returned whose results
   * are referred to. @throws RpcError; the references that got no stub go back then
   */
  hydrate<T>(decoded: Decoded<T>, arrived?: unknown[], resultOf: ResultOf = noResult): T {
    if (decoded.references.length === 0) return this.#codec.hydrate(decoded, this.#importer);
    const resolved = arrived ?? [];
    this.#resolved = resolved;
    this.#resultOf = resultOf;
    try {
      return this.#codec.hydrate(decoded, this.#importer);
    } catch (error) {
      this.giveBack(decoded.references.slice(resolved.length));
      throw error;
    } finally {
      this.#resolved = none;
      this.#resultOf = noResult;
    }
  }

  /** Gives up references that nobody will ever use. */
  giveBack(references: readonly WireReference[]): void {
    for (const { kind, id } of references) {
      if ((kind === "object" || kind === "function") && id !== 0) this.#releases.add(id, 1);
    }
  }

  #resolve(reference: WireReference): unknown {
    const value = this.#find(reference);
    this.#resolved.push(value);
    return value;
  }

  #find(reference: WireReference): unknown {
    if (reference.kind === "home") return this.#original(reference.id);
    if (reference.kind === "result") return this.#resultOf(reference.id);
    return this.#stub(reference, reference.kind);
  }

  #original(id: number): object {
    const entry = this.#exports.get(id);
    if (entry) return entry.object;
    throw new RpcError("stale-reference", `object #${id} is not held here any more`, "not-executed");
  }

  #stub({ id, name }: WireReference, kind: "object" | "function"): object {
    return stubOf(this.#imports.receive(id, kind, name));
  }
}
