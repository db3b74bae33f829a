/** Turns what has arrived into what a program sees: markers into stubs, originals and streams, or back to where they came from. */
import { RpcError } from "../errors/rpc-error.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { ImportTable } from "../references/import-table.ts";
import { stubOf } from "../references/stub-proxy.ts";
import type { IncomingStreams } from "../streams/incoming-streams.ts";
import type { Codec, Decoded, Importer, WireMark } from "../values/codec.ts";
import type { Releases } from "./releases.ts";
import type { SessionSignals } from "./session-signals.ts";

/** What a call of the peer's has returned; `arrived` gets what it refers to. @throws RpcError */
export type ResultOf = (callId: number, arrived: unknown[]) => unknown;

/** Only calls refer to results of calls. */
const noResult: ResultOf = (callId) => {
  throw new RpcError("protocol", `the result of call ${callId} is referred to outside of a call`, "not-executed");
};

export interface ArrivalsOptions {
  readonly codec: Codec;
  readonly exports: ExportTable;
  readonly imports: ImportTable;
  readonly releases: Releases;
  readonly streams: IncomingStreams;
  readonly signals: SessionSignals;
}

export class Arrivals {
  readonly #codec: Codec;
  readonly #exports: ExportTable;
  readonly #imports: ImportTable;
  readonly #releases: Releases;
  readonly #streams: IncomingStreams;
  readonly #signals: SessionSignals;
  /** Where it is asked for. */
  #arrived: unknown[] | undefined;
  #resolved = 0;
  #resultOf: ResultOf = noResult;
  readonly #importer: Importer = { resolve: (mark) => this.#resolve(mark) };

  constructor(options: ArrivalsOptions) {
    const { codec, exports, imports, releases, streams, signals } = options;
    this.#signals = signals;
    this.#codec = codec;
    this.#exports = exports;
    this.#imports = imports;
    this.#releases = releases;
    this.#streams = streams;
  }

  /**
   * Puts stubs in their places, and into `arrived` what they are; `resultOf` tells what calls have returned whose results
   * are referred to. @throws RpcError; the references that got no stub go back then
   */
  hydrate<T>(decoded: Decoded<T>, arrived?: unknown[], resultOf: ResultOf = noResult): T {
    if (decoded.references.length === 0) return this.#codec.hydrate(decoded, this.#importer);
    this.#arrived = arrived;
    this.#resolved = 0;
    this.#resultOf = resultOf;
    try {
      return this.#codec.hydrate(decoded, this.#importer);
    } catch (error) {
      this.giveBack(decoded.references.slice(this.#resolved));
      throw error;
    } finally {
      this.#arrived = undefined;
      this.#resultOf = noResult;
    }
  }

  /** Gives up references and streams that nobody will ever use. */
  giveBack(marks: readonly WireMark[]): void {
    for (const { kind, id } of marks) {
      if (kind === "iterable" || kind === "readable") this.#streams.refuse(id);
      else if ((kind === "object" || kind === "function") && id !== 0) this.#releases.add(id, 1);
    }
  }

  #resolve(mark: WireMark): unknown {
    const value = this.#find(mark);
    if (mark.kind !== "result") this.#arrived?.push(value);
    this.#resolved++;
    return value;
  }

  #find(mark: WireMark): unknown {
    switch (mark.kind) {
      case "home":
        return this.#original(mark.id);
      case "result":
        return this.#resultOf(mark.id, this.#arrived ?? []);
      case "iterable":
      case "readable":
        return this.#streams.receive(mark.id, mark.kind);
      case "signal":
      case "ownSignal":
        return this.#signals.receive(mark);
      case "aborted":
        return AbortSignal.abort(mark.reason);
      default:
        return stubOf(this.#imports.receive(mark.id, mark.kind, mark.name));
    }
  }

  #original(id: number): object {
    const entry = this.#exports.get(id);
    if (entry) return entry.object;
    throw new RpcError("stale-reference", `object #${id} is not held here any more`, "not-executed");
  }
}
