/** One conversation between two endpoints: a list of verbs over the parts it has. Both sides are the same. */

import type { PeerAddress } from "../channel/channel.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { toError } from "../errors/to-error.ts";
import type { CallerContract } from "../references/contracts.ts";
import { ExportTable } from "../references/export-table.ts";
import { FarReference, type PipelinedCall, type ReferenceOwner } from "../references/far-reference.ts";
import { ImportTable } from "../references/import-table.ts";
import type { DownListener } from "../references/monitors.ts";
import { Offers } from "../references/offers.ts";
import { stubOf } from "../references/stub-proxy.ts";
import type { Remote } from "../types/remote.ts";
import type { CallOptions, CloseReason, Connection, Down, Principal, Session, SessionStats } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame, optional } from "../wire/frames.ts";
import type { Link, LinkHandler } from "../wire/link.ts";
import { Arrivals } from "./arrivals.ts";
import { relayedOptions } from "./current-call.ts";
import { Departures } from "./departures.ts";
import type { Disclosure } from "./disclosure.ts";
import { Downs } from "./downs.ts";
import type { Agreement, SessionEnvironment } from "./environment.ts";
import { closeCodeFrom, closeReasonOf, downOf, errorCodeOf, lingerMs, readGoodbye, sendGoodbye } from "./goodbye.ts";
import { Heartbeat } from "./heartbeat.ts";
import { HeldCalls } from "./held-calls.ts";
import { IncomingFrames } from "./incoming-frames.ts";
import { OutgoingCalls } from "./outgoing-calls.ts";
import type { PendingCall } from "./pending-call.ts";
import { PipelineStep, type StepHost } from "./pipeline-step.ts";
import type { Authorize } from "./policy.ts";
import { Releases } from "./releases.ts";
import { type OfferedFront, Serving } from "./serving.ts";
import { SessionConnection } from "./session-connection.ts";
import { SessionSignals } from "./session-signals.ts";
import { SessionStreams } from "./session-streams.ts";
import { Settlement } from "./settlement.ts";

export interface SessionOptions {
  readonly environment: SessionEnvironment;
  readonly agreement: Agreement;
  readonly link: Link;
  /** The peer's address as people know it. */
  readonly address: string;
  readonly principal: Principal | undefined;
  readonly authorize: readonly Authorize[];
  readonly disclosure: Disclosure;
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
  readonly #downs: Downs;
  readonly #streams: SessionStreams;
  readonly #signals: SessionSignals;
  readonly #outgoing: OutgoingCalls;
  readonly #serving: Serving;
  readonly #steps: StepHost;
  readonly #frames: IncomingFrames;
  #heartbeat: Heartbeat | undefined;
  readonly #stateListeners = new Set<StateListener>();
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
      offers: new Offers(environment.methods, relayedOptions),
      held: environment.held,
      isPinned: (object) => environment.isPinned(object),
      isOurImport: (reference) => reference.owner === this,
      tellDown: (id, down) => this.#downs.add(id, down),
    });
    this.#streams = new SessionStreams({
      environment,
      session: this,
      address: options.address,
      outbox: link.outbox,
      peerLimits: agreement.peerLimits,
      disclosure: options.disclosure,
      ended: () => this.#endIfDrained(),
    });
    const held = new HeldCalls();
    this.#signals = new SessionSignals({
      environment,
      outbox: link.outbox,
      peerLimits: agreement.peerLimits,
      held,
    });
    const departures = new Departures(this.#exports, this, this.#streams.outgoing, this.#signals);
    this.#outgoing = new OutgoingCalls({
      environment,
      agreement,
      outbox: link.outbox,
      departures,
      held,
      runningForPeer: () => this.#serving.counts.running,
      awaiting: () => this.#serving.pump(),
      unheard: (error) => environment.onError(error, this),
    });
    this.#releases = new Releases(clock, link.outbox, held);
    this.#downs = new Downs({ clock, outbox: link.outbox, held });
    this.#imports = new ImportTable({
      owner: this,
      clock,
      collections: environment.collections,
      front: agreement.peerFront ?? { kind: "object", name: "" },
      maxImports: limits.maxImports,
      maxPeerExports: agreement.peerLimits.maxExports,
      release: (id, count) => this.#releases.add(id, count),
      collectGarbage: () => environment.collectGarbage(),
      onError: (error) => environment.onError(error, this),
    });
    const arrivals = new Arrivals({
      codec,
      exports: this.#exports,
      imports: this.#imports,
      releases: this.#releases,
      streams: this.#streams.incoming,
      signals: this.#signals,
    });
    this.#streams.join(departures, arrivals);
    this.#signals.join(departures, arrivals);
    this.#steps = this.#hostSteps(arrivals);
    this.#serving = new Serving({
      environment,
      session: this,
      outbox: link.outbox,
      exports: this.#exports,
      departures,
      arrivals,
      peerLimits: agreement.peerLimits,
      authorize: options.authorize,
      disclosure: options.disclosure,
      awaitedCalls: () => this.#outgoing.awaitedCount,
      occupied: () => this.#outgoing.pump(),
      answered: () => this.#checkBacklog(),
    });
    this.#frames = this.#receiveFrames(new Settlement(environment, this.#outgoing, arrivals, this.#streams));
  }

  #hostSteps(arrivals: Arrivals): StepHost {
    return {
      owner: this,
      callOn: (target, method, args, options, contract) => this.pipeline(target, method, args, options, contract),
      refuse: (target, method, error) => {
        const step = this.#step(this.#outgoing.create(target, method, undefined));
        void this.#outgoing.refuse(step.call, error);
        return step;
      },
      hydrate: (call, decoded) => {
        if (this.#reason) throw this.#ended(call, true);
        return checkedResult(call, (references) => {
          const result = arrivals.hydrate(decoded, references);
          this.#streams.endWith(call, references);
          return result;
        });
      },
      giveBack: (decoded) => arrivals.giveBack(decoded.references),
      nextTurn: together((task) => this.#environment.clock.nextTurn(task)),
    };
  }

  #receiveFrames(settlement: Settlement): IncomingFrames {
    return new IncomingFrames({
      serving: this.#serving,
      settlement,
      exports: this.#exports,
      imports: this.#imports,
      streams: this.#streams,
      signals: this.#signals,
      peerReady: () => this.peerReady(),
      pinged: () => this.#send(frame.pong),
      peerDraining: () => {
        if (this.#state === "open") this.#setState("draining");
      },
      goodbye: (reader) => this.#goodbye(reader),
      notUnderstood: (error) => this.#environment.onError(error, this),
      answerUnknown: (kind) => {
        this.#link.outbox.begin(frame.unimplemented | optional).u8(kind);
        this.#link.outbox.end("control");
      },
    });
  }

  /** Offers the front. @throws RpcError `unsupported-value` */
  offer(front: OfferedFront): void {
    this.#serving.offer(front);
  }

  /** Takes over from the handshake. Calls of ours wait until the peer says that it is ready too. */
  begin(): void {
    this.#link.establish(this.#options.agreement.peerLimits.maxMessageBytes);
    this.#link.handler = this.#handler;
    this.#heartbeat = this.#createHeartbeat();
  }

  /** The peer takes calls from now on. */
  peerReady(): void {
    this.#downs.begin();
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
    const { running, received } = this.#serving.counts;
    return {
      exports: this.#exports.size,
      imports: this.#imports.size,
      pendingCalls: this.#outgoing.pending.size,
      runningCalls: running,
      openStreams: this.#streams.count,
      bytesIn: this.#link.bytesIn,
      bytesOut: this.#link.outbox.bytesOut,
      callsIn: received,
      callsOut: this.#outgoing.count,
    };
  }

  invoke(
    reference: FarReference,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    contract: CallerContract | undefined,
  ): Promise<unknown> {
    return this.#begin(this.#outgoing.create(reference, method, options), args, contract);
  }

  post(
    reference: FarReference,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    contract: CallerContract | undefined,
  ): Promise<void> {
    const call = this.#outgoing.create(reference, method, options);
    call.isOneway = true;
    return this.#begin(call, args, contract) as Promise<void>;
  }

  pipeline(
    target: FarReference | PipelineStep,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    contract: CallerContract | undefined,
  ): PipelinedCall {
    const step = this.#step(this.#outgoing.create(target, method, options));
    void this.#begin(step.call, args, contract);
    return step;
  }

  #step(call: PendingCall): PipelineStep {
    call.step = new PipelineStep(call, this.#steps);
    return call.step;
  }

  #begin(call: PendingCall, args: readonly unknown[], contract: CallerContract | undefined): Promise<unknown> {
    const refusal = this.#refusalOf(call);
    if (refusal) return this.#outgoing.refuse(call, refusal);
    return contract ? this.#outgoing.makeUnder(contract, call, args) : this.#outgoing.make(call, args);
  }

  /** The object the peer has published as `name`. */
  lookup(name: string): Promise<unknown> {
    const target = this.#imports.front;
    if (!this.#reason) return this.#outgoing.lookup(target, name);
    const call = this.#outgoing.create(target, `lookup of ${name}`, undefined);
    return this.#outgoing.refuse(call, this.#ended(call, false));
  }

  release(reference: FarReference): void {
    this.#imports.release(reference);
  }

  monitor(reference: FarReference, listener: DownListener): () => void {
    return this.#imports.monitor(reference, listener);
  }

  /** Calls `listener` at each change of state. Returns a function that stops it. */
  onState(listener: StateListener): () => void {
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  }

  close(reason = "closed"): void {
    this.#end({ code: "closed", message: `${reason}`, by: "us" });
  }

  /** Finishes what runs, refuses what is new, then ends. */
  drain(): void {
    if (this.#state !== "open") return;
    this.#setState("draining");
    this.#send(frame.draining | optional);
    this.#serving.drain(() => this.#endIfDrained());
  }

  #endIfDrained(): void {
    if (!this.#serving.isDrained || !this.#streams.isIdle) return;
    this.#link.outbox.afterBegun(() => this.#end({ code: "drained", message: "drained", by: "us" }));
  }

  ref(): void {
    this.#link.ref();
  }

  unref(): void {
    this.#link.unref();
  }

  // ---- what comes from the link --------------------------------------------------------------------------------

  readonly #handler: LinkHandler = {
    message: (code, reader) => {
      this.#frames.message(code, reader);
      this.#checkBacklog();
    },
    begun: (code, reader) => this.#frames.begun(code, reader),
    advanced: () => {
      this.#outgoing.pump();
      this.#streams.outgoing.goOn();
      this.#serving.pump();
    },
    failed: (error) => this.#fail(error),
    closed: (error) => this.#lost(error),
  };

  /** A peer that asks and does not read must not fill our memory. */
  #checkBacklog(): void {
    const { maxSendBufferBytes } = this.#environment.limits;
    const backlogBytes = this.#link.outbox.backlogBytes;
    if (backlogBytes <= maxSendBufferBytes) return;
    const detail = `the peer leaves ${backlogBytes} bytes of answers unread (limits.maxSendBufferBytes)`;
    this.#fail(new RpcError("limit-exceeded", detail, "unknown"));
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
    const { outbox } = this.#link;
    outbox.breakOff();
    this.#heartbeat?.stop();
    this.#outgoing.failAll((call, hasLeft) => this.#ended(call, hasLeft));
    if (reason.by === "us" && reason.code !== "timeout") sendGoodbye(outbox, reason.code, reason.message);
    this.#releases.close();
    this.#downs.close();
    this.#closeLink(reason);
    this.#serving.close(new RpcError("closed", reason.message, "unknown", { cause: reason.error }));
    this.#streams.close(this.#endOf(reason, "a stream"));
    this.#signals.close(this.#endOf(reason, "a signal"));
    this.#exports.clear();
    this.#imports.clear(downOf(reason));
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
    for (const listener of [...this.#stateListeners]) this.#tell(listener, state);
    if (state === "closed") this.#stateListeners.clear();
  }

  /** What a program's listener throws is the program's to hear, and changes nothing here. */
  #tell(listener: StateListener, state: Session["state"]): void {
    try {
      listener(state, this.#reason);
    } catch (error) {
      this.#environment.onError(toError(error), this);
    }
  }

  /** Why a call is refused before it is made. */
  #refusalOf(call: PendingCall): RpcError | undefined {
    const { target } = call;
    const isReference = target instanceof FarReference;
    if (isReference && target.down) return refusalAfter(target.down, call);
    if (this.#reason) return this.#ended(call, false);
    if (!isReference || target.id !== 0 || this.#options.agreement.peerFront !== null) return undefined;
    return call.error("not-found", "the peer offers no front", "not-sent");
  }

  #ended(call: PendingCall, hasLeft: boolean): RpcError {
    const { code, message, error } = this.#reason as CloseReason;
    const elapsedMs = Math.round(this.#environment.clock.now() - call.madeAt);
    const what = hasLeft ? `${message} (${elapsedMs} ms after the call)` : message;
    return call.error(errorCodeOf(code), what, hasLeft ? "unknown" : "not-sent", error);
  }

  #endOf({ code, message, error }: CloseReason, what: string): RpcError {
    return new RpcError(errorCodeOf(code), `${what} of ${this.address}: ${message}`, "unknown", { cause: error });
  }

  #send(code: number): void {
    if (this.#reason) return;
    this.#link.outbox.begin(code);
    this.#link.outbox.end("control");
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
}

/** Why a call on a reference that is gone is not made. */
function refusalAfter({ reason, error }: Down, call: PendingCall): RpcError {
  if (reason === "released") return call.error("stale-reference", "the reference was released", "not-sent");
  if (reason === "disposed") return call.error("stale-reference", "its owner has revoked it", "not-sent");
  return call.error("closed", "the connection that it was passed on by has ended", "not-sent", error);
}

/** Runs tasks of one turn together in the next: what they release goes back in one message. */
function together(nextTurn: (task: () => void) => void): (task: () => void) => void {
  let tasks: (() => void)[] = [];
  return (task) => {
    if (tasks.push(task) > 1) return;
    nextTurn(() => {
      const due = tasks;
      tasks = [];
      for (const run of due) run();
    });
  };
}

/** A result as the caller's contract leaves it, where there is one. */
function checkedResult({ check }: PendingCall, hydrate: (references: unknown[]) => unknown): unknown {
  const references: unknown[] = [];
  const result = hydrate(references);
  return check ? check.incoming(result, references) : result;
}
