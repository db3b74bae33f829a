/** Watches the signals that calls wait on, with one listener for each: platforms warn of a signal that has many. */

interface Watched {
  readonly tasks: Set<() => void>;
  readonly onAbort: () => void;
}

export class SharedSignals {
  readonly #expectListeners: (signal: AbortSignal) => void;
  readonly #watched = new Map<AbortSignal, Watched>();

  /** `expectListeners` prepares a signal: other sessions may listen to it too. */
  constructor(expectListeners: (signal: AbortSignal) => void) {
    this.#expectListeners = expectListeners;
  }

  /** Runs `task` once when `signal` aborts. Returns a function that takes it back. */
  listen(signal: AbortSignal, task: () => void): () => void {
    const watched = this.#watched.get(signal) ?? this.#watch(signal);
    watched.tasks.add(task);
    return () => {
      if (watched.tasks.delete(task) && watched.tasks.size === 0) this.#forget(signal, watched);
    };
  }

  #watch(signal: AbortSignal): Watched {
    const tasks = new Set<() => void>();
    const watched = {
      tasks,
      onAbort: () => {
        for (const task of [...tasks]) task();
      },
    };
    this.#expectListeners(signal);
    signal.addEventListener("abort", watched.onAbort, { once: true });
    this.#watched.set(signal, watched);
    return watched;
  }

  #forget(signal: AbortSignal, { onAbort }: Watched): void {
    signal.removeEventListener("abort", onAbort);
    this.#watched.delete(signal);
  }
}
