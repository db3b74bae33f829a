/** What every contender serves. */
import { ByReference } from "farref";
import type { Payload } from "./contender.ts";

export const service = {
  add: (a: number, b: number): number => a + b,
  echo: (value: Payload): Payload => value,
  /** An object of its own for each call. */
  fresh: (): Adder => new Adder(),
};

export type Service = typeof service;

/** An object with a state of its own. */
export class Adder extends ByReference {
  #sum = 1;

  plus(n: number): number {
    this.#sum += n;
    return this.#sum;
  }
}
