/** Tells those who hold objects weakly that the engine has collected garbage: time to look for what is gone. */

export class Collections {
  readonly #listeners = new Set<() => void>();
  /** One object of no use for each collection, whatever the number of listeners: who is told of it knows of the rest. */
  readonly #sacrifices = new FinalizationRegistry<undefined>(() => this.#collected());
  #isWatching = false;

  /** Calls `listener` after each collection, in a turn of its own, until `unwatch`. Twice is once. */
  watch(listener: () => void): void {
    this.#listeners.add(listener);
    this.#sacrifice();
  }

  unwatch(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  #sacrifice(): void {
    if (this.#isWatching || this.#listeners.size === 0) return;
    this.#isWatching = true;
    this.#sacrifices.register({}, undefined);
  }

  #collected(): void {
    this.#isWatching = false;
    for (const listener of [...this.#listeners]) listener();
    this.#sacrifice();
  }
}
