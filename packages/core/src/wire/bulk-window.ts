/**
 * How much of large messages may be under way: about what the way to the peer takes, so that a small frame behind them is
 * not long about it. A ping follows what was sent. Its pong says that the peer has read so far; the longer that takes
 * beyond the shortest time seen, the more waits in queues on the way. The window follows, as in LEDBAT (RFC 6817), which
 * measures delay too.
 */
import type { Clock } from "../clock/clock.ts";

/** What a burst begins with: a message of this size waits for nothing. */
const initialBytes = 1024 * 1024;
/** Two fragments: one is read while the other is on its way. */
const minBytes = 128 * 1024;
const maxBytes = 16 * 1024 * 1024;
/** The window grows while pongs take less than so many times the shortest, and shrinks when they take more than … */
const shortTimes = 1.5;
const longTimes = 2;
/** The shortest is that of this period and the one before: a way may become longer. */
const periodMs = 30_000;

interface Probe {
  readonly bytes: number;
  readonly sentAt: number;
}

export class BulkWindow {
  readonly #clock: Clock;
  /** Pings not yet answered, and what lies between each and the one before it. */
  readonly #probes: Probe[] = [];
  #bytes = initialBytes;
  /** Under way; of that, behind the last ping. */
  #sent = 0;
  #unprobed = 0;
  /** The shortest that a pong took, in this period and in the one before. */
  #shortestMs = Number.POSITIVE_INFINITY;
  #shortestBeforeMs = Number.POSITIVE_INFINITY;
  #periodBegan: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#periodBegan = clock.now();
  }

  /** Whether another fragment may leave. */
  get isOpen(): boolean {
    return this.#sent < this.#bytes;
  }

  /** A fragment leaves. */
  sent(bytes: number): void {
    if (this.#sent === 0) this.#bytes = initialBytes;
    this.#sent += bytes;
    this.#unprobed += bytes;
  }

  /** A ping leaves behind all that was sent, whatever for. */
  probed(): void {
    this.#probes.push({ bytes: this.#unprobed, sentAt: this.#clock.now() });
    this.#unprobed = 0;
  }

  /** A pong came. Pings are answered in order. */
  answered(): void {
    const probe = this.#probes.shift();
    if (!probe) return;
    const { bytes, sentAt } = probe;
    const now = this.#clock.now();
    const tookMs = now - sentAt;
    this.#sent -= bytes;
    this.#note(tookMs, now);
    const shortestMs = Math.min(this.#shortestMs, this.#shortestBeforeMs);
    if (tookMs < shortTimes * shortestMs) this.#bytes = Math.min(maxBytes, this.#bytes + bytes);
    else if (tookMs > longTimes * shortestMs) this.#bytes = Math.max(minBytes, this.#bytes - bytes);
  }

  #note(tookMs: number, now: number): void {
    const sinceMs = now - this.#periodBegan;
    if (sinceMs > periodMs) {
      this.#periodBegan = now;
      this.#shortestBeforeMs = sinceMs > 2 * periodMs ? Number.POSITIVE_INFINITY : this.#shortestMs;
      this.#shortestMs = Number.POSITIVE_INFINITY;
    }
    this.#shortestMs = Math.min(this.#shortestMs, tookMs);
  }
}
