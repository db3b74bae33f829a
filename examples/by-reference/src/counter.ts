/** A counter that travels as a reference. */
import { ByReference } from "farref";

// #region counter
export class Counter extends ByReference {
  #value: number;

  constructor(value: number) {
    super();
    this.#value = value;
  }

  increment() {
    this.#value++;
  }

  value() {
    return this.#value;
  }
}
// #endregion
