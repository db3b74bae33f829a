/** What the browser tests talk to: an object in Node that calls the page back as readily as it is called. */
import { isDeepStrictEqual } from "node:util";
import { goldenVectors } from "../packages/core/test/values/golden.ts";
import {
  ByReference,
  connect,
  currentCall,
  monitor,
  type Remote,
  revoke,
  type Service,
  type SessionStats,
  serialized,
  startService,
} from "../packages/farref/src/index.ts";
import { BrowserStreams } from "./browser-streams.ts";

class Account extends ByReference {
  #balance = 0;

  deposit(amount: number): number {
    this.#balance += amount;
    return this.#balance;
  }
}

/** Calls pages back while its methods run, one at a time. */
class Counter extends ByReference {
  #count = 0;

  next(): number {
    return ++this.#count;
  }

  async during<T>(callback: () => T | Promise<T>): Promise<T> {
    return callback();
  }
}

/** What a page may offer: its front, or an object it passes. */
export interface Greeter {
  greet(name: string): string;
}

export class BrowserService {
  readonly #accounts = new Map<string, Account>();
  #passing: Service<BrowserService> | undefined;
  readonly #allowedOrigins: readonly string[];

  constructor(allowedOrigins: readonly string[]) {
    this.#allowedOrigins = allowedOrigins;
  }

  add(a: number, b: number): number {
    return a + b;
  }

  echo(value: unknown): unknown {
    return value;
  }

  /** Never answers. */
  hang(): Promise<never> {
    return new Promise(() => {});
  }

  fail(): never {
    throw Object.assign(new RangeError("too far", { cause: new TypeError("inner") }), { code: "E_FAR", by: 7 });
  }

  buffer(): Buffer {
    return Buffer.from("hi");
  }

  account(name: string): Account {
    const account = this.#accounts.get(name) ?? new Account();
    this.#accounts.set(name, account);
    return account;
  }

  counter(): Counter {
    return serialized(new Counter());
  }

  /** What a page hands on to us, of another service's or of its own. */
  async depositTo(account: Account, amount: number): Promise<number> {
    return account.deposit(amount);
  }

  /** Why an object that the page hands on is gone, when it is. */
  whyGone(account: object): Promise<string> {
    return new Promise((resolve) => void monitor(account, ({ reason }) => resolve(reason)));
  }

  revokeAccount(name: string): void {
    const account = this.#accounts.get(name);
    if (account) revoke(account);
  }

  /** An account of the passing service, handed on to the page. */
  async passingAccount(name: string): Promise<Remote<Account>> {
    const passing = await connect<BrowserService>(this.#passing?.uri ?? "");
    return passing.account(name);
  }

  isAccount(name: string, account: unknown): boolean {
    return this.#accounts.get(name) === account;
  }

  async call(callback: (n: number) => number, times: number): Promise<number[]> {
    return Promise.all(Array.from({ length: times }, (_, i) => callback(i)));
  }

  async greetBy(greeter: Remote<Greeter>): Promise<string> {
    return `${await greeter.greet("Node")} by an object`;
  }

  async greetByFront(): Promise<string> {
    return `${await currentCall().session.front<Greeter>().greet("Node")} by the front`;
  }

  golden(name: string): unknown {
    return goldenVectors.find((vector) => vector.name === name)?.make();
  }

  isGolden(name: string, value: unknown): boolean {
    const golden = this.golden(name);
    // Node takes two invalid dates for different ones.
    if (value instanceof Date && golden instanceof Date) return Object.is(value.getTime(), golden.getTime());
    return isDeepStrictEqual(value, golden);
  }

  streams(): BrowserStreams {
    return new BrowserStreams();
  }

  origin(): string {
    return currentCall().session.peer.transport;
  }

  tables(): SessionStats {
    return currentCall().session.stats();
  }

  closeMe(): void {
    const { session } = currentCall();
    setImmediate(() => session.close("you asked for it"));
  }

  /** Starts a second service, which `endPassing` closes. */
  async startPassing(): Promise<string> {
    this.#passing = await startService("ws://127.0.0.1:0", new BrowserService([]), {
      allowedOrigins: this.#allowedOrigins,
    });
    return this.#passing.uri;
  }

  async endPassing(): Promise<void> {
    await this.#passing?.close();
  }

  /** A service that lets in no page of the tests' own. */
  async startStrict(): Promise<string> {
    this.#passing = await startService("ws://127.0.0.1:0", new BrowserService([]), {
      allowedOrigins: ["https://elsewhere.example"],
    });
    return this.#passing.uri;
  }
}
