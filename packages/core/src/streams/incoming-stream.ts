/**
 * A stream we consume: what has come and was not read, who waits for what has not come, and how much more the producer
 * may send. The session keeps only this; what a program holds, an iterator or a `ReadableStream`, is made over it, and
 * when that is dropped the stream is cancelled.
 */
import { RpcError } from "../errors/rpc-error.ts";
import { Ending, type EndingHost } from "./ending.ts";
import { done, type Failure, type Settler, type Step } from "./steps.ts";
import { type Piece, Unread } from "./unread.ts";

/** What a contract makes of an item before the program gets it, at once or later; `references` are the stubs in it. */
export type ItemCheck = (item: unknown, references: readonly unknown[]) => unknown;

/** What a stream asks of the table it is in. */
export interface IncomingStreamHost extends EndingHost {
  /** What an item or an end holds; stubs go into `references`. @throws RpcError */
  read(piece: Piece, references?: unknown[]): unknown;
  readFailure(piece: Piece): Failure;
  /** A piece that has to wait until it is read. */
  waiting(piece: Piece): Piece;
  /** Gives up what nobody will read. */
  discard(piece: Piece): void;
  /** Something was read, or is waited for: the producer may send more. */
  consumed(stream: IncomingStream): void;
  /** Tells the producer that nobody wants more. */
  cancel(stream: IncomingStream, reason: unknown): void;
  /** The producer will say no more. */
  ended(stream: IncomingStream): void;
  /** Nothing is left of it here. */
  over(stream: IncomingStream): void;
}

/** Who waits for an item keeps what the program holds of the stream alive. */
interface Waiter extends Settler<Step> {
  readonly owner: object | undefined;
}

type State =
  | { readonly kind: "open" }
  /** The last word has come, and was not read. */
  | { readonly kind: "ended" }
  /** Nothing more will come: said once, behind what has come. */
  | { readonly kind: "failed"; readonly error: Error }
  /** Nobody wants more, and the producer has not said its last word. `error` is said once. */
  | Cancelled
  | { readonly kind: "over" };

interface Cancelled {
  readonly kind: "cancelled";
  readonly ending?: Ending | undefined;
  readonly error?: Error | undefined;
}

export class IncomingStream {
  readonly id: number;
  /** What the producer may still send; an item may overdraw the bytes. */
  readonly credit = { items: 0, bytes: 0 };
  readonly unread: Unread = new Unread();
  /** The bytes that it may have under way or unread; 0 until somebody reads. */
  windowBytes = 0;
  check: ItemCheck | undefined;
  /** Called once, when nobody reads it any more. */
  whenLeft: (() => void) | undefined;
  readonly #host: IncomingStreamHost;
  readonly #waiting: Waiter[] = [];
  #state: State = { kind: "open" };

  constructor(id: number, host: IncomingStreamHost) {
    this.id = id;
    this.#host = host;
  }

  /** The producer may say more, and it is wanted. */
  get isOpen(): boolean {
    return this.#state.kind === "open";
  }

  get isCancelled(): boolean {
    return this.#state.kind === "cancelled";
  }

  /** The next item. `owner` is what the program holds: it is kept as long as somebody waits. */
  next(owner?: object): Promise<Step> {
    const piece = this.#waiting.length === 0 ? this.unread.take() : undefined;
    if (piece) return this.#read(piece);
    if (this.#state.kind === "open") return this.#wait(owner);
    const error = this.#takeError();
    return error ? this.#host.promise(({ reject }) => reject(error)) : Promise.resolve(done(undefined));
  }

  /** Nobody wants more. Settles when the producer has ended, or has not in the time it has for that. */
  cancel(reason: unknown): Promise<Step> {
    if (this.#state.kind === "open") this.#cancel({ kind: "cancelled", ending: new Ending(this.#host) }, reason);
    else this.abandon();
    const ending = this.#state.kind === "cancelled" ? this.#state.ending : undefined;
    return ending ? ending.promise : Promise.resolve(done(reason));
  }

  /** Nobody will read it, and nobody waits for its end. */
  abandon(): void {
    const { kind } = this.#state;
    if (kind === "open") this.#cancel({ kind: "cancelled" }, undefined);
    else if (kind !== "cancelled") this.#over();
  }

  /** Ends it here, and tells who reads it why; the producer is told as well. */
  fail(error: Error): void {
    const { kind } = this.#state;
    if (kind === "open") this.#cancel({ kind: "cancelled", error }, error);
    else if (kind === "ended") {
      this.#over();
      this.#state = { kind: "failed", error };
    }
  }

  /** The session is over: what has come can still be read. */
  close(error: RpcError): void {
    const state = this.#state;
    if (state.kind === "cancelled") {
      this.#state = afterCancelled(state);
      state.ending?.ended(undefined);
    }
    if (state.kind !== "open") return;
    const waiting = this.#waiting.splice(0);
    this.#state = waiting.length > 0 ? { kind: "over" } : { kind: "failed", error };
    this.#leave();
    for (const { reject } of waiting) reject(error);
  }

  /** A piece has come. */
  arrived(piece: Piece): void {
    const state = this.#state;
    if (state.kind === "open") this.#take(piece);
    else if (state.kind === "cancelled" && piece.kind !== "item") this.#lastWord(piece, state);
    else this.#host.discard(piece);
  }

  #take(piece: Piece): void {
    const waiter = this.#waiting.shift();
    if (!waiter) this.unread.put(this.#host.waiting(piece));
    if (piece.kind !== "item") {
      this.#state = { kind: "ended" };
      this.#host.ended(this);
    }
    if (waiter) this.#settle(piece, waiter);
  }

  #wait(owner: object | undefined): Promise<Step> {
    const promise = this.#host.promise<Step>(({ resolve, reject }) => this.#waiting.push({ resolve, reject, owner }));
    this.#host.consumed(this);
    return promise;
  }

  #read(piece: Piece): Promise<Step> {
    if (piece.kind !== "item" || this.check) return this.#host.promise((settler) => this.#settle(piece, settler));
    try {
      const value = this.#host.read(piece);
      this.#host.consumed(this);
      return Promise.resolve({ done: false, value });
    } catch (error) {
      return this.#host.promise((settler) => this.#spoil(error, settler));
    }
  }

  #settle(piece: Piece, settler: Settler<Step>): void {
    try {
      if (piece.kind === "item") this.#item(piece, settler);
      else if (piece.kind === "end") settler.resolve(done(this.#result(piece)));
      else settler.reject(this.#host.readFailure(piece).error);
    } catch (error) {
      this.#spoil(error, settler);
    }
    if (piece.kind !== "item") this.#over();
  }

  /** What the producer returned; a contract says nothing of it. */
  #result(piece: Piece): unknown {
    if (!this.check) return this.#host.read(piece);
    this.#host.discard(piece);
    return undefined;
  }

  #item(piece: Piece, settler: Settler<Step>): void {
    const { check } = this;
    const references: unknown[] | undefined = check && [];
    const value = this.#host.read(piece, references);
    this.#host.consumed(this);
    const checked = check && references ? check(value, references) : value;
    if (!(checked instanceof Promise)) settler.resolve({ done: false, value: checked });
    else {
      checked.then(
        (ready) => settler.resolve({ done: false, value: ready }),
        (error) => this.#spoil(error, settler),
      );
    }
  }

  /** What has come is no good: the stream ends with it. A check may also fail by mistake. */
  #spoil(cause: unknown, { reject }: Settler<Step>): void {
    const error =
      cause instanceof RpcError
        ? cause
        : new RpcError("internal", "an item could not be checked", "executed", { cause });
    if (this.#state.kind === "open") this.#cancel({ kind: "cancelled" }, error);
    else if (this.#state.kind === "ended") this.#over();
    reject(error);
  }

  #cancel(state: Cancelled, reason: unknown): void {
    const waiting = this.#waiting.splice(0);
    const { error } = state;
    this.#state = waiting.length > 0 ? { ...state, error: undefined } : state;
    this.#leave();
    this.#discardUnread();
    for (const { resolve, reject } of waiting) {
      if (error) reject(error);
      else resolve(done(undefined));
    }
    this.#host.cancel(this, reason);
  }

  #over(): void {
    this.#state = { kind: "over" };
    this.#leave();
    this.#discardUnread();
    for (const { resolve } of this.#waiting.splice(0)) resolve(done(undefined));
    this.#host.over(this);
  }

  #leave(): void {
    this.whenLeft?.();
    this.whenLeft = undefined;
  }

  #discardUnread(): void {
    for (let piece = this.unread.take(); piece; piece = this.unread.take()) this.#host.discard(piece);
  }

  /** What there is to be told of the end, once. */
  #takeError(): Error | undefined {
    const state = this.#state;
    if (state.kind === "failed") this.#over();
    else if (state.kind === "cancelled") this.#state = { ...state, error: undefined };
    else return undefined;
    return state.error;
  }

  /** The producer has ended, as it was told to. */
  #lastWord(piece: Piece, cancelled: Cancelled): void {
    const { ending } = cancelled;
    this.#host.ended(this);
    this.#state = afterCancelled(cancelled);
    this.#host.over(this);
    if (!ending || ending.isOver) this.#host.discard(piece);
    else if (piece.kind === "end") this.#endWith(ending, piece);
    else ending.failed(this.#host.readFailure(piece));
  }

  #endWith(ending: Ending, piece: Piece): void {
    try {
      ending.ended(this.#result(piece));
    } catch (error) {
      ending.failed({ error: error as Error, isOfEnding: true });
    }
  }
}

/** Who was in the middle of an item when the stream failed is told with the next step, however late that is. */
function afterCancelled({ error }: Cancelled): State {
  return error ? { kind: "failed", error } : { kind: "over" };
}
