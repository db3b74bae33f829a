/** What the steps of pipelines need of their session: to go on with calls, and to take or give back results. */
import type { Clock } from "../clock/clock.ts";
import type { ReferenceOwner } from "../references/far-reference.ts";
import type { Decoded } from "../values/codec.ts";
import type { Arrivals } from "./arrivals.ts";
import type { OutgoingCalls } from "./outgoing-calls.ts";
import type { PendingCall } from "./pending-call.ts";
import { PipelineStep, type StepHost } from "./pipeline-step.ts";
import type { SessionStreams } from "./session-streams.ts";

export interface PipelinesOptions {
  readonly session: ReferenceOwner;
  readonly callOn: StepHost["callOn"];
  readonly clock: Clock;
  readonly outgoing: OutgoingCalls;
  readonly arrivals: Arrivals;
  readonly streams: SessionStreams;
  /** A result that was not taken goes with its session. @throws RpcError `closed` */
  requireSession(call: PendingCall): void;
}

export class Pipelines implements StepHost {
  readonly owner: ReferenceOwner;
  readonly callOn: StepHost["callOn"];
  readonly nextTurn: StepHost["nextTurn"];
  readonly #options: PipelinesOptions;

  constructor(options: PipelinesOptions) {
    this.owner = options.session;
    this.callOn = options.callOn;
    this.nextTurn = together((task) => options.clock.nextTurn(task));
    this.#options = options;
  }

  /** The step that a call is: others can be made on its result. */
  step(call: PendingCall): PipelineStep {
    call.step = new PipelineStep(call, this);
    return call.step;
  }

  refuse(target: PipelineStep, method: string, error: Error): PipelineStep {
    const { outgoing } = this.#options;
    const step = this.step(outgoing.create(target, method, undefined));
    void outgoing.refuse(step.call, error);
    return step;
  }

  hydrate(call: PendingCall, decoded: Decoded): unknown {
    const { arrivals, streams, requireSession } = this.#options;
    requireSession(call);
    const references: unknown[] = [];
    const result = arrivals.hydrate(decoded, references);
    streams.endWith(call, references);
    return call.check ? call.check.incoming(result, references) : result;
  }

  giveBack(decoded: Decoded): void {
    this.#options.arrivals.giveBack(decoded.references);
  }
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
