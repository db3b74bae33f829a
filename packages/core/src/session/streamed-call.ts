/**
 * The call behind a stream that its method made, as each step of the stream sees it. It outlives the answer: there is no
 * deadline any more, and its signal fires when the stream is cancelled.
 */
import type { RpcError } from "../errors/rpc-error.ts";
import type { StreamMaker, StreamOrigin } from "../streams/outgoing-stream.ts";
import type { Principal, Session } from "../types/session.ts";
import type { CallStreams } from "./call-streams.ts";
import { applyInCall, type NestedCall } from "./current-call.ts";

const noArguments: readonly unknown[] = Object.freeze([]);

export class StreamedCall implements NestedCall, StreamOrigin {
  readonly method: string;
  readonly session: Session;
  readonly depth: number;
  readonly context: Readonly<Record<string, string>>;
  readonly deadline: undefined = undefined;
  readonly remainingMs: undefined = undefined;
  readonly #call: NestedCall & StreamMaker;
  readonly #streams: CallStreams;
  #aborted: RpcError | undefined;
  #controller: AbortController | undefined;

  /** `streams` are all those of the call. */
  constructor(call: NestedCall & StreamMaker, streams: CallStreams) {
    this.method = call.method;
    this.session = call.session;
    this.depth = call.depth;
    this.context = call.context;
    this.#call = call;
    this.#streams = streams;
    streams.opened();
  }

  get principal(): Principal | undefined {
    return this.session.principal;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  run<T>(step: () => T): T {
    return applyInCall(this, step, undefined, noArguments) as T;
  }

  openStream(): StreamOrigin {
    return this.#call.openStream();
  }

  abort(reason: RpcError): void {
    if (this.#aborted) return;
    this.#aborted = reason;
    this.#controller?.abort(reason);
    this.#streams.unwanted(reason);
  }

  ended(): void {
    if (!this.#aborted) this.#streams.unwanted(undefined);
    this.#streams.ended();
  }
}
