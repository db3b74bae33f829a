/** The serving half of a session: what the peer's calls run on, and how they are answered. */

import { refusal } from "../errors/refusal.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { toError } from "../errors/to-error.ts";
import { bareOf } from "../references/contracts.ts";
import type { ExportEntry } from "../references/export-entry.ts";
import type { ExportTable } from "../references/export-table.ts";
import { streamOf } from "../streams/far-iterator.ts";
import type { Session } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { errorFlag } from "../wire/frames.ts";
import { maxNameBytes } from "../wire/names.ts";
import type { Outbox } from "../wire/outbox.ts";
import { Answers } from "./answers.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Callee } from "./callee.ts";
import type { Departures } from "./departures.ts";
import { auditEntry, type CallEnd, type Disclosure, toldOf } from "./disclosure.ts";
import { Dispatcher, isThenable } from "./dispatcher.ts";
import type { SessionEnvironment, SharedLimits } from "./environment.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { lookupOf, readLookup } from "./lookup.ts";
import { ReceivedMethodNames } from "./method-names.ts";
import { type Authorize, type AuthorizeCall, authorizeAll } from "./policy.ts";
import { ResultsAsArguments } from "./results-as-arguments.ts";
import type { Thrown } from "./wire-error.ts";

/** What a session offers its peer. */
export type OfferedFront =
  | { readonly kind: "none" }
  | { readonly kind: "shared"; readonly object: object }
  /** Made for this session and disposed with it. */
  | { readonly kind: "own"; readonly object: object }
  /** Made for each call and disposed after it. */
  | { readonly kind: "perCall"; make(session: Session): object | Promise<object> };

export interface ServingOptions {
  readonly environment: SessionEnvironment;
  readonly session: Session;
  readonly outbox: Outbox;
  readonly exports: ExportTable;
  readonly departures: Departures;
  readonly arrivals: Arrivals;
  readonly peerLimits: SharedLimits;
  readonly authorize: readonly Authorize[];
  readonly disclosure: Disclosure;
  /** Calls of ours that await the peer. */
  awaitedCalls(): number;
  /** More of the peer's calls run than before. */
  occupied(): void;
  /** An answer was written. */
  answered(): void;
}

export class Serving {
  readonly #options: ServingOptions;
  readonly #answers: Answers;
  readonly #dispatcher: Dispatcher;
  readonly #results: ResultsAsArguments;
  readonly #methodNames = new ReceivedMethodNames();
  #front: OfferedFront = { kind: "none" };
  #isOver = false;

  constructor(options: ServingOptions) {
    const { environment, outbox, departures, peerLimits } = options;
    this.#options = options;
    this.#answers = new Answers(environment.codec, outbox, departures, peerLimits);
    this.#results = new ResultsAsArguments(environment.codec, environment.limits, options.exports);
    this.#dispatcher = new Dispatcher(environment.limits, {
      session: options.session,
      clock: environment.clock,
      methodNames: this.#methodNames,
      passes: environment.passes,
      callTimeoutMs: environment.callTimeoutMs,
      backlog: () => backlogOf(outbox.blockedBytes, environment.limits.maxSendBufferBytes),
      awaitedCalls: () => options.awaitedCalls(),
      target: (id) => this.#target(id),
      resultTarget: (result) => this.#resultTarget(result),
      resultsIn: (call) => this.#resultsIn(call),
      callee: (call, entry) => this.#callee(call, entry),
      decode: (call) => this.#decode(call),
      authorize: (call, object, args, scope) => this.#authorize(call, object, args, scope),
      answer: (call, value) => this.#answer(call, value),
      answerThrown: (call, thrown) => this.#answerThrown(call, thrown),
      refuse: (call, error) => this.#refuse(call, error),
      finished: (call) => this.#finished(call),
      occupied: () => options.occupied(),
      onError: (error) => environment.onError(error, options.session),
    });
  }

  /** Calls that run, and calls that ever came. */
  get counts(): { readonly running: number; readonly received: number } {
    return { running: this.#dispatcher.runningCount, received: this.#dispatcher.count };
  }

  /** @throws RpcError `unsupported-value` for a front that can't be offered */
  offer(front: OfferedFront): void {
    this.#front = front;
    if (front.kind === "own") this.#options.environment.held.keep(front.object);
    if (this.#isOver) this.#disposeOwnFront();
    else if (front.kind === "perCall") this.#options.exports.offerFront({});
    else if (front.kind !== "none") this.#options.exports.offerFront(front.object);
  }

  call(reader: ByteReader): void {
    this.#dispatcher.receive(reader);
  }

  callBegun(reader: ByteReader): void {
    this.#dispatcher.begun(reader);
  }

  cancel(reader: ByteReader): void {
    this.#dispatcher.cancel(reader.varint());
  }

  methodName(reader: ByteReader): void {
    this.#methodNames.add(reader.text(maxNameBytes));
  }

  lookup(reader: ByteReader): void {
    const { header, name } = readLookup(reader);
    this.#dispatcher.lookUp(header, () => lookupOf(name, this.#options.environment.published));
  }

  /** Answers a call of a kind that this version does not know. */
  refuseUnknown(reader: ByteReader, error: RpcError): void {
    this.#answers.refusal(reader.varint(), error, errorFlag.argumentsUntouched);
  }

  /** Begins what became possible to begin. */
  pump(): void {
    this.#dispatcher.pump();
  }

  /** Takes no new calls from outside; calls back when the last one is answered. */
  drain(whenIdle: () => void): void {
    this.#dispatcher.drain(whenIdle);
  }

  /** It takes no new calls, and none runs. */
  get isDrained(): boolean {
    return this.#dispatcher.isDrained;
  }

  /** The session is over: nothing is answered any more. */
  close(reason: RpcError): void {
    this.#isOver = true;
    this.#dispatcher.close(reason);
    this.#disposeOwnFront();
  }

  #disposeOwnFront(): void {
    if (this.#front.kind === "own") this.#dispose(this.#front.object);
  }

  #target(id: number): ExportEntry {
    const entry = this.#options.exports.get(id);
    if (!entry) throw refusal("stale-reference", `object #${id} is not held here`, "not-executed");
    this.#options.exports.beginCall(entry);
    return entry;
  }

  #resultTarget(result: unknown): ExportEntry {
    const { exports } = this.#options;
    const entry = exports.entryOf(result);
    if (!entry) exports.checkNotRevoked(result);
    if (!entry) throw refusal("not-exposed", "the result it is on is no remote object", "not-executed");
    exports.beginCall(entry);
    return entry;
  }

  #resultsIn(call: IncomingCall): readonly number[] {
    const { codec, limits } = this.#options.environment;
    const { bytes, start, end } = call.body as NonNullable<IncomingCall["body"]>;
    const { references } = codec.decodeList(bytes, start, end, limits);
    return references.flatMap(({ kind, id }) => (kind === "result" ? [id] : []));
  }

  #callee(call: IncomingCall, entry: ExportEntry): Callee | PromiseLike<Callee> {
    const front = this.#front;
    if (entry.id !== 0 || front.kind !== "perCall") return entry;
    const made = front.make(this.#options.session);
    return isThenable(made) ? made.then((object) => this.#adopt(call, object)) : this.#adopt(call, made);
  }

  /** What `perCall` made is disposed with its call. */
  #adopt(call: IncomingCall, object: object): Callee {
    if (call.isFinished) {
      this.#dispose(object);
      throw refusal("closed", "the session ended before the call could begin", "not-executed");
    }
    call.madeFront = object;
    this.#options.environment.held.keep(object);
    const table = this.#options.environment.methods.of(object);
    return { object, self: object, method: (name) => table.get(name) };
  }

  #decode(call: IncomingCall): unknown[] {
    const { codec, limits } = this.#options.environment;
    const { bytes, start, end } = call.body as NonNullable<IncomingCall["body"]>;
    const decoded = codec.decodeList(bytes, start, end, limits);
    call.ownsArguments = true;
    call.body = undefined;
    if (decoded.references.length === 0) return this.#options.arrivals.hydrate(decoded);
    const references: unknown[] = [];
    call.references = references;
    return this.#options.arrivals.hydrate(decoded, references, (callId, arrived) =>
      this.#results.argument(call.argumentResults, callId, arrived),
    );
  }

  #authorize(
    call: IncomingCall,
    target: object,
    args: readonly unknown[],
    scope: string | undefined,
  ): undefined | Promise<void> {
    const { authorize } = this.#options;
    if (authorize.length === 0) return undefined;
    const { method, principal, session } = call;
    const asked: AuthorizeCall = { method, target, args, principal, scope, session };
    return authorizeAll(authorize, asked);
  }

  #answer(call: IncomingCall, value: unknown): void {
    if (this.#isOver) return;
    const refused = this.#answers.result(call.id, call.isOneway ? undefined : value, call);
    if (!refused) this.#dispatcher.keep(call, bareOf(value), this.#answers.lastBytes);
    const code = refused?.code;
    this.#answered(call, { permitted: true, threw: false, code });
  }

  #answerThrown(call: IncomingCall, thrown: unknown): void {
    if (this.#isOver) {
      this.#audit(call, { permitted: true, threw: true, code: "closed" });
      return;
    }
    const { disclosure, environment, session } = this.#options;
    const by = call.entry?.isRelay ? "relay" : "program";
    const told = toldOf(thrown, by, disclosure, environment.codec, (error) => environment.onError(error, session));
    if (told instanceof RpcError) this.#refuse(call, told);
    else this.#answerTold(call, told);
  }

  #answerTold(call: IncomingCall, told: Thrown): void {
    this.#answers.thrown(call.id, told);
    this.#answered(call, { permitted: true, threw: true, code: undefined });
  }

  #refuse(call: IncomingCall, error: RpcError): void {
    const end = { permitted: call.hasBegun && error.outcome !== "not-executed", threw: false, code: error.code };
    if (this.#isOver) {
      this.#audit(call, end);
      return;
    }
    if (error.outcome === "not-executed") abandonStreams(call.references);
    this.#answers.refusal(call.id, error, refusalFlags(call));
    this.#answered(call, end);
  }

  #answered(call: IncomingCall, end: CallEnd): void {
    this.#audit(call, end);
    this.#options.answered();
  }

  /** Each call once. An audit that throws is reported, and changes nothing. */
  #audit(call: IncomingCall, end: CallEnd): void {
    const { environment, session, disclosure } = this.#options;
    if (!disclosure.audit || call.isAudited) return;
    call.isAudited = true;
    try {
      disclosure.audit(auditEntry(call, session, end, environment.clock.now()));
    } catch (error) {
      environment.onError(toError(error), session);
    }
  }

  /** What was not answered until now never will be: the session is over. */
  #finished(call: IncomingCall): void {
    this.#audit(call, { permitted: call.hasBegun, threw: false, code: "closed" });
    call.whenStreamsEnd(() => {
      if (call.entry) this.#options.exports.endCall(call.entry);
      if (call.madeFront) this.#dispose(call.madeFront);
    });
  }

  #dispose(front: object): void {
    this.#options.environment.held.disposeFront(front);
  }
}

/** With so many bytes unread nothing new is begun; a small limit leaves less. */
const backlogBytesToWaitFor = 1024 * 1024;

/** Results wait at half the limit: the other half is for what can't wait. */
function backlogOf(bytes: number, maxBytes: number): "none" | "some" | "full" {
  if (bytes > maxBytes / 2) return "full";
  return bytes > Math.min(backlogBytesToWaitFor, maxBytes / 4) ? "some" : "none";
}

function refusalFlags(call: IncomingCall): number {
  return (call.ownsArguments ? 0 : errorFlag.argumentsUntouched) | (call.isStepBroken ? errorFlag.brokenStep : 0);
}

/** Streams that came as arguments of a call that will not run: nobody has them. */
function abandonStreams(arrived: readonly unknown[]): void {
  for (const value of arrived) streamOf(value as object)?.abandon();
}
