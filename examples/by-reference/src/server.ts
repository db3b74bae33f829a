/** Increments what it is given: a copy, or an object that stays where it is. */
import { startService } from "farref";
import type { Counter } from "./counter.js";

// #region incrementer
export interface PlainCounter {
  value: number;
}

export class Incrementer {
  /** Plain objects are copied: these are ours, and the caller's stay as they were. */
  incrementCopies(counters: PlainCounter[]) {
    for (const counter of counters) counter.value++;
    return counters;
  }

  /** These are stubs: each call goes back to the process of the caller, and changes the object there. */
  async incrementAll(counters: Counter[]) {
    for (const counter of counters) await counter.increment();
    return counters;
  }
}
// #endregion

const service = await startService("tcp://127.0.0.1:0", new Incrementer());
console.log(`incrementer at ${service.uri}`);
