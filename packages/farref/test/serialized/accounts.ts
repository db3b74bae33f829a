/** What the tests serialize: objects with a race in them. */
import { ByReference } from "farref";

/** Lets every other task of this turn of the event loop go first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0));
}

/** Awaits between reading and writing. */
export class Account {
  /** Who was in the middle of something at the same time, at worst. */
  readonly seen = { atOnce: 0 };
  owner = "ann";
  #balance = 0;
  #inside = 0;

  async deposit(amount: number): Promise<number> {
    return this.#alone(async () => {
      const before = this.#balance;
      await nextTurn();
      this.#balance = before + amount;
      return this.#balance;
    });
  }

  balance(): number {
    return this.#balance;
  }

  /** Waits for something before it is done. */
  async hold(opened: PromiseLike<unknown>): Promise<void> {
    await this.#alone(async () => {
      await opened;
    });
  }

  /** Calls whoever it is given while it runs. */
  async during<T>(callback: () => T | Promise<T>): Promise<T> {
    return this.#alone(async () => {
      await nextTurn();
      return await callback();
    });
  }

  /** The same at once, and then waits for something else. */
  async meanwhile<T>(callback: () => T | Promise<T>, opened: PromiseLike<unknown>): Promise<T> {
    const result = callback();
    await opened;
    return result;
  }

  fail(message: string): never {
    throw new RangeError(message);
  }

  async failLater(message: string): Promise<never> {
    await nextTurn();
    throw new RangeError(message);
  }

  itself(): this {
    return this;
  }

  async itselfLater(): Promise<this> {
    await nextTurn();
    return this;
  }

  get doubled(): number {
    return 2 * this.#balance;
  }

  set doubled(value: number) {
    this.#balance = value / 2;
  }

  _secret(): number {
    return this.#balance;
  }

  [Symbol.toPrimitive](): string {
    return `${this.owner} has ${this.#balance}`;
  }

  async #alone<T>(task: () => Promise<T>): Promise<T> {
    this.seen.atOnce = Math.max(this.seen.atOnce, ++this.#inside);
    try {
      return await task();
    } finally {
      this.#inside--;
    }
  }
}

export class FarAccount extends ByReference {
  #balance = 0;
  disposals = 0;

  async deposit(amount: number): Promise<number> {
    const before = this.#balance;
    await nextTurn();
    this.#balance = before + amount;
    return this.#balance;
  }

  balance(): number {
    return this.#balance;
  }

  itself(): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.disposals++;
  }
}
