/** What comes with a call: its arguments, decoded when it begins, and the results of other calls among them. */
import type { ExportTable } from "../references/export-table.ts";
import type { Decoded } from "../values/codec.ts";
import type { Arrivals } from "./arrivals.ts";
import type { SessionEnvironment } from "./environment.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { ResultsAsArguments } from "./results-as-arguments.ts";

export class CallArguments {
  readonly #environment: SessionEnvironment;
  readonly #arrivals: Arrivals;
  readonly #results: ResultsAsArguments;

  constructor(environment: SessionEnvironment, arrivals: Arrivals, exports: ExportTable) {
    this.#environment = environment;
    this.#arrivals = arrivals;
    this.#results = new ResultsAsArguments(environment.codec, environment.limits, exports);
  }

  /** Ids of the calls whose results are among the arguments. @throws RpcError for what can't be decoded */
  resultsIn(call: IncomingCall): readonly number[] {
    return this.#decoded(call).references.flatMap(({ kind, id }) => (kind === "result" ? [id] : []));
  }

  /** The arguments; what they refer to is ours from now on. @throws RpcError for what can't be decoded */
  decode(call: IncomingCall): unknown[] {
    const decoded = this.#decoded(call);
    call.ownsArguments = true;
    call.body = undefined;
    if (decoded.references.length === 0) return this.#arrivals.hydrate(decoded);
    const references: unknown[] = [];
    call.references = references;
    return this.#arrivals.hydrate(decoded, references, (callId, arrived) =>
      this.#results.argument(call.argumentResults, callId, arrived),
    );
  }

  #decoded(call: IncomingCall): Decoded<unknown[]> {
    const { codec, limits } = this.#environment;
    const { bytes, start, end, attachments } = call.body as NonNullable<IncomingCall["body"]>; // it has come whole
    return codec.decodeList(bytes, start, end, limits, attachments);
  }
}
