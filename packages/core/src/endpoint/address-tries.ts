/** Slows down who fails to authenticate again and again: a debt for each address, paid off by waiting. */
import type { PeerAddress } from "../channel/channel.ts";
import type { Clock } from "../clock/clock.ts";
import type { AuthTries } from "../session/server-handshake.ts";

/** Failures an address may owe at once; afterwards one try a second. */
const burst = 10;
const refillMs = 1_000;
/** A try that would have to wait longer is refused. */
const maxWaitMs = 3_000;
/** Tries of one address under way at a time, so that guessing in parallel gains little. */
const maxTriesAtOnce = 256;
const maxAddresses = 10_000;

interface Account {
  /** When it will owe nothing any more. */
  paidAt: number;
  underWay: number;
}

/**
 * Each failure of an address costs it a second. Only failures do: any number of honest clients behind one address may
 * connect at once. Channels without an address, which only this machine can reach, are not counted.
 */
export class AddressTries implements AuthTries {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(peer: PeerAddress): number | undefined {
    const key = networkOf(peer);
    if (key === undefined) return 0;
    const now = this.#clock.now();
    const account = this.#accounts.get(key);
    const waitMs = Math.max(0, (account?.paidAt ?? now) - now - (burst - 1) * refillMs);
    if (waitMs > maxWaitMs || (account?.underWay ?? 0) >= maxTriesAtOnce) return undefined;
    if (account) account.underWay++;
    else this.#open(key, now);
    return waitMs;
  }

  failed(peer: PeerAddress): void {
    const key = networkOf(peer);
    const account = key === undefined ? undefined : this.#accounts.get(key);
    if (account) account.paidAt = Math.max(account.paidAt, this.#clock.now()) + refillMs;
  }

  ended(peer: PeerAddress): void {
    const key = networkOf(peer);
    const account = key === undefined ? undefined : this.#accounts.get(key);
    if (key === undefined || !account) return;
    account.underWay--;
    if (account.underWay === 0 && account.paidAt <= this.#clock.now()) this.#accounts.delete(key);
  }

  #open(key: string, now: number): void {
    if (this.#accounts.size >= maxAddresses) this.#forget(now);
    this.#accounts.set(key, { paidAt: now, underWay: 1 });
  }

  /** Those who owe nothing; when all do, whoever was there first. */
  #forget(now: number): void {
    for (const [key, { paidAt, underWay }] of this.#accounts) {
      if (paidAt <= now && underWay === 0) this.#accounts.delete(key);
    }
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size >= maxAddresses && oldest !== undefined) this.#accounts.delete(oldest);
  }
}

/** An IPv4 address; of an IPv6 address the first 64 bits, as everybody has as many of the others as they like. */
function networkOf({ address }: PeerAddress): string | undefined {
  if (!address?.includes(":")) return address;
  const [head = "", tail] = address.split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const rest = tail ? tail.split(":") : [];
  if (tail !== undefined)
    groups.push(...Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => "0"));
  return [...groups, ...rest].slice(0, 4).join(":");
}
