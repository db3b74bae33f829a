/** What a call runs on: an object and those of its methods that are offered. */
import type { Method } from "../references/method-table.ts";

export interface Callee {
  readonly object: object;
  /** `this` of the method; `undefined` for functions. */
  readonly self: object | undefined;
  method(name: string): Method | undefined;
}
