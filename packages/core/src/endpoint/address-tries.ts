/** Slows down who fails to authenticate again and again: a bucket of tries for each address. */
import type { PeerAddress } from "../channel/channel.ts";
import type { Clock } from "../clock/clock.ts";
import type { AuthTries } from "../session/server-handshake.ts";

/** Failures an address may have at once; afterwards one try a second. */
const burst = 10;
const refillMs = 1_000;
/** A try that would have to wait longer is refused. */
const maxWaitMs = 3_000;
const maxAddresses = 10_000;

/**
 * Each address owes `refillMs` for each failed try, and pays by waiting once it owes more than the burst. Tries that are
 * under way count, so that trying in parallel gains nothing.
 */
export class AddressTries implements AuthTries {
  readonly #clock: Clock;
  /** When each address will owe nothing any more. */
  readonly #paidAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take({ transport, address }: PeerAddress): number | undefined {
    const key = address ?? transport;
    const now = this.#clock.now();
    const paidAt = Math.max(now, this.#paidAt.get(key) ?? now) + refillMs;
    const waitMs = Math.max(0, paidAt - now - burst * refillMs);
    if (waitMs > maxWaitMs) return undefined;
    if (this.#paidAt.size >= maxAddresses) this.#forgetPaid(now);
    this.#paidAt.set(key, paidAt);
    return waitMs;
  }

  refund({ transport, address }: PeerAddress): void {
    const key = address ?? transport;
    const paidAt = this.#paidAt.get(key);
    if (paidAt === undefined) return;
    if (paidAt - refillMs <= this.#clock.now()) this.#paidAt.delete(key);
    else this.#paidAt.set(key, paidAt - refillMs);
  }

  #forgetPaid(now: number): void {
    for (const [key, paidAt] of this.#paidAt) if (paidAt <= now) this.#paidAt.delete(key);
  }
}
