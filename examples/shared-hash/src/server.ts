/** A hash that several processes share. */
import { setImmediate as nextTask } from "node:timers/promises";
import { startService } from "farref";

type Value = number | string | Date | undefined;

export class SharedHash {
  readonly #values = new Map<string, Value>();
  #lastTurn: Promise<unknown> = Promise.resolve();

  get(key: string) {
    return this.#values.get(key);
  }

  set(key: string, value: Value) {
    this.#values.set(key, value);
  }

  // #region increment
  /** Nothing comes between the lines of a method that awaits nothing. */
  increment(key: string) {
    this.set(key, this.#number(key) + 1);
  }
  // #endregion

  // #region slowly
  /** Awaits between reading and writing, and calls run concurrently: others come in between. */
  async incrementSlowly(key: string) {
    const value = this.#number(key);
    await nextTask();
    this.set(key, value + 1);
  }

  /** The same, one call at a time: each waits for the one before it. */
  incrementInTurn(key: string) {
    const turn = this.#lastTurn.then(() => this.incrementSlowly(key));
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }
  // #endregion

  #number(key: string) {
    const value = this.get(key);
    return typeof value === "number" ? value : 0;
  }
}

/** Lets `count` callers go on together. */
export class StartingLine {
  readonly #waiting: (() => void)[] = [];

  ready(count: number) {
    return new Promise<void>((go) => {
      this.#waiting.push(go);
      if (this.#waiting.length === count) for (const release of this.#waiting.splice(0)) release();
    });
  }
}

const service = await startService("tcp://127.0.0.1:0", new SharedHash());
service.publish("start", new StartingLine());
console.log(`hash at ${service.uri}`);
