/** The items of a stream as they come: as many as there are, whether anybody reads them or not. */

export class Items<T> implements AsyncIterable<T>, AsyncIterator<T, undefined> {
  #read: T[] = [];
  #at = 0;
  #waiting: { resolve(result: IteratorResult<T, undefined>): void; reject(error: Error): void } | undefined;
  #end: "open" | "ended" | Error = "open";

  push(item: T): void {
    if (!this.#waiting) {
      this.#read.push(item);
      return;
    }
    this.#waiting.resolve({ value: item, done: false });
    this.#waiting = undefined;
  }

  end(): void {
    this.#end = "ended";
    this.#waiting?.resolve({ value: undefined, done: true });
  }

  fail(error: Error): void {
    this.#end = error;
    this.#waiting?.reject(error);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#at < this.#read.length) return Promise.resolve({ value: this.#take(), done: false });
    if (this.#end === "ended") return Promise.resolve({ value: undefined, done: true });
    if (this.#end !== "open") return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): T {
    const item = this.#read[this.#at++] as T;
    if (this.#at === this.#read.length) {
      this.#read = [];
      this.#at = 0;
    }
    return item;
  }
}
