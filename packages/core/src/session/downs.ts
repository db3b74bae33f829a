/**
 * News that references we gave out are gone for good: their owner has revoked them, or the way on has ended. Collected
 * over a turn, and sent behind everything that was begun before, so that a reference is known before its end is told.
 *
 *     down   reason · text error · reference*
 */
import type { Clock } from "../clock/clock.ts";
import { printable } from "../errors/printable.ts";
import { RpcError } from "../errors/rpc-error.ts";
import type { Down } from "../types/session.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { frame, maxFragmentBytes, optional } from "../wire/frames.ts";
import type { Outbox } from "../wire/outbox.ts";
import { writeText } from "./goodbye.ts";
import type { HeldCalls } from "./held-calls.ts";

const maxReferencesPerFrame = 2_048;
const maxErrorLength = 1_024;
const maxErrorBytes = 4_096;

/** By their numbers on the wire. A peer's own `released` is `disposed` to whoever it passed the object on to. */
const reasons = ["disposed", "closed", "session-lost"] as const;

interface News {
  readonly id: number;
  readonly down: Down;
}

export interface DownsOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  /** Calls that wait to be sent. */
  readonly held: HeldCalls;
}

export class Downs {
  readonly #options: DownsOptions;
  #pending: News[] = [];
  #state: "waiting" | "open" | "closed" = "waiting";

  constructor(options: DownsOptions) {
    this.#options = options;
  }

  /** The peer knows of the session: it can be told. */
  begin(): void {
    if (this.#state === "waiting") this.#state = "open";
    if (this.#pending.length > 0) this.#sendSoon();
  }

  add(id: number, down: Down): void {
    if (this.#pending.push({ id, down }) === 1) this.#sendSoon();
  }

  close(): void {
    this.#state = "closed";
  }

  #sendSoon(): void {
    if (this.#state === "open") this.#options.clock.endOfTurn(() => this.#send());
  }

  #send(): void {
    const news = this.#pending;
    this.#pending = [];
    const { outbox, held } = this.#options;
    const send = () => outbox.afterBegun(() => this.#write(news));
    send();
    // A call that is held back may bring one of the references only now: it is told again.
    if (!held.isEmpty) held.behind(send);
  }

  #write(news: readonly News[]): void {
    if (this.#state === "closed") return;
    for (let from = 0; from < news.length; ) {
      const end = endOfRun(news, from);
      this.#writeRun(news.slice(from, end));
      from = end;
    }
  }

  /** News of one kind. */
  #writeRun(run: readonly News[]): void {
    const { reason, error } = (run[0] as News).down;
    const { outbox } = this.#options;
    const writer = outbox.begin(frame.down | optional);
    writer.u8(Math.max(0, reasons.indexOf(reason as (typeof reasons)[number])));
    writeText(writer, error?.detail.slice(0, maxErrorLength) ?? "");
    for (const { id } of run) writer.varint(id);
    outbox.end("control");
  }
}

function endOfRun(news: readonly News[], from: number): number {
  const { down } = news[from] as News;
  let end = from + 1;
  while (end < news.length && end - from < maxReferencesPerFrame && news[end]?.down === down) end++;
  return end;
}

/**
 * Reads a `down` frame up to its references. A reason of a later version is taken for an end in order.
 * @throws RpcError `protocol` for one that is larger than any of ours: its references would keep us busy for long
 */
export function readDown(reader: ByteReader): Down {
  if (reader.remaining > maxFragmentBytes) throw new RpcError("protocol", "a down frame in fragments", "unknown");
  const reason = reasons[reader.u8()] ?? "closed";
  const detail = printable(reader.text(maxErrorBytes), maxErrorLength);
  if (reason === "disposed" || detail === "") return { reason };
  return { reason, error: new RpcError("closed", detail, "unknown") };
}
