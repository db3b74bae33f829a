/** A call of the peer's: what its frame says, and what its method sees of it. */
import type { Clock, Timer } from "../clock/clock.ts";
import { refusal } from "../errors/refusal.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { MethodGuard } from "../references/contracts.ts";
import type { ExportEntry } from "../references/export-entry.ts";
import type { Method } from "../references/method-table.ts";
import type { StreamMaker, StreamOrigin } from "../streams/outgoing-stream.ts";
import type { Principal, Session } from "../types/session.ts";
import { type Attachments, attachedBytes, type ByteReader } from "../wire/byte-reader.ts";
import { callFlag } from "../wire/frames.ts";
import { maxNameBytes, readContext, readPasses } from "../wire/names.ts";
import { CallStreams } from "./call-streams.ts";
import type { Callee } from "./callee.ts";
import type { PostponableCall } from "./current-call.ts";
import type { KeptResult } from "./kept-results.ts";
import type { ReceivedMethodNames } from "./method-names.ts";
import { Postponement } from "./postponement.ts";
import { StreamedCall } from "./streamed-call.ts";

export interface CallHeader {
  readonly id: number;
  /** The number of an object or, by its flag, of the call whose result is meant. */
  readonly targetId: number;
  readonly flags: number;
  readonly method: string;
  readonly timeoutMs: number | undefined;
  readonly depth: number;
  readonly context: Readonly<Record<string, string>>;
  readonly passes: readonly string[];
}

const noPasses: readonly string[] = Object.freeze([]);
const noReferences: readonly unknown[] = Object.freeze([]);
export const noContext: Readonly<Record<string, string>> = Object.freeze({});

/** Reads a call frame up to its body. @throws RpcError `protocol` */
export function readCallHeader(reader: ByteReader, names: ReceivedMethodNames): CallHeader {
  const id = reader.varint();
  const targetId = reader.varint();
  const methodNumber = reader.varint();
  const flags = reader.varint();
  const method = flags & callFlag.inlineMethod ? reader.text(maxNameBytes) : names.get(methodNumber);
  const timeoutMs = flags & callFlag.timeout ? reader.varint() : undefined;
  const depth = flags & callFlag.depth ? reader.varint() : 0;
  const context = flags & callFlag.context ? readContext(reader) : noContext;
  const passes = flags & callFlag.passes ? readPasses(reader) : noPasses;
  return { id, targetId, flags, method, timeoutMs, depth, context, passes };
}

/** The body of a call, valid until its frame is done with; `keepBody` makes it outlast that. */
interface Body {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly attachments?: Attachments | undefined;
}

export class IncomingCall implements PostponableCall, StreamMaker {
  readonly id: number;
  targetId: number;
  readonly method: string;
  readonly depth: number;
  readonly context: Readonly<Record<string, string>>;
  /** What its caller was given by the turns it is part of. */
  readonly passes: readonly string[];
  /** The result, while further calls may be on it. */
  kept: KeptResult | undefined;
  /** Those of the arguments that are results of calls. */
  argumentResults: readonly KeptResult[] | undefined;
  /** A call that this one depends on failed: the caller knows how. */
  isStepBroken = false;
  deadline: number | undefined;
  /** The deadline is the callee's, not the caller's. */
  isLimitedHere = false;
  /** The caller has its answer, though the method runs on. */
  isAnswered = false;
  /** What its contract makes of arguments and result. */
  guard: MethodGuard | undefined;
  /** Stubs, objects come home and streams among the arguments. */
  references: readonly unknown[] = noReferences;
  readonly session: Session;
  /** By the clock, for the audit. */
  readonly receivedAt: number;
  readonly #clock: Clock;
  /** Missing while fragments of the call are still to come. */
  body: Body | undefined;
  /** Of a lookup, which has no target: what it runs on. */
  find: (() => Callee) | undefined;
  /** The target, found when the call came: a release behind the call does not take it away. */
  entry: ExportEntry | undefined;
  /** The arguments were decoded: their references are ours now. */
  ownsArguments = false;
  /** The function that answers it, once it runs. */
  runs: Method | undefined;
  /** What that function fails with when the call was given up before it did anything. */
  neverBegan: RpcError | undefined;
  /** What `perCall` made for this call. */
  madeFront: object | undefined;
  /** Answered, or never to be. */
  isFinished = false;
  /** The audit has it. */
  isAudited = false;
  readonly #flags: number;
  #postponement: Postponement | undefined;
  #cancelled: RpcError | undefined;
  #controller: AbortController | undefined;
  #timer: Timer | undefined;
  /** A timer may fire a fraction of a millisecond before the clock says so. */
  #isTimeUp = false;
  #lateTimer: Timer | undefined;
  #streams: CallStreams | undefined;

  constructor(header: CallHeader, session: Session, clock: Clock) {
    this.id = header.id;
    this.targetId = header.targetId;
    this.#flags = header.flags;
    this.method = header.method;
    this.depth = header.depth;
    this.context = header.context;
    this.passes = header.passes;
    this.receivedAt = clock.now();
    this.deadline = header.timeoutMs === undefined ? undefined : this.receivedAt + header.timeoutMs;
    this.session = session;
    this.#clock = clock;
  }

  /** Its target is the result of a call. */
  get isOnResult(): boolean {
    return (this.#flags & callFlag.onResult) !== 0;
  }

  /** Results of calls are among its arguments. */
  get hasResultArguments(): boolean {
    return (this.#flags & callFlag.resultArguments) !== 0;
  }

  get keepsResult(): boolean {
    return (this.#flags & callFlag.keepResult) !== 0;
  }

  /** Nobody wants what it returns. */
  get isOneway(): boolean {
    return (this.#flags & callFlag.oneway) !== 0;
  }

  get principal(): Principal | undefined {
    return this.session.principal;
  }

  /** Made when first asked for: most methods never do. Who limits the call itself aborts it, after answering. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#cancelled);
      else if (this.deadline !== undefined && !this.isLimitedHere) this.#watchDeadline(this.deadline);
    }
    return this.#controller.signal;
  }

  get remainingMs(): number | undefined {
    return this.deadline === undefined ? undefined : this.deadline - this.#clock.now();
  }

  get isCancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  get isLate(): boolean {
    return this.#isTimeUp || (this.deadline !== undefined && this.#clock.now() >= this.deadline);
  }

  /** The callee's own limit, where it is the nearer one: then it is the callee who says that the time is up. */
  limitTime(timeoutMs: number): void {
    const deadline = this.#clock.now() + timeoutMs;
    if (this.deadline !== undefined && this.deadline <= deadline) return;
    this.deadline = deadline;
    this.isLimitedHere = true;
  }

  /** Runs `task` when the callee's own limit passes before the call is finished. A nearer limit replaces one that was further. */
  whenLate(task: (error: RpcError) => void): void {
    this.#lateTimer?.cancel();
    this.#lateTimer = this.#clock.setTimer((this.deadline as number) - this.#clock.now(), () => {
      task(new RpcError("timeout", `${this.method || "the function"} takes longer than it may here`, "unknown"));
    });
  }

  /** What the caller's deadline does to a call that has begun. */
  timeUp(): RpcError {
    return new RpcError("timeout", "the caller's time is up", "unknown");
  }

  get bodyBytes(): number {
    return this.body ? this.body.end - this.body.start + attachedBytes(this.body.attachments) : 0;
  }

  /** Takes the body along beyond the memory it came in, which others write over. */
  keepBody({ bytes, start, end, attachments }: Body): void {
    this.body = { bytes: bytes.slice(start, end), start: 0, end: end - start, attachments };
  }

  cancel(reason: RpcError): void {
    this.#cancelled ??= reason;
    this.#controller?.abort(reason);
  }

  /** A stream leaves with the answer. */
  openStream(): StreamOrigin {
    this.#streams ??= new CallStreams((reason) => this.cancel(reason));
    return new StreamedCall(this, this.#streams);
  }

  /** Runs `task` when the streams that left with the answer have ended. */
  whenStreamsEnd(task: () => void): void {
    if (this.#streams) this.#streams.whenDone(task);
    else task();
  }

  /** Why a call that has not begun need not begin any more. */
  refusal(): RpcError | undefined {
    if (this.entry?.isRevoked) return refusal("stale-reference", "its owner has revoked it", "not-executed");
    if (this.isLate) return refusal("timeout", "the caller's time was up before it could run", "not-executed");
    return this.isCancelled ? refusal("cancelled", "cancelled by the caller", "not-executed") : undefined;
  }

  /** Its method has begun to do something. */
  get hasBegun(): boolean {
    return this.runs !== undefined && !this.isPostponed && this.neverBegan === undefined;
  }

  /** Its method waits before it does anything. */
  get isPostponed(): boolean {
    return this.#postponement !== undefined;
  }

  postpone(givenUp: (refusal: RpcError) => void): void {
    this.#postponement = new Postponement(this.signal, () => {
      this.neverBegan = this.refusal();
      if (this.neverBegan) givenUp(this.neverBegan);
    });
  }

  /** Calls `task` when the method of a postponed call begins, or never will. */
  whenNotPostponed(task: () => void): void {
    this.#postponement?.whenOver(task);
  }

  begin(): void {
    this.#endPostponement();
    this.neverBegan = this.refusal();
    if (this.neverBegan) throw this.neverBegan;
  }

  #endPostponement(): void {
    this.#postponement?.end();
    this.#postponement = undefined;
  }

  /** The method is done: nothing watches the deadline any more. */
  finish(): void {
    this.isFinished = true;
    this.body = undefined;
    this.#timer?.cancel();
    this.#lateTimer?.cancel();
    this.#endPostponement();
  }

  #watchDeadline(deadline: number): void {
    this.#timer = this.#clock.setTimer(deadline - this.#clock.now(), () => {
      this.#isTimeUp = true;
      this.cancel(this.timeUp());
    });
  }
}
