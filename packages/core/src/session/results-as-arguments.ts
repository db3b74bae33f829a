/**
 * The result of one call as an argument of another, where both run: what the caller would have got and sent back. Data is
 * copied, so that no two calls share it; objects by reference are themselves.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { Codec, Exporter, Importer, ValueLimits, WireReference } from "../values/codec.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import type { KeptResult } from "./kept-results.ts";

export class ResultsAsArguments {
  readonly #codec: Codec;
  readonly #limits: ValueLimits;
  readonly #exports: Pick<ExportTable, "isPinned" | "checkNotRevoked">;

  /** `exports` knows what travels as a reference without a mark, and what was revoked since it was returned. */
  constructor(codec: Codec, limits: ValueLimits, exports: Pick<ExportTable, "isPinned" | "checkNotRevoked">) {
    this.#codec = codec;
    this.#limits = limits;
    this.#exports = exports;
  }

  /** @param arrived gets what the result refers to */
  argument(results: readonly KeptResult[] | undefined, callId: number, arrived: unknown[]): unknown {
    const state = results?.find((result) => result.callId === callId)?.state;
    if (state?.kind !== "kept") {
      throw new RpcError("protocol", `the result of call ${callId} is no argument here`, "not-executed");
    }
    return this.#copy(state.value, arrived);
  }

  #copy(value: unknown, arrived: unknown[]): unknown {
    const passed: object[] = [];
    const exporter: Exporter = {
      isPinned: (object) => this.#exports.isPinned(object),
      standIn: (object) => object,
      stream: () => {
        throw new RpcError(
          "unsupported-value",
          "a stream among the results; await it before passing it on",
          "not-executed",
        );
      },
      signal: (signal) => ({ kind: "signal", id: passed.push(signal) }),
      reference: (object): WireReference => {
        this.#exports.checkNotRevoked(object);
        return { kind: "object", id: passed.push(object), name: "" };
      },
    };
    const importer: Importer = {
      resolve: (mark) => (mark.kind === "aborted" ? AbortSignal.abort(mark.reason) : passed[mark.id - 1]),
    };
    const writer = new ByteWriter(new Uint8Array(256));
    this.#codec.encode(writer, value, exporter, this.#limits, "result");
    const decoded = this.#codec.decode(writer.bytes, writer.start, writer.position, this.#limits);
    const copy = this.#codec.hydrate(decoded, importer);
    arrived.push(...passed);
    return copy;
  }
}
