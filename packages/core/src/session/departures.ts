/**
 * What leaves with a message beside its bytes: holds on objects, and streams. Counted while the message is being written, as one
 * transaction: whoever takes it answers for it, and undoes it when the message is never sent or was never read.
 */
import { RpcError } from "../errors/rpc-error.ts";
import { type Leaving, leavingOf } from "../references/contracts.ts";
import type { ExportEntry } from "../references/export-entry.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { ReferenceOwner } from "../references/far-reference.ts";
import { stepOf } from "../references/pipeline.ts";
import type { StreamMaker } from "../streams/outgoing-stream.ts";
import type { OutgoingStreams } from "../streams/outgoing-streams.ts";
import type { Exporter, StreamKind, WireReference, WireSignal } from "../values/codec.ts";
import { StepFailure } from "./not-executed.ts";
import { PipelineStep } from "./pipeline-step.ts";
import type { SessionSignals } from "./session-signals.ts";

/** What one message has counted. */
export class Departed {
  readonly #exports: ExportTable;
  readonly #streams: OutgoingStreams;
  #entries: ExportEntry[] | undefined;
  #streamIds: number[] | undefined;
  /** Steps whose results it names. */
  results: PipelineStep[] | undefined;

  constructor(exports: ExportTable, streams: OutgoingStreams) {
    this.#exports = exports;
    this.#streams = streams;
  }

  addStream(id: number): void {
    this.#streamIds ??= [];
    this.#streamIds.push(id);
  }

  add(entry: ExportEntry): void {
    if (this.#entries) this.#entries.push(entry);
    else this.#entries = [entry];
  }

  addResult(step: PipelineStep): void {
    this.results ??= [];
    this.results.push(step);
  }

  /** The peer will never learn of it. */
  undo(): void {
    for (const entry of this.#entries?.splice(0) ?? []) this.#exports.takeBack(entry);
    for (const id of this.#streamIds?.splice(0) ?? []) this.#streams.takeBack(id);
  }
}

export class Departures implements Exporter {
  readonly #exports: ExportTable;
  readonly #owner: ReferenceOwner;
  readonly #streams: OutgoingStreams;
  readonly #signals: SessionSignals;
  /** The call of the peer's whose streams are being sent. */
  maker: StreamMaker | undefined;
  /** Something was met that a message only refers to. */
  refers = false;
  /** For all that is no call: the results of calls that are under way mean nothing there. */
  readonly ofReplies: Exporter = {
    reference: (value) => this.#ofReply(value),
    stream: (value, kind) => this.stream(value, kind),
    signal: (signal) => this.signal(signal),
    standIn: (value) => this.standIn(value),
    isPinned: (object) => this.isPinned(object),
  };
  /** The contract that what is being sent goes by. */
  #leaving: Leaving | undefined;
  #departing: Departed | undefined;
  #stepFailure: StepFailure | undefined;

  /** `owner` is the session: steps of another one mean nothing to its peer. */
  constructor(exports: ExportTable, owner: ReferenceOwner, streams: OutgoingStreams, signals: SessionSignals) {
    this.#exports = exports;
    this.#owner = owner;
    this.#signals = signals;
    this.#streams = streams;
  }

  /** What is to be written of a result or an item; what a contract says of it holds until `written`. */
  bare(value: unknown): unknown {
    this.#leaving = leavingOf(value);
    return this.#leaving ? this.#leaving.value : value;
  }

  /** The message has been written, or given up. */
  written(): void {
    this.maker = undefined;
    this.#leaving = undefined;
  }

  /** What was counted so far of the message being written. */
  get departing(): Departed | undefined {
    return this.#departing;
  }

  get #begun(): Departed {
    this.#departing ??= new Departed(this.#exports, this.#streams);
    return this.#departing;
  }

  reference(value: object): WireReference {
    const step = typeof value === "function" ? stepOf(value) : undefined;
    return step ? this.#result(step as PipelineStep) : this.#object(value);
  }

  /** What has come of a step stands for it; the result of one that waits has a number only where it was asked for. */
  standIn(value: object): unknown {
    const step = stepOf(value);
    if (!(step instanceof PipelineStep) || step.isWaiting) return value;
    const made = this.#valueOf(step);
    this.#leaving?.permitFor(value, made);
    return made;
  }

  /** The encoder tells of what it could not encode; who sends asks here whether a step was to blame. */
  #valueOf(step: PipelineStep): unknown {
    try {
      return step.value();
    } catch (error) {
      this.#stepFailure = new StepFailure(error as Error);
      throw error;
    }
  }

  #checkPermitted(value: object): void {
    if (!this.#leaving || this.#leaving.permits(value)) return;
    throw new RpcError(
      "invalid-result",
      "an object or a function by reference where the contract has data",
      "executed",
    );
  }

  #ofReply(value: object): WireReference {
    this.#checkPermitted(value);
    if (typeof value !== "function" || !stepOf(value)) return this.#object(value);
    throw new RpcError("unsupported-value", "the step of a pipeline has no result yet; await it first", "not-sent");
  }

  #result(step: PipelineStep): WireReference {
    if (step.owner !== this.#owner) throw new RpcError("unsupported-value", elsewhere, "not-sent");
    this.#begun.addResult(step);
    return { kind: "result", id: step.id, name: "" };
  }

  #object(value: object): WireReference {
    this.refers = true;
    const home = this.#exports.homeward(value);
    if (home) return home;
    const entry = this.#exports.export(value);
    this.#begun.add(entry);
    return entry;
  }

  signal(signal: AbortSignal): WireSignal {
    this.refers = true;
    return this.#signals.send(signal);
  }

  stream(value: object, kind: StreamKind): number {
    this.#checkPermitted(value);
    this.refers = true;
    const id = this.#streams.open(value, kind, this.maker);
    this.#begun.addStream(id);
    return id;
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

  /** The message being written is not sent; returns the failure of a step in it, where that is why. */
  undo(): StepFailure | undefined {
    const failure = this.#stepFailure;
    this.#stepFailure = undefined;
    this.take()?.undo();
    return failure;
  }
}

const elsewhere = "the step of a pipeline has no result yet; await it before sending it by another connection";
