/** What the tests of streams share: sources that tell what became of them, and reading to the end. */
/** All items, and what the stream returned. */
export async function readAll<T>(stream: AsyncIterator<T, unknown>): Promise<{ items: T[]; result: unknown }> {
  const items: T[] = [];
  for (;;) {
    const step = await stream.next();
    if (step.done) return { items, result: step.value };
    items.push(step.value);
  }
}

export const upTo = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

export async function* counting(to = Number.POSITIVE_INFINITY): AsyncGenerator<number, string> {
  for (let i = 0; i < to; i++) yield i;
  return "done";
}

export interface Watched<T> extends AsyncIterable<T> {
  /** Items that were asked for. */
  readonly asked: number;
  /** How often it was begun, and how often ended. */
  readonly begun: number;
  readonly ended: number;
}

/** An iterable of as many items as anybody asks for, which counts what is done with it. */
export function watched<T>(make: (i: number) => T, to = Number.POSITIVE_INFINITY): Watched<T> {
  const state = { asked: 0, begun: 0, ended: 0 };
  return {
    get asked() {
      return state.asked;
    },
    get begun() {
      return state.begun;
    },
    get ended() {
      return state.ended;
    },
    async *[Symbol.asyncIterator]() {
      state.begun++;
      try {
        for (let i = 0; i < to; i++) {
          state.asked++;
          yield make(i);
        }
      } finally {
        state.ended++;
      }
    },
  };
}

/** Yields what it is told to, when it is told to, until it is shut. */
export function faucet<T>() {
  const queue: T[] = [];
  let isShut = false;
  let wake = () => {};
  async function* items(): AsyncGenerator<T> {
    while (!isShut) {
      for (const item of queue.splice(0)) yield item;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return {
    items: items(),
    pour(item: T) {
      queue.push(item);
      wake();
    },
    shut() {
      isShut = true;
      wake();
    },
  };
}

export function readableOf<T>(items: Iterable<T>): ReadableStream<T> {
  const iterator = items[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

export async function readWhole<T>(stream: ReadableStream<T>): Promise<T[]> {
  const items: T[] = [];
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return items;
    items.push(value);
  }
}
