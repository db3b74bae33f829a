/** The front that a session offers: one that others share, one of its own, or one that is made for each call. */
import { refusal } from "../errors/refusal.ts";
import type { ExportEntry } from "../references/export-entry.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { Session } from "../types/session.ts";
import type { Callee } from "./callee.ts";
import type { SessionEnvironment } from "./environment.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { isThenable } from "./thenable.ts";

/** What a session offers its peer. */
export type OfferedFront =
  | { readonly kind: "none" }
  | { readonly kind: "shared"; readonly object: object }
  /** Made for this session and disposed with it. */
  | { readonly kind: "own"; readonly object: object }
  /** Made for each call and disposed after it. */
  | { readonly kind: "perCall"; make(session: Session): object | Promise<object> };

export class ServedFront {
  readonly #environment: SessionEnvironment;
  readonly #exports: ExportTable;
  #front: OfferedFront = { kind: "none" };
  #isOver = false;

  constructor(environment: SessionEnvironment, exports: ExportTable) {
    this.#environment = environment;
    this.#exports = exports;
  }

  /** @throws RpcError `unsupported-value` for a front that can't be offered */
  offer(front: OfferedFront): void {
    this.#front = front;
    if (front.kind === "own") this.#environment.held.keep(front.object);
    if (this.#isOver) this.#disposeOwn();
    else if (front.kind === "perCall") this.#exports.offerFront({});
    else if (front.kind !== "none") this.#exports.offerFront(front.object);
  }

  /** What a call runs on: its target, or what `perCall` makes for it. */
  callee(call: IncomingCall, entry: ExportEntry): Callee | PromiseLike<Callee> {
    const front = this.#front;
    if (entry.id !== 0 || front.kind !== "perCall") return entry;
    const made = front.make(call.session);
    return isThenable(made) ? made.then((object) => this.#adopt(call, object)) : this.#adopt(call, made);
  }

  /** What `perCall` made is disposed with its call. */
  #adopt(call: IncomingCall, object: object): Callee {
    if (call.isFinished) {
      this.dispose(object);
      throw refusal("closed", "the session ended before the call could begin", "not-executed");
    }
    call.madeFront = object;
    this.#environment.held.keep(object);
    const table = this.#environment.methods.of(object);
    return { object, self: object, method: (name) => table.get(name) };
  }

  /** The call, or the session, that a front was made for is over. */
  dispose(front: object): void {
    this.#environment.held.disposeFront(front);
  }

  /** The session is over. */
  close(): void {
    this.#isOver = true;
    this.#disposeOwn();
  }

  #disposeOwn(): void {
    if (this.#front.kind === "own") this.dispose(this.#front.object);
  }
}
