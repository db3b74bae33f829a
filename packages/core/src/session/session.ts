/** One conversation between two endpoints: a list of verbs over the parts it has. Both sides are the same. */

import type { PeerAddress } from "../channel/channel.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { CallerContract } from "../references/contracts.ts";
import { FarReference, type PipelinedCall, type ReferenceOwner } from "../references/far-reference.ts";
import type { DownListener } from "../references/monitors.ts";
import { stubOf } from "../references/stub-proxy.ts";
import type { Remote } from "../types/remote.ts";
import type { CallOptions, CloseReason, Connection, Principal, Session, SessionStats } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame, optional } from "../wire/frames.ts";
import type { Link, LinkHandler } from "../wire/link.ts";
import type { SessionEnvironment } from "./environment.ts";
import { closeCodeFrom, lingerMs, readGoodbye, sendGoodbye } from "./goodbye.ts";
import { Heartbeat } from "./heartbeat.ts";
import { IncomingFrames } from "./incoming-frames.ts";
import type { OutgoingCalls } from "./outgoing-calls.ts";
import type { PendingCall } from "./pending-call.ts";
import type { PipelineStep } from "./pipeline-step.ts";
import { Pongs } from "./pongs.ts";
import type { OfferedFront, Serving } from "./serving.ts";
import { SessionConnection } from "./session-connection.ts";
import { closeReasonOf, refusalAfter, SessionEnd } from "./session-end.ts";
import { joinParts, type SessionOptions, type SessionParts } from "./session-parts.ts";
import { SessionState, type StateListener } from "./session-state.ts";
import type { SessionStreams } from "./session-streams.ts";

/** Frames of a few bytes each: no honest peer leaves so many of them unread. */
const maxSignalBytes = 4 * 1024 * 1024;

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
  readonly #parts: SessionParts;
  readonly #outgoing: OutgoingCalls;
  readonly #serving: Serving;
  readonly #streams: SessionStreams;
  readonly #frames: IncomingFrames;
  readonly #state: SessionState;
  #heartbeat: Heartbeat | undefined;

  constructor(options: SessionOptions) {
    const { environment, agreement, link } = options;
    this.#options = options;
    this.#environment = environment;
    this.#link = link;
    this.id = agreement.sessionId;
    this.address = options.address;
    this.#state = new SessionState((error) => environment.onError(error, this));
    this.closed = this.#state.closed;
    this.gone = this.#state.gone;
    this.#parts = joinParts(options, {
      session: this,
      callOn: (target, method, args, options, contract) => this.pipeline(target, method, args, options, contract),
      requireSession: (call) => this.#requireSession(call),
      answered: () => this.#checkBacklog(),
      streamEnded: () => this.#endIfDrained(),
    });
    this.#outgoing = this.#parts.outgoing;
    this.#serving = this.#parts.serving;
    this.#streams = this.#parts.streams;
    this.#frames = this.#receiveFrames();
  }

  #receiveFrames(): IncomingFrames {
    const pongs = new Pongs(this.#environment.clock, () => this.#send(frame.pong));
    return new IncomingFrames({
      ...this.#parts,
      peerReady: () => this.peerReady(),
      pinged: () => pongs.due(),
      pingAnswered: () => this.#link.outbox.answered(),
      peerDraining: () => void this.#state.drain(),
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
    this.#serving.front.offer(front);
  }

  /** Takes over from the handshake. Calls of ours wait until the peer says that it is ready too. */
  begin(): void {
    this.#link.establish(this.#options.agreement.peerLimits.maxMessageBytes);
    this.#link.handler = this.#handler;
    this.#heartbeat = this.#createHeartbeat();
  }

  /** The peer takes calls from now on. */
  peerReady(): void {
    this.#parts.downs.begin();
    this.#outgoing.begin();
  }

  get principal(): Principal | undefined {
    return this.#options.principal;
  }

  get peer(): PeerAddress {
    return this.#link.peer;
  }

  get state(): Session["state"] {
    return this.#state.now;
  }

  front<T>(): Remote<T> {
    return stubOf(this.#parts.imports.front) as Remote<T>;
  }

  /** The front of a peer that has one. @throws RpcError `not-found` */
  root(): object {
    if (this.#options.agreement.peerFront !== null) return stubOf(this.#parts.imports.front);
    throw new RpcError("not-found", `${this.address} offers no front: connect to one of its names (#name)`, "not-sent");
  }

  stats(): SessionStats {
    return {
      exports: this.#parts.exports.size,
      imports: this.#parts.imports.size,
      pendingCalls: this.#outgoing.pending.size,
      runningCalls: this.#serving.running.size,
      openStreams: this.#streams.count,
      bytesIn: this.#link.bytesIn,
      bytesOut: this.#link.outbox.bytesOut,
      callsIn: this.#serving.admission.count,
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
    const step = this.#parts.pipelines.step(this.#outgoing.create(target, method, options));
    void this.#begin(step.call, args, contract);
    return step;
  }

  #begin(call: PendingCall, args: readonly unknown[], contract: CallerContract | undefined): Promise<unknown> {
    const refusal = this.#refusalOf(call);
    if (refusal) return this.#outgoing.refuse(call, refusal);
    return contract ? this.#outgoing.makeUnder(contract, call, args) : this.#outgoing.make(call, args);
  }

  /** The object the peer has published as `name`. */
  lookup(name: string): Promise<unknown> {
    const target = this.#parts.imports.front;
    const { end } = this.#state;
    if (!end) return this.#outgoing.lookup(target, name);
    const call = this.#outgoing.create(target, `lookup of ${name}`, undefined);
    return this.#outgoing.refuse(call, end.ofCall(call, false));
  }

  release(reference: FarReference): void {
    this.#parts.imports.release(reference);
  }

  monitor(reference: FarReference, listener: DownListener): () => void {
    return this.#parts.imports.monitor(reference, listener);
  }

  /** Calls `listener` at each change of state. Returns a function that stops it. */
  onState(listener: StateListener): () => void {
    return this.#state.on(listener);
  }

  close(reason = "closed"): void {
    this.#end({ code: "closed", message: `${reason}`, by: "us" });
  }

  /** Finishes what runs, refuses what is new, then ends. */
  drain(): void {
    if (!this.#state.drain()) return;
    this.#send(frame.draining | optional);
    this.#serving.running.drain(() => this.#endIfDrained());
  }

  #endIfDrained(): void {
    if (!this.#serving.running.isDrained || !this.#streams.isIdle) return;
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
    const { overdueBytes, unsentSignalBytes } = this.#link.outbox;
    if (overdueBytes > maxSendBufferBytes) {
      this.#failUnread(`${overdueBytes} bytes of answers unread (limits.maxSendBufferBytes)`);
    } else if (unsentSignalBytes > maxSignalBytes) {
      this.#failUnread(`${unsentSignalBytes} bytes of pongs and the like unread`);
    }
  }

  #failUnread(what: string): void {
    this.#fail(new RpcError("limit-exceeded", `the peer leaves ${what}`, "unknown"));
  }

  #goodbye(reader: ByteReader): void {
    const { code, message } = readGoodbye(reader);
    this.#end({ code: closeCodeFrom(code), message, by: "peer" });
  }

  #lost(error: Error | undefined): void {
    const message = `the connection was lost${error ? `: ${error.message}` : ""}`;
    const cause = new RpcError("closed", message, "unknown", error && { cause: error });
    this.#end({ code: "lost", message, by: "network", error: cause });
    this.#state.channelGone();
  }

  // ---- how it ends ---------------------------------------------------------------------------------------------

  #fail(error: RpcError): void {
    this.#end(closeReasonOf(error, error.code === "timeout" ? "network" : "us"));
  }

  /** The one place where a session ends: everything it holds goes, everybody who waits is told. */
  #end(reason: CloseReason): void {
    if (this.#state.end) return;
    const end = new SessionEnd(reason, this.address, this.#environment.clock);
    this.#state.end = end;
    const { outbox } = this.#link;
    const { releases, downs, signals, exports, imports } = this.#parts;
    outbox.breakOff();
    this.#heartbeat?.stop();
    this.#outgoing.failAll((call, hasLeft) => end.ofCall(call, hasLeft));
    if (reason.by === "us" && reason.code !== "timeout") sendGoodbye(outbox, reason.code, reason.message);
    releases.close();
    downs.close();
    this.#closeLink(reason);
    this.#serving.close(new RpcError("closed", reason.message, "unknown", { cause: reason.error }));
    this.#streams.close(end.of("a stream"));
    signals.close(end.of("a signal"));
    exports.clear();
    imports.clear(end.down);
    this.#state.close(reason);
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

  /** Why a call is refused before it is made. */
  #refusalOf(call: PendingCall): RpcError | undefined {
    const { target } = call;
    const isReference = target instanceof FarReference;
    if (isReference && target.down) return refusalAfter(target.down, call);
    if (this.#state.end) return this.#state.end.ofCall(call, false);
    if (!isReference || target.id !== 0 || this.#options.agreement.peerFront !== null) return undefined;
    return call.error("not-found", "the peer offers no front", "not-sent");
  }

  /** A result that was not taken goes with its session. @throws RpcError `closed` */
  #requireSession(call: PendingCall): void {
    if (this.#state.end) throw this.#state.end.ofCall(call, true);
  }

  #send(code: number): void {
    if (this.#state.end) return;
    this.#link.outbox.begin(code);
    this.#link.outbox.end("control");
  }

  #ping(): void {
    if (!this.#state.end) this.#link.outbox.ping();
  }

  #createHeartbeat(): Heartbeat {
    return new Heartbeat({
      clock: this.#environment.clock,
      intervalMs: this.#options.agreement.heartbeatMs,
      lastReadAt: () => this.#link.lastReadAt,
      ping: () => this.#ping(),
      dead: (silentMs) =>
        this.#fail(new RpcError("timeout", `no sign of life for ${Math.round(silentMs)} ms`, "unknown")),
    });
  }
}
