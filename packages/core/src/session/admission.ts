/**
 * Which of the peer's calls are let in. A call is from its first fragment on: it has its target, so that a release behind
 * it is no harm, and its place among the others.
 */
import { refusal } from "../errors/refusal.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { ExportEntry } from "../references/export-entry.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { Session } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { maxNameBytes } from "../wire/names.ts";
import type { CallEnds } from "./call-ends.ts";
import type { CallQueue } from "./call-queue.ts";
import type { DependentCalls } from "./dependent-calls.ts";
import type { SessionEnvironment } from "./environment.ts";
import { type CallHeader, IncomingCall, readCallHeader } from "./incoming-call.ts";
import { lookupOf, readLookup } from "./lookup.ts";
import { ReceivedMethodNames } from "./method-names.ts";
import type { RunningCalls } from "./running-calls.ts";

/** An empty list. */
const noArguments = { bytes: Uint8Array.of(0x90), start: 0, end: 1 };

export interface AdmissionOptions {
  readonly environment: SessionEnvironment;
  readonly session: Session;
  readonly exports: ExportTable;
  readonly queue: CallQueue;
  readonly dependents: DependentCalls;
  readonly running: RunningCalls;
  readonly ends: CallEnds;
  /** Calls of ours that await the peer. */
  awaitedCalls(): number;
}

export class Admission {
  /** Calls received, for the statistics. */
  count = 0;
  readonly #options: AdmissionOptions;
  readonly #methodNames = new ReceivedMethodNames();
  /** Calls of which the rest is still to come. */
  readonly #incomplete = new Map<number, IncomingCall>();
  #lastId = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** A method's name, announced before its first use. @throws RpcError `protocol` */
  methodName(reader: ByteReader): void {
    this.#methodNames.add(reader.text(maxNameBytes));
  }

  /** A whole call frame. @throws RpcError `protocol` */
  call(reader: ByteReader): void {
    const header = readCallHeader(reader, this.#methodNames);
    const begun = this.#incomplete.get(header.id);
    if (!begun) this.count++;
    const call = begun ?? this.#newCall(header);
    const { bytes, position, end, attachments } = reader;
    call.body = { bytes, start: position, end, attachments };
    const wasIncomplete = this.#incomplete.delete(call.id);
    if (wasIncomplete || call.hasResultArguments) this.#prepare(call);
    if (call.isFinished) return;
    if (wasIncomplete) this.#options.queue.completed(call);
    else this.#admit(call);
    if (call.body) call.keepBody(call.body);
  }

  /** The first fragment of a call frame. @throws RpcError `protocol` */
  callBegun(reader: ByteReader): void {
    this.count++;
    const call = this.#newCall(readCallHeader(reader, this.#methodNames));
    this.#incomplete.set(call.id, call);
    this.#admit(call);
  }

  /** A lookup: it is on nothing that has a number. @throws RpcError `protocol` */
  lookup(reader: ByteReader): void {
    const { header, name } = readLookup(reader);
    const call = this.#newCall(header);
    call.find = () => lookupOf(name, this.#options.environment.published);
    call.body = noArguments;
    this.#admit(call);
  }

  /** Makes a result the target of a call. @throws RpcError `not-exposed` for one that is no object */
  aim(call: IncomingCall, result: unknown): void {
    const { exports } = this.#options;
    const entry = exports.entryOf(result);
    if (!entry) exports.checkNotRevoked(result);
    if (!entry) throw refusal("not-exposed", "the result it is on is no remote object", "not-executed");
    exports.beginCall(entry);
    call.entry = entry;
    call.targetId = entry.id;
  }

  /** A call of which the rest is still to come. */
  incomplete(id: number): IncomingCall | undefined {
    return this.#incomplete.get(id);
  }

  /** The session is over. Returns the calls whose rest will never come. */
  close(): IncomingCall[] {
    const incomplete = [...this.#incomplete.values()];
    this.#incomplete.clear();
    return incomplete;
  }

  #newCall(header: CallHeader): IncomingCall {
    if (header.id <= this.#lastId) {
      throw new RpcError("protocol", `call number ${header.id} after ${this.#lastId}`, "not-executed");
    }
    this.#lastId = header.id;
    const { environment, session } = this.#options;
    const call = new IncomingCall(header, session, environment.clock);
    if (environment.callTimeoutMs !== undefined) call.limitTime(environment.callTimeoutMs);
    return call;
  }

  /** The rest of the call has come: it may wait for its turn already, or for a result. */
  #prepare(call: IncomingCall): void {
    const { dependents, queue, ends } = this.#options;
    try {
      dependents.completed(call);
      if (call.hasResultArguments) dependents.noteArguments(call);
    } catch (error) {
      queue.remove(call.id);
      dependents.remove(call.id);
      ends.refuseFor(call, error);
    }
  }

  #admit(call: IncomingCall): void {
    const { dependents, queue, ends } = this.#options;
    try {
      if (call.keepsResult) dependents.keepResultOf(call);
      this.#check(call);
      if (call.isOnResult) dependents.admit(call);
    } catch (error) {
      ends.refuseFor(call, error);
      return;
    }
    if (!call.isOnResult) queue.enter(call);
  }

  #check(call: IncomingCall): void {
    const { running, environment, awaitedCalls } = this.#options;
    const { maxCallDepth } = environment.limits;
    if (call.depth > maxCallDepth) {
      const detail = `a call ${call.depth} deep, limits.maxCallDepth is ${maxCallDepth}`;
      throw refusal("limit-exceeded", detail, "not-executed");
    }
    // While we wait for the peer, it may be calling to answer us.
    const isPartOfAnother = call.depth > 0 || call.isOnResult || call.hasResultArguments;
    if (running.isDraining && !isPartOfAnother && awaitedCalls() === 0) {
      throw refusal("closed", "the service is draining and takes no new calls", "not-executed");
    }
    if (!call.isOnResult && !call.find) call.entry = this.#target(call.targetId);
  }

  #target(id: number): ExportEntry {
    const { exports } = this.#options;
    const entry = exports.get(id);
    if (!entry) throw refusal("stale-reference", `object #${id} is not held here`, "not-executed");
    exports.beginCall(entry);
    return entry;
  }
}
