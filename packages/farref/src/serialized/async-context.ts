/** In Node a value follows a function beyond its `await`s. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { Context } from "./context.ts";

export class AsyncContext<V> implements Context<V> {
  readonly #storage = new AsyncLocalStorage<V | undefined>();

  get(): V | undefined {
    return this.#storage.getStore();
  }

  run<R>(value: V | undefined, task: () => R): R {
    return this.#storage.run(value, task);
  }

  /** Other values that follow the program, such as a tracer's, come along. (`snapshot` of Node's own takes 20 µs.) */
  snapshot(): (task: () => unknown) => unknown {
    const resource = new AsyncResource("farref.serialized");
    return (task) => resource.runInAsyncScope(task);
  }
}
