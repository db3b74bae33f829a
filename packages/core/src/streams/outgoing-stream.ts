/**
 * A stream we produce: asks its source for an item when the consumer has granted one and it is this stream's turn, and
 * sends it. One step at a time, one item in hand at most.
 *
 *     untouched ──credit──► stepping ◄────► sending ──the last word──► over
 *         └───────────── cancelled: finally runs ───────────────────────┘
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { LargeMessage } from "../wire/large-message.ts";
import type { Place } from "../wire/outbox.ts";
import type { LeavingCheck } from "./checked-streams.ts";
import { checkIsObject, type Source } from "./source.ts";
import type { Step } from "./steps.ts";
import { Share, type Turns, type TurnTaker } from "./turns.ts";

/** What a stream says to its consumer. */
export type Saying =
  | { readonly kind: "item"; readonly value: unknown }
  /** With what the source returned. */
  | { readonly kind: "end"; readonly value: unknown }
  | { readonly kind: "thrown"; readonly thrown: unknown }
  /** An item or a result that can't be sent. */
  | { readonly kind: "refused"; readonly error: RpcError };

/** A call, as far as streams are made within it. */
export interface StreamMaker {
  openStream(): StreamOrigin;
}

/** The call whose method made a stream: each step is part of it, and so are streams within its items. */
export interface StreamOrigin extends StreamMaker {
  run<T>(step: () => T): T;
  /** Nobody wants the stream any more, though it has not ended. */
  abort(reason: RpcError): void;
  /** No further step will be taken. */
  ended(): void;
}

/** What a stream asks of the table it is in. */
export interface OutgoingStreamHost {
  readonly turns: Turns;
  /**
   * Writes what the stream says, with `stream` as its place in the batch. Returns its bytes; -1 when they are more than
   * the consumer has room for: nothing was written then, and the stream goes on when there is. @throws RpcError for what
   * can't be sent
   */
  write(stream: OutgoingStream, saying: Saying): number;
  over(stream: OutgoingStream): void;
  /** What a source threw when there was nobody left to tell. */
  unheard(thrown: unknown): void;
}

type State =
  | { readonly kind: "untouched" }
  /** At an item, no further one asked for. */
  | { readonly kind: "resting" }
  | { readonly kind: "stepping" }
  /** Waits for credit, or for its turn. */
  | { readonly kind: "sending"; readonly saying: Saying }
  /** The consumer wants no more: `finally` runs, or its result waits for its turn. */
  | { readonly kind: "cancelled"; readonly answer?: Saying }
  /** Its last word exceeded the credit: the consumer says when it has taken that in. */
  | { readonly kind: "ended" }
  | { readonly kind: "over" };

export class OutgoingStream implements TurnTaker, Place {
  readonly id: number;
  readonly share: Share = new Share();
  readonly isRelay: boolean;
  readonly origin: StreamOrigin | undefined;
  batch = -1;
  offset = 0;
  large: LargeMessage | undefined;
  /** What the consumer still takes; an item may overdraw the bytes. */
  readonly credit = { items: 0, bytes: 0 };
  /** What a contract makes of its items. What the source returns at last is then nobody's business. */
  check: LeavingCheck | undefined;
  readonly #source: Source;
  readonly #host: OutgoingStreamHost;
  #state: State = { kind: "untouched" };

  constructor(id: number, source: Source, origin: StreamOrigin | undefined, host: OutgoingStreamHost) {
    this.id = id;
    this.isRelay = source.isRelay;
    this.origin = origin;
    this.#source = source;
    this.#host = host;
  }

  /** Whether the consumer has begun to read. */
  get isTouched(): boolean {
    return this.#state.kind !== "untouched";
  }

  /** Whether what it says answers the consumer's wish to end. */
  get isCancelled(): boolean {
    return this.#state.kind === "cancelled";
  }

  /** Goes on as far as credit and turn allow. */
  goOn(): void {
    const state = this.#state;
    if (state.kind === "sending") this.#say(state.saying);
    else if (state.kind === "cancelled" && state.answer) this.#answer(state.answer);
    else if (state.kind === "untouched" || state.kind === "resting") this.#ask();
    else if (state.kind === "ended" && this.credit.bytes >= 0) this.#over();
  }

  /** It never left, and is its owner's again. */
  takeBack(): void {
    if (this.isTouched) {
      this.cancel(undefined, notSent());
      return;
    }
    this.#source.giveBack();
    this.#over();
  }

  /** The consumer wants no more. The last word is sent when `finally` is done. */
  cancel(reason: unknown, error: RpcError): void {
    const { kind } = this.#state;
    // Its last word, which crossed the cancel, is the answer.
    if (kind === "ended") this.#over();
    if (kind === "over" || kind === "ended" || kind === "cancelled") return;
    const hasEnded = this.#state.kind === "sending" && this.#state.saying.kind !== "item";
    this.#state = { kind: "cancelled" };
    this.origin?.abort(error);
    if (hasEnded) this.#answer(nothing);
    else this.#finish(kind === "untouched" ? () => this.#source.abandon(reason) : () => this.#source.cancel(reason));
  }

  /** The session is over: `finally` runs, and nobody is told. */
  close(error: RpcError): void {
    const { kind } = this.#state;
    this.#state = { kind: "over" };
    this.origin?.abort(error);
    if (kind === "untouched") this.#end(() => this.#source.abandon(error));
    else if (kind === "resting" || kind === "stepping" || kind === "sending")
      this.#end(() => this.#source.cancel(error));
    this.origin?.ended();
  }

  get #hasCredit(): boolean {
    return this.credit.items > 0 && this.credit.bytes > 0;
  }

  /** Its turn has come, and a long item before has left whole: others' frames may overtake that, not its own. */
  #mayWrite(): boolean {
    if (this.large?.begun && this.large.unsentBytes === 0) this.large = undefined;
    if (!this.large && this.#host.turns.admits(this)) return true;
    this.#host.turns.wait(this);
    return false;
  }

  #ask(): void {
    if (!this.#hasCredit || !this.#mayWrite()) return;
    this.#state = stepping;
    try {
      const step = this.#run(this.#next);
      Promise.resolve(step).then(this.#stepped, this.#threw);
    } catch (thrown) {
      this.#threw(thrown);
    }
  }

  readonly #next = () => this.#source.next();

  /** A step that was under way when the stream was cancelled is nobody's any more. */
  readonly #stepped = (step: Step): void => {
    if (this.#state.kind !== "stepping") return;
    try {
      checkIsObject("next", step);
      if (this.check) this.#checked(this.check, step);
      else this.#say({ kind: step.done ? "end" : "item", value: step.value });
    } catch (thrown) {
      this.#threw(thrown);
    }
  };

  #checked(check: LeavingCheck, { done, value }: Step): void {
    if (done) {
      this.#say(nothing);
      return;
    }
    const say = (item: unknown) => {
      if (this.#state.kind === "stepping") this.#say({ kind: "item", value: item });
    };
    const refuse = (error: unknown) => {
      if (this.#state.kind === "stepping") this.#refuse(this.#asRefusal(error));
    };
    try {
      const checked = check(value);
      if (checked instanceof Promise) checked.then(say, refuse);
      else say(checked);
    } catch (error) {
      refuse(error);
    }
  }

  /** A check that fails by mistake is reported here and not told to the peer. */
  #asRefusal(error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    this.#host.unheard(error);
    return new RpcError("internal", "an item could not be checked", "executed");
  }

  readonly #threw = (thrown: unknown): void => {
    if (this.#state.kind === "stepping") this.#say({ kind: "thrown", thrown });
  };

  #say(saying: Saying): void {
    this.#state = { kind: "sending", saying };
    if (!this.#hasCredit || !this.#mayWrite()) return;
    if (this.#write(saying) < 0) return;
    if (saying.kind === "item") this.#rest();
    else if (this.credit.bytes >= 0) this.#over();
    else this.#state = { kind: "ended" };
  }

  /** -1 when it was not sent: the consumer has no room for it now, or something else has to be said. */
  #write(saying: Saying): number {
    try {
      return this.#host.write(this, saying);
    } catch (error) {
      if (this.#state.kind !== "sending") return -1;
      if (saying.kind === "item") this.#refuse(error as RpcError);
      else this.#say({ kind: "refused", error: error as RpcError });
      return -1;
    }
  }

  #rest(): void {
    if (this.#state.kind !== "sending") return;
    this.#state = resting;
    this.#ask();
  }

  /** An item that can't be sent ends the stream: the source is told, and so is the consumer. */
  #refuse(error: RpcError): void {
    this.#end(() => this.#source.cancel(error));
    this.#say({ kind: "refused", error });
  }

  /** Ends the source, and answers with what comes of it. */
  #finish(end: () => unknown): void {
    const said = (answer: Saying) => {
      if (this.#state.kind === "cancelled") this.#answer(answer);
      else if (answer.kind === "thrown") this.#host.unheard(answer.thrown);
    };
    try {
      Promise.resolve(this.#run(end)).then(
        (value) => said({ kind: "end", value }),
        (thrown) => said({ kind: "thrown", thrown }),
      );
    } catch (thrown) {
      said({ kind: "thrown", thrown });
    }
  }

  /** Takes no credit: the consumer keeps nothing of it. */
  #answer(answer: Saying): void {
    this.#state = { kind: "cancelled", answer };
    if (!this.#mayWrite()) return;
    try {
      this.#host.write(this, answer);
      this.#over();
    } catch {
      if (answer === nothing) this.#over();
      else this.#answer(nothing);
    }
  }

  /** Ends the source, and reports what it throws meanwhile. */
  #end(end: () => unknown): void {
    try {
      Promise.resolve(this.#run(end)).catch((thrown) => this.#host.unheard(thrown));
    } catch (thrown) {
      this.#host.unheard(thrown);
    }
  }

  #run<T>(step: () => T): T {
    return this.origin ? this.origin.run(step) : step();
  }

  #over(): void {
    if (this.#state.kind === "over") return;
    this.#state = { kind: "over" };
    this.#host.over(this);
    this.origin?.ended();
  }
}

const resting: State = { kind: "resting" };
const stepping: State = { kind: "stepping" };
const nothing: Saying = { kind: "end", value: undefined };

function notSent(): RpcError {
  return new RpcError("cancelled", "the message with the stream was not taken", "not-sent");
}
