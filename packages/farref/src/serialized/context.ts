/** A value that follows a program through its calls, as Node's `AsyncLocalStorage` makes one do. */

export interface Context<V> {
  /** The value here; `undefined` outside. */
  get(): V | undefined;
  /** Runs a task, and what it goes on to do, with a value. */
  run<R>(value: V | undefined, task: () => R): R;
  /** Keeps everything that follows the program here: what it returns runs a task with it. */
  snapshot(): (task: () => unknown) => unknown;
}

/** Follows a function until its first `await`: all that browsers offer. */
export class StackContext<V> implements Context<V> {
  #value: V | undefined;

  get(): V | undefined {
    return this.#value;
  }

  run<R>(value: V | undefined, task: () => R): R {
    const outer = this.#value;
    this.#value = value;
    try {
      return task();
    } finally {
      this.#value = outer;
    }
  }

  snapshot(): (task: () => unknown) => unknown {
    const value = this.#value;
    return (task) => this.run(value, task);
  }
}
