/** A far object as this process knows it: what all stubs and views of it share. */
import { printable } from "../errors/printable.ts";
import type { CallOptions, Connection, Down } from "../types/session.ts";
import type { CallerContract } from "./contracts.ts";

/** A call whose result can be called, and passed on, before it is there. */
export interface PipelinedCall {
  /** The result, for whoever awaits the step. */
  readonly promise: Promise<unknown>;
  /** Calls a method of what the call will return; a function by the name `""`. Every failure is a rejection. */
  continue(method: string, args: readonly unknown[], options: CallOptions | undefined): PipelinedCall;
  /** Which call of which object, for people. */
  describe(): string;
}

/** The session, as its references see it. */
export interface ReferenceOwner {
  /** Calls a method; every failure is a rejection. A function is called by the name `""`. */
  invoke(
    reference: FarReference,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    contract: CallerContract | undefined,
  ): Promise<unknown>;
  /** The same, with nobody waiting for the result: fulfilled when the call is accepted for sending. */
  post(
    reference: FarReference,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    contract: CallerContract | undefined,
  ): Promise<void>;
  /** The same, with a result that can be called before it is there. */
  pipeline(
    reference: FarReference,
    method: string,
    args: readonly unknown[],
    options: CallOptions | undefined,
    contract: CallerContract | undefined,
  ): PipelinedCall;
  /** Gives up all holds of the reference. */
  release(reference: FarReference): void;
  /** Tells `listener` once that the reference is gone, later even if it is already. Returns a function that stops it. */
  monitor(reference: FarReference, listener: (down: Down) => void): () => void;
  /** The address of the process the object lives in. */
  readonly address: string;
  readonly connection: Connection;
}

export class FarReference {
  readonly owner: ReferenceOwner;
  readonly kind: "object" | "function";
  /** Its number in the owner's export table; 0 is the peer's front. */
  readonly id: number;
  readonly #name: string;
  /** The one stub: `===` for the same object within a session. */
  stub: object | undefined;
  /** Gone for good, and why: later calls are refused. */
  down: Down | undefined = undefined;
  /** How often it came: so many holds go back. */
  received = 1;
  /** The same object under contracts of this side: a stub for each. */
  views: Map<CallerContract, object> | undefined;
  /** On what `connect` returned: disposing it closes the connection. */
  isRoot = false;

  constructor(owner: ReferenceOwner, kind: "object" | "function", id: number, name: string) {
    this.owner = owner;
    this.kind = kind;
    this.id = id;
    this.#name = name;
  }

  /** The class's or function's name, for printing: made so when it is printed, which most never are. */
  get name(): string {
    return printable(this.#name);
  }

  /** Type and address, for people. Makes no call. */
  describe(): string {
    const type = this.name || (this.kind === "function" ? "Function" : "Object");
    const number = this.id === 0 ? "" : ` #${this.id}`;
    return `[remote ${type} ${this.owner.address}${number}${this.down ? `, ${wordFor[this.down.reason]}` : ""}]`;
  }

  release(): void {
    if (this.isRoot) void this.owner.connection.close();
    else this.owner.release(this);
  }
}

const wordFor: Readonly<Record<Down["reason"], string>> = {
  released: "released",
  disposed: "revoked",
  closed: "closed",
  "session-lost": "lost",
};
