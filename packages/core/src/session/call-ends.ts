/**
 * How a call of the peer's ends, once: with what its method returned or threw, as its contract leaves it, or with a
 * refusal. Results wait while the peer leaves too many others unread.
 */
import { RpcError } from "../errors/rpc-error.ts";
import { toError } from "../errors/to-error.ts";
import { bareOf, type MethodGuard } from "../references/contracts.ts";
import { streamOf } from "../streams/far-iterator.ts";
import type { Session } from "../types/session.ts";
import { errorFlag } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import type { Answers } from "./answers.ts";
import type { DependentCalls } from "./dependent-calls.ts";
import { auditEntry, type CallEnd, type Disclosure, toldOf } from "./disclosure.ts";
import type { SessionEnvironment } from "./environment.ts";
import type { IncomingCall } from "./incoming-call.ts";
import type { RunningCalls } from "./running-calls.ts";

export interface CallEndsOptions {
  readonly environment: SessionEnvironment;
  readonly session: Session;
  readonly outbox: Outbox;
  readonly disclosure: Disclosure;
  readonly answers: Answers;
  readonly dependents: DependentCalls;
  readonly running: RunningCalls;
  /** An answer was written. */
  answered(): void;
}

export class CallEnds {
  readonly #options: CallEndsOptions;
  readonly #running: RunningCalls;
  /** Results that wait until the peer has read others. */
  readonly #deferred: (() => void)[] = [];
  #isOver = false;

  constructor(options: CallEndsOptions) {
    this.#options = options;
    this.#running = options.running;
  }

  /** What the peer leaves unread: so much that nothing new is begun, or so much that nothing is added. */
  get backlog(): "none" | "some" | "full" {
    const { outbox, environment } = this.#options;
    return backlogOf(outbox, environment.limits.maxSendBufferBytes);
  }

  /** Its method has returned, or what it returned a promise of has come. */
  returned(call: IncomingCall, value: unknown): void {
    if (this.#isDone(call)) return;
    if (call.guard) {
      this.#complete(call, call.guard, value);
      return;
    }
    if (this.#mustWait(call, () => this.returned(call, value))) return;
    this.#tellResult(call, value);
    this.#running.finish(call);
  }

  threw(call: IncomingCall, thrown: unknown): void {
    if (this.#isDone(call)) return;
    if (call.neverBegan && thrown === call.neverBegan) {
      this.refuse(call, call.neverBegan);
      return;
    }
    if (this.#mustWait(call, () => this.threw(call, thrown))) return;
    // Whichever side notices first that the caller's time is up, the caller hears the same.
    if (call.isLate && !call.isLimitedHere) this.#tellRefusal(call, call.timeUp());
    else this.#tellThrown(call, thrown);
    this.#running.finish(call);
  }

  refuse(call: IncomingCall, error: RpcError): void {
    if (this.#isDone(call)) return;
    this.#tellRefusal(call, error);
    this.#running.finish(call);
    this.#running.pass(call);
  }

  /** Refuses a call for what was thrown. What a policy or a factory threw by mistake is reported, and not told to the peer. */
  refuseFor(call: IncomingCall, error: unknown, told = unprepared): void {
    if (error instanceof RpcError) {
      this.refuse(call, error);
      return;
    }
    this.#report(toError(error));
    this.refuse(call, told());
  }

  /** From now on the call's own limit counts, if it has one. */
  watchTime(call: IncomingCall): void {
    if (call.isLimitedHere) call.whenLate((error) => this.#expire(call, error));
  }

  /** The caller is answered; the method keeps its slot until it is done, and what it returns then is dropped. */
  #expire(call: IncomingCall, error: RpcError): void {
    if (!call.runs) {
      this.refuse(call, new RpcError(error.code, error.detail, "not-executed"));
      return;
    }
    if (call.isPostponed) {
      call.cancel(error);
      return;
    }
    this.#tellRefusal(call, error);
    call.isAnswered = true;
    call.cancel(error);
  }

  /** Results wait for the peer to read. */
  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }

  /** Sends what waits, as far as the peer has read. */
  pump(): void {
    while (this.#deferred.length > 0 && this.backlog !== "full") this.#deferred.shift()?.();
  }

  /** The session is over: what waits is never sent. */
  close(): void {
    this.#isOver = true;
    this.#deferred.length = 0;
  }

  /** What was not answered until now never will be: the session is over. */
  finished(call: IncomingCall): void {
    this.#audit(call, { permitted: call.hasBegun, threw: false, code: "closed" });
  }

  /** Whether the peer has to read first; then `again` is called when it has. */
  #mustWait(call: IncomingCall, again: () => void): boolean {
    if (this.backlog !== "full") return false;
    this.#running.occupy(call);
    this.#deferred.push(again);
    return true;
  }

  /** Whether there is nothing to answer any more; what was answered before it was done is done now. */
  #isDone(call: IncomingCall): boolean {
    if (call.isAnswered) this.#running.finish(call);
    return call.isFinished;
  }

  /** What leaves is what the contract makes of the result. */
  #complete(call: IncomingCall, guard: MethodGuard, value: unknown): void {
    call.guard = undefined;
    try {
      const completed = guard.complete(value);
      if (!(completed instanceof Promise)) {
        this.returned(call, completed);
        return;
      }
      this.#running.occupy(call);
      this.watchTime(call);
      completed.then(
        (ready) => this.returned(call, ready),
        (error) => this.refuseFor(call, error, unchecked),
      );
    } catch (error) {
      this.refuseFor(call, error, unchecked);
    }
  }

  #tellResult(call: IncomingCall, value: unknown): void {
    if (this.#isOver) return;
    const { answers, dependents } = this.#options;
    const refused = answers.result(call.id, call.isOneway ? undefined : value, call);
    if (!refused && call.kept) dependents.keep(call.kept, bareOf(value), answers.lastBytes);
    this.#told(call, { permitted: true, threw: false, code: refused?.code });
  }

  #tellThrown(call: IncomingCall, thrown: unknown): void {
    const { disclosure, environment, answers } = this.#options;
    if (this.#isOver) {
      this.#audit(call, { permitted: true, threw: true, code: "closed" });
      return;
    }
    const by = call.entry?.isRelay ? "relay" : "program";
    const told = toldOf(thrown, by, disclosure, environment.codec, (error) => this.#report(error));
    if (told instanceof RpcError) {
      this.#tellRefusal(call, told);
      return;
    }
    answers.thrown(call.id, told);
    this.#told(call, { permitted: true, threw: true, code: undefined });
  }

  #tellRefusal(call: IncomingCall, error: RpcError): void {
    const end = { permitted: call.hasBegun && error.outcome !== "not-executed", threw: false, code: error.code };
    if (this.#isOver) {
      this.#audit(call, end);
      return;
    }
    if (error.outcome === "not-executed") abandonStreams(call.references);
    this.#options.answers.refusal(call.id, error, refusalFlags(call));
    this.#told(call, end);
  }

  #told(call: IncomingCall, end: CallEnd): void {
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
      this.#report(toError(error));
    }
  }

  #report(error: Error): void {
    this.#options.environment.onError(error, this.#options.session);
  }
}

/** With so many bytes unread nothing new is begun; a small limit leaves less. */
const backlogBytesToWaitFor = 1024 * 1024;
/** So many may always be unread: a small result does not wait for a large one. */
const smallBacklogBytes = 64 * 1024;

/** Results wait at half the limit: the other half is for what can't wait. */
function backlogOf({ backlogBytes, blockedBytes }: Outbox, maxBytes: number): "none" | "some" | "full" {
  if (backlogBytes > Math.min(smallBacklogBytes, maxBytes / 8) && blockedBytes > maxBytes / 2) return "full";
  return backlogBytes > Math.min(backlogBytesToWaitFor, maxBytes / 4) ? "some" : "none";
}

function refusalFlags(call: IncomingCall): number {
  return (call.ownsArguments ? 0 : errorFlag.argumentsUntouched) | (call.isStepBroken ? errorFlag.brokenStep : 0);
}

/** Streams that came as arguments of a call that will not run: nobody has them. */
function abandonStreams(arrived: readonly unknown[]): void {
  for (const value of arrived) streamOf(value as object)?.abandon();
}

function unprepared(): RpcError {
  return new RpcError("internal", "the call could not be prepared", "not-executed");
}

function unchecked(): RpcError {
  return new RpcError("internal", "the result could not be checked", "executed");
}
