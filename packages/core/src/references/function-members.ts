/** What every function answers of itself: a far one does so here, and asks nobody. */

export interface FarFunction {
  readonly name: string;
  call(...args: unknown[]): unknown;
}

/** `undefined` for what a function has not. What `this` is given as does not travel: far functions have none. */
export function functionMember(key: string | symbol, far: FarFunction): unknown {
  switch (key) {
    case "name":
      return far.name;
    case "length":
      return 0;
    case "call":
      return (_this: unknown, ...args: unknown[]) => far.call(...args);
    case "apply":
      return (_this: unknown, args: readonly unknown[] = []) => far.call(...args);
    case "bind":
      return (_this: unknown, ...bound: unknown[]) =>
        (...args: unknown[]) =>
          far.call(...bound, ...args);
    default:
      return undefined;
  }
}
