/** One conversation between two endpoints: a list of verbs over the parts it has. Both sides are the same. */
import type { PeerAddress } from "../channel/channel.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { type ExportEntry, ExportTable } from "../references/export-table.ts";
import type { FarReference, ReferenceOwner } from "../references/far-reference.ts";
import { disposeGuarded } from "../references/held-objects.ts";
import { ImportTable } from "../references/import-table.ts";
import { stubOf } from "../references/stub.ts";
import type { Remote } from "../types/remote.ts";
import type { CallOptions, CloseReason, Connection, Principal, Session, SessionStats } from "../types/session.ts";
import type { Decoded } from "../values/codec.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { beginsWithCallId, errorFlag, frame, kindOf, optional } from "../wire/frames.ts";
import type { Link, LinkHandler } from "../wire/link.ts";
import { Answers } from "./answers.ts";
import { Arrivals } from "./arrivals.ts";
import { type Callee, Dispatcher } from "./dispatcher.ts";
import type { Agreement, SessionEnvironment } from "./environment.ts";
import { closeCodeFrom, closeReasonOf, errorCodeOf, readGoodbye, sendGoodbye } from "./goodbye.ts";
import { Heartbeat } from "./heartbeat.ts";
import { IncomingCall, readCallHeader } from "./incoming-call.ts";
import { ReceivedMethodNames } from "./method-names.ts";
import { OutgoingCalls } from "./outgoing-calls.ts";
import type { PendingCall } from "./pending-call.ts";
import { type Authorize, authorizeAll } from "./policy.ts";
import { Releases } from "./releases.ts";
import { SessionConnection } from "./session-connection.ts";
import { refusalFrom, thrownFrom } from "./wire-error.ts";

/** What a session offers its peer. */
export type OfferedFront =
  | { readonly kind: "none" }
  | { readonly kind: "shared"; readonly object: object }
  /** Made for this session and disposed with it. */
  | { readonly kind: "own"; readonly object: object }
  /** Made for each call and disposed after it. */
  | { readonly kind: "perCall"; make(session: Session): object | Promise<object> };

export interface SessionOptions {
  readonly environment: SessionEnvironment;
  readonly agreement: Agreement;
  readonly link: Link;
  /** The peer's address as people know it. */
  readonly address: string;
  readonly principal: Principal | undefined;
  readonly authorize: readonly Authorize[];
}

/** A change of state; with the reason once closed. */
export type StateListener = (state: Session["state"], reason?: CloseReason) => void;

export class LiveSession implements Session, ReferenceOwner {
  readonly id: string;
  readonly address: string;
  readonly closed: Promise<CloseReason>;
  /** Settles when the channel is gone too. */
  readonly gone: Promise<void>;
  readonly connection: Connection = new SessionConnection(this);
  readonly #options: SessionOptions;
  readonly #environment: SessionEnvironment;
  readonly #link: Link;
  readonly #exports: ExportTable;
  readonly #imports: ImportTable;
  readonly #releases: Releases;
  readonly #arrivals: Arrivals;
  readonly #answers: Answers;
  readonly #outgoing: OutgoingCalls;
  readonly #dispatcher: Dispatcher;
  #heartbeat: Heartbeat | undefined;
  readonly #methodNames = new ReceivedMethodNames();
  readonly #stateListeners = new Set<StateListener>();
  #front: OfferedFront = { kind: "none" };
  #state: "open" | "draining" | "closed" = "open";
  #reason: CloseReason | undefined;
  #tellClosed!: (reason: CloseReason) => void;
  #tellGone!: () => void;

  constructor(options: SessionOptions) {
    const { environment, agreement, link } = options;
    const { clock, codec, limits } = environment;
    this.#options = options;
    this.#environment = environment;
    this.#link = link;
    this.id = agreement.sessionId;
    this.address = options.address;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
    this.#exports = new ExportTable({
      maxExports: Math.min(limits.maxExports, agreement.peerLimits.maxImports),
      methods: environment.methods,
      held: environment.held,
      isPinned: (object) => environment.isPinned(object),
      isOurImport: (reference) => reference.owner === this,
    });
    this.#outgoing = new OutgoingCalls({
      environment,
      agreement,
      outbox: link.outbox,
      exports: this.#exports,
      runningForPeer: () => this.#dispatcher.runningCount,
      awaiting: () => this.#dispatcher.pump(),
      unheard: (error) => environment.onError(error, this),
    });
    this.#releases = new Releases(clock, link.outbox, (task) => this.#outgoing.afterHeld(task));
    this.#imports = new ImportTable({
      owner: this,
      front: agreement.peerFront ?? { kind: "object", name: "" },
      maxImports: limits.maxImports,
      maxPeerExports: agreement.peerLimits.maxExports,
      release: (id, count) => this.#releases.add(id, count),
      collectGarbage: () => environment.collectGarbage(),
    });
    this.#arrivals = new Arrivals(codec, this.#exports, this.#imports, this.#releases);
    this.#answers = new Answers(codec, link.outbox, this.#exports, agreement.peerLimits);
    this.#dispatcher = this.#createDispatcher();
  }

  /** Offers the front. @throws RpcError `unsupported-value` */
  offer(front: OfferedFront): void {
    if (front.kind === "perCall") this.#exports.offerFront({});
    else if (front.kind !== "none") this.#exports.offerFront(front.object);
    this.#front = front;
  }

  /** Both sides are content: takes over from the handshake. */
  begin(): void {
    this.#link.establish(this.#options.agreement.peerLimits.maxMessageBytes);
    this.#link.handler = this.#handler;
    this.#heartbeat = this.#createHeartbeat();
    this.#outgoing.begin();
  }

  get principal(): Principal | undefined {
    return this.#options.principal;
  }

  get peer(): PeerAddress {
    return this.#link.peer;
  }

  get state(): Session["state"] {
    return this.#state;
  }

  front<T>(): Remote<T> {
    return stubOf(this.#imports.front) as Remote<T>;
  }

  /** The front of a peer that has one. @throws RpcError `not-found` */
  root(): object {
    if (this.#options.agreement.peerFront !== null) return stubOf(this.#imports.front);
    throw new RpcError("not-found", `${this.address} offers no front: connect to one of its names (#name)`, "not-sent");
  }

  stats(): SessionStats {
    return {
      exports: this.#exports.size,
      imports: this.#imports.size,
      pendingCalls: this.#outgoing.pendingCount,
      runningCalls: this.#dispatcher.runningCount,
      openStreams: 0,
      bytesIn: this.#link.bytesIn,
      bytesOut: this.#link.outbox.bytesOut,
      callsIn: this.#dispatcher.count,
      callsOut: this.#outgoing.count,
    };
  }

  invoke(
    reference: FarReference,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
  ): Promise<unknown> {
    if (!reference.isReleased && !this.#reason && (reference.id !== 0 || this.#options.agreement.peerFront !== null)) {
      return this.#outgoing.call(reference, method, args, options);
    }
    return this.#outgoing.refuse(reference, method, (call) => this.#refusalOf(call, reference));
  }

  /** The object the peer has published as `name`. */
  lookup(name: string): Promise<unknown> {
    const target = this.#imports.front;
    if (!this.#reason) return this.#outgoing.lookup(target, name);
    return this.#outgoing.refuse(target, `lookup of ${name}`, (call) => this.#ended(call, false));
  }

  release(reference: FarReference): void {
    this.#imports.release(reference);
  }

  /** Calls `listener` at each change of state. Returns a function that stops it. */
  onState(listener: StateListener): () => void {
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  }

  close(reason = "closed"): void {
    this.#end({ code: "closed", message: reason, by: "us" });
  }

  /** Finishes what runs, refuses what is new, then ends. */
  drain(): void {
    if (this.#state !== "open") return;
    this.#setState("draining");
    this.#send(frame.draining | optional);
    this.#dispatcher.drain(() => {
      this.#link.outbox.afterBegun(() => this.#end({ code: "drained", message: "drained", by: "us" }));
    });
  }

  ref(): void {
    this.#link.ref();
  }

  unref(): void {
    this.#link.unref();
  }

  // ---- what comes from the link --------------------------------------------------------------------------------

  readonly #handler: LinkHandler = {
    message: (code, reader) => this.#message(code, reader),
    begun: (code, reader) => {
      if (kindOf(code) === frame.call) this.#dispatcher.begun(reader);
    },
    advanced: () => this.#outgoing.pump(),
    failed: (error) => this.#fail(error),
    closed: (error) => this.#lost(error),
  };

  #message(code: number, reader: ByteReader): void {
    switch (kindOf(code)) {
      case frame.call:
        this.#dispatcher.receive(reader);
        break;
      case frame.result:
        this.#result(reader);
        break;
      case frame.error:
        this.#error(reader);
        break;
      case frame.cancel:
        this.#dispatcher.cancel(reader.varint());
        break;
      case frame.lookup:
        this.#lookedUp(reader);
        break;
      case frame.method:
        this.#methodNames.add(reader.text(maxNameBytes));
        break;
      case frame.release:
        this.#released(reader);
        break;
      case frame.ping:
        this.#send(frame.pong);
        break;
      case frame.pong:
      case frame.void:
        break;
      case frame.draining:
        if (this.#state === "open") this.#setState("draining");
        break;
      case frame.goodbye:
        this.#goodbye(reader);
        break;
      case frame.unimplemented:
        this.#environment.onError(unimplemented(reader.u8(), "by the peer"), this);
        break;
      default:
        this.#unknown(code, reader);
        break;
    }
  }

  #result(reader: ByteReader): void {
    const call = this.#taken(reader.varint());
    const decoded = this.#decodeAnswer(call, reader);
    if (!decoded) return;
    if (call.isSettled) this.#arrivals.giveBack(decoded.references);
    else this.#settle(call, () => this.#outgoing.resolve(call, this.#arrivals.hydrate(decoded)));
    this.#outgoing.pump();
  }

  #error(reader: ByteReader): void {
    const call = this.#taken(reader.varint());
    const flags = reader.u8();
    if (flags & errorFlag.argumentsUntouched) this.#exports.undo(call.exported);
    const { bytes, position, end } = reader;
    this.#settle(call, () => {
      const decoded = this.#environment.codec.decodeList(bytes, position, end, this.#environment.limits);
      if (call.isSettled) {
        this.#arrivals.giveBack(decoded.references);
        return;
      }
      const parts = this.#arrivals.hydrate(decoded);
      this.#outgoing.reject(call, flags & errorFlag.thrown ? thrownFrom(parts) : refusalFrom(parts, call.describe()));
    });
    this.#outgoing.pump();
  }

  #taken(id: number): PendingCall {
    const call = this.#outgoing.take(id);
    if (!call) throw new RpcError("protocol", `an answer to call ${id}, which awaits none`, "unknown");
    return call;
  }

  /** A result that can't be read fails its own call. */
  #decodeAnswer(call: PendingCall, { bytes, position, end }: ByteReader): Decoded | undefined {
    try {
      return this.#environment.codec.decode(bytes, position, end, this.#environment.limits);
    } catch (error) {
      this.#outgoing.reject(call, unreadable(call, error));
      return undefined;
    }
  }

  #settle(call: PendingCall, task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#outgoing.reject(call, unreadable(call, error));
    }
  }

  #released(reader: ByteReader): void {
    while (reader.remaining > 0) this.#exports.release(reader.varint(), reader.varint());
  }

  #lookedUp(reader: ByteReader): void {
    const callId = reader.varint();
    const name = reader.text(maxNameBytes);
    const object = this.#environment.published(name);
    if (object) this.#answers.result(callId, object);
    else this.#answers.refusal(callId, new RpcError("not-found", "nothing is published so", "not-executed"), true);
  }

  /** A frame of a later version: skipped where that is allowed, else answered. */
  #unknown(code: number, reader: ByteReader): void {
    if (code & optional) return;
    const kind = kindOf(code);
    if (beginsWithCallId(kind)) {
      this.#answers.refusal(reader.varint(), unimplemented(kind, "here"), true);
      return;
    }
    this.#link.outbox.begin(frame.unimplemented | optional).u8(kind);
    this.#link.outbox.end("control");
  }

  #goodbye(reader: ByteReader): void {
    const { code, message } = readGoodbye(reader);
    this.#end({ code: closeCodeFrom(code), message, by: "peer" });
  }

  #lost(error: Error | undefined): void {
    const message = `the connection was lost${error ? `: ${error.message}` : ""}`;
    const cause = new RpcError("closed", message, "unknown", error && { cause: error });
    this.#end({ code: "lost", message, by: "network", error: cause });
    this.#tellGone();
  }

  // ---- how it ends ---------------------------------------------------------------------------------------------

  #fail(error: RpcError): void {
    this.#end(closeReasonOf(error, error.code === "timeout" ? "network" : "us"));
  }

  /** The one place where a session ends: everything it holds goes, everybody who waits is told. */
  #end(reason: CloseReason): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#heartbeat?.stop();
    this.#outgoing.failAll((call, hasLeft) => this.#ended(call, hasLeft));
    if (reason.by === "us" && reason.code !== "timeout") sendGoodbye(this.#link.outbox, reason.code, reason.message);
    this.#releases.close();
    this.#closeLink(reason);
    this.#dispatcher.close(new RpcError("closed", reason.message, "unknown", { cause: reason.error }));
    this.#exports.clear();
    this.#imports.clear();
    const front = this.#front;
    if (front.kind === "own") disposeGuarded(front.object, (error) => this.#environment.onError(error, this));
    this.#setState("closed");
    this.#tellClosed(reason);
  }

  #closeLink(reason: CloseReason): void {
    if (reason.by === "network") {
      this.#link.destroy(reason.error);
      return;
    }
    this.#link.end();
    // A peer that never closes its side must not keep ours open.
    const timer = this.#environment.clock.setTimer(lingerMs, () => this.#link.kill());
    void this.gone.then(() => timer.cancel());
  }

  #setState(state: "draining" | "closed"): void {
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state, this.#reason);
    if (state === "closed") this.#stateListeners.clear();
  }

  /** Why a call on this reference is refused before it is made. */
  #refusalOf(call: PendingCall, reference: FarReference): RpcError {
    if (reference.isReleased) return call.error("stale-reference", "the reference was released", "not-sent");
    if (this.#reason) return this.#ended(call, false);
    return call.error("not-found", "the peer offers no front", "not-sent");
  }

  #ended(call: PendingCall, hasLeft: boolean): RpcError {
    const { code, message, error } = this.#reason as CloseReason;
    const elapsedMs = Math.round(this.#environment.clock.now() - call.madeAt);
    const what = hasLeft ? `${message} (${elapsedMs} ms after the call)` : message;
    return call.error(errorCodeOf(code), what, hasLeft ? "unknown" : "not-sent", error);
  }

  #send(code: number): void {
    if (this.#reason) return;
    this.#link.outbox.begin(code);
    this.#link.outbox.end("control");
  }

  // ---- the peer's calls ----------------------------------------------------------------------------------------

  #createDispatcher(): Dispatcher {
    const { environment, authorize } = this.#options;
    return new Dispatcher({
      ...environment.limits,
      awaitedCalls: () => this.#outgoing.awaitedCount,
      readHeader: (reader) => readCallHeader(reader, this.#methodNames),
      newCall: (header) => new IncomingCall(header, this, environment.clock),
      target: (id) => this.#target(id),
      callee: (call, entry) => this.#callee(call, entry),
      decode: (call) => this.#decodeArguments(call),
      authorize: (call, object, args) =>
        authorize.length === 0 ? undefined : authorizeAll(authorize, authorizeCall(call, object, args)),
      answer: (call, value) => this.#answer(() => this.#answers.result(call.id, value)),
      answerThrown: (call, thrown) => this.#answer(() => this.#answers.thrown(call.id, thrown)),
      refuse: (call, error) => this.#answer(() => this.#answers.refusal(call.id, error, !call.ownsArguments)),
      finished: (call) => this.#finished(call),
      occupied: () => this.#outgoing.pump(),
      onError: (error) => environment.onError(error, this),
    });
  }

  #createHeartbeat(): Heartbeat {
    return new Heartbeat({
      clock: this.#environment.clock,
      intervalMs: this.#options.agreement.heartbeatMs,
      lastReadAt: () => this.#link.lastReadAt,
      ping: () => this.#send(frame.ping),
      dead: (silentMs) =>
        this.#fail(new RpcError("timeout", `no sign of life for ${Math.round(silentMs)} ms`, "unknown")),
    });
  }

  #target(id: number): ExportEntry {
    const entry = this.#exports.get(id);
    if (!entry) throw new RpcError("stale-reference", `object #${id} is not held here`, "not-executed");
    this.#exports.beginCall(entry);
    return entry;
  }

  #callee(call: IncomingCall, entry: ExportEntry): Callee | Promise<Callee> {
    const front = this.#front;
    if (entry.id !== 0 || front.kind !== "perCall") return entry;
    const made = front.make(this);
    return made instanceof Promise ? made.then((object) => this.#adopt(call, object)) : this.#adopt(call, made);
  }

  /** What `perCall` made is disposed with its call. */
  #adopt(call: IncomingCall, object: object): Callee {
    call.madeFront = object;
    const table = this.#environment.methods.of(object);
    return { object, self: object, method: (name) => table.get(name) };
  }

  #decodeArguments(call: IncomingCall): unknown[] {
    const { bytes, start, end } = call.body as NonNullable<IncomingCall["body"]>;
    const decoded = this.#environment.codec.decodeList(bytes, start, end, this.#environment.limits);
    call.ownsArguments = true;
    return this.#arrivals.hydrate(decoded);
  }

  #answer(write: () => void): void {
    if (this.#reason) return;
    write();
    const { maxSendBufferBytes } = this.#environment.limits;
    const backlogBytes = this.#link.outbox.replyBacklogBytes;
    if (backlogBytes <= maxSendBufferBytes) return;
    const detail = `the peer leaves ${backlogBytes} bytes of answers unread (limits.maxSendBufferBytes)`;
    this.#fail(new RpcError("limit-exceeded", detail, "unknown"));
  }

  #finished(call: IncomingCall): void {
    if (call.entry) this.#exports.endCall(call.entry);
    if (call.madeFront) disposeGuarded(call.madeFront, (error) => this.#environment.onError(error, this));
  }
}

const maxNameBytes = 256;
/** Time for the peer to close its side of an orderly end. */
const lingerMs = 1_000;

function authorizeCall(call: IncomingCall, target: object, args: readonly unknown[]) {
  const { method, principal, session } = call;
  return { method, target, args, principal, session };
}

function unimplemented(kind: number, where: string): RpcError {
  return new RpcError("unimplemented", `frames of kind ${kind} are not known ${where}`, "not-executed");
}

/** The answer came, so the method ran; what it said can't be read. */
function unreadable(call: PendingCall, error: unknown): RpcError {
  const { code, detail } = error instanceof RpcError ? error : new RpcError("internal", String(error), "executed");
  return call.error(code, `the answer can't be read: ${detail}`, "executed", error);
}
