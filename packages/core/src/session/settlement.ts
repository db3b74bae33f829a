/** The answers to our calls: read, and handed to whoever waits. One that can't be read fails its own call only. */
import { RpcError } from "../errors/rpc-error.ts";
import type { CallerMethod } from "../references/contracts.ts";
import type { Decoded } from "../values/codec.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { errorFlag } from "../wire/frames.ts";
import type { Arrivals } from "./arrivals.ts";
import type { SessionEnvironment } from "./environment.ts";
import type { OutgoingCalls } from "./outgoing-calls.ts";
import type { PendingCall } from "./pending-call.ts";
import type { PendingCalls } from "./pending-calls.ts";
import type { SessionStreams } from "./session-streams.ts";
import { refusalFrom, thrownFrom } from "./wire-error.ts";

export class Settlement {
  readonly #environment: SessionEnvironment;
  readonly #outgoing: OutgoingCalls;
  readonly #pending: PendingCalls;
  readonly #arrivals: Arrivals;
  readonly #streams: SessionStreams;

  constructor(environment: SessionEnvironment, outgoing: OutgoingCalls, arrivals: Arrivals, streams: SessionStreams) {
    this.#environment = environment;
    this.#outgoing = outgoing;
    this.#pending = outgoing.pending;
    this.#arrivals = arrivals;
    this.#streams = streams;
  }

  /** A result frame. @throws RpcError `protocol` for a call that awaits none */
  result(reader: ByteReader): void {
    const call = this.#taken(reader);
    const { codec, limits } = this.#environment;
    try {
      const decoded = codec.decode(reader.bytes, reader.position, reader.end, limits, reader.attachments);
      // Nobody waits any more: what the result refers to goes back.
      if (call.isSettled) this.#arrivals.giveBack(decoded.references);
      else if (call.step) this.#pending.arrived(call, call.step, decoded);
      else if (call.check) this.#check(call, call.check, decoded);
      else this.#pending.resolve(call, this.#hydrate(call, decoded));
    } catch (error) {
      this.#pending.reject(call, call.unreadable(error));
    }
    this.#outgoing.pump();
  }

  #hydrate(call: PendingCall, decoded: Decoded): unknown {
    if (decoded.references.length === 0) return this.#arrivals.hydrate(decoded);
    const references: unknown[] = [];
    const value = this.#arrivals.hydrate(decoded, references);
    this.#streams.endWith(call, references);
    return value;
  }

  /** Hands on what the caller's contract makes of the result. */
  #check(call: PendingCall, check: CallerMethod, decoded: Decoded<unknown>): void {
    const references: unknown[] = [];
    const result = this.#arrivals.hydrate(decoded, references);
    this.#streams.endWith(call, references);
    const checked = check.incoming(result, references);
    if (!(checked instanceof Promise)) {
      this.#pending.resolve(call, checked);
      return;
    }
    this.#pending.settleChecked(call, checked, (error) => call.unreadable(error));
  }

  /** An error frame: a refusal, or what the method threw. @throws RpcError `protocol` */
  error(reader: ByteReader): void {
    const call = this.#taken(reader);
    const flags = reader.u8();
    if (flags & errorFlag.argumentsUntouched) call.departed?.undo();
    try {
      this.#reject(call, flags, reader);
    } catch (error) {
      this.#pending.reject(call, call.unreadable(error));
    }
    this.#outgoing.pump();
  }

  #reject(call: PendingCall, flags: number, { bytes, position, end }: ByteReader): void {
    const { codec, limits } = this.#environment;
    const decoded = codec.decodeList(bytes, position, end, limits);
    if (call.isSettled && !call.isOneway) {
      this.#arrivals.giveBack(decoded.references);
      return;
    }
    const parts = this.#arrivals.hydrate(decoded);
    const error = flags & errorFlag.thrown ? thrownFrom(parts) : refusalFrom(parts, call.describe());
    if (call.isOneway) this.#pending.failedUnheard(error);
    else if (flags & errorFlag.brokenStep) this.#pending.brokenStep(call, error as RpcError);
    else this.#pending.reject(call, error);
  }

  #taken(reader: ByteReader): PendingCall {
    const id = reader.varint();
    const call = this.#outgoing.take(id);
    if (!call) throw new RpcError("protocol", `an answer to call ${id}, which awaits none`, "unknown");
    return call;
  }
}
