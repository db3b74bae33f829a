/** What every contender serves. */
import { ByReference } from "farref";
import type { Payload } from "./contender.ts";

/** An object with a state of its own, and perhaps another one behind it. */
export class Adder extends ByReference {
  readonly #next: Adder | undefined;
  #sum = 1;

  constructor(next?: Adder) {
    super();
    this.#next = next;
  }

  plus(n: number): number {
    this.#sum += n;
    return this.#sum;
  }

  next(): Adder {
    if (!this.#next) throw new Error("this is the last one");
    return this.#next;
  }
}

const chain = new Adder(new Adder());

export const service = {
  add: (a: number, b: number): number => a + b,
  echo: (value: Payload): Payload => value,
  /** An object of its own for each call. */
  fresh: (): Adder => new Adder(),
  /** The first of two that are always the same. */
  first: (): Adder => chain,
  async *items(count: number): AsyncGenerator<number, void, undefined> {
    for (let i = 0; i < count; i++) yield i & 0xff;
  },
};

export type Service = typeof service;
