/**
 * Values that go on where they arrive, one row for each: streams and signals. They stand beside the table, since they are not
 * compared but used: each is looked for where it should stand, used up, and what came of it is compared.
 */
import { type Wrapping, wrappings } from "./table.ts";

export interface LiveRow {
  readonly name: string;
  make(): object;
  /** Whether a message may hold it in two places. */
  readonly isForMany: boolean;
}

export const liveRows: readonly LiveRow[] = [
  { name: "an async generator", make: () => counting(), isForMany: false },
  { name: "an async iterable that begins anew", make: () => ({ [Symbol.asyncIterator]: counting }), isForMany: true },
  { name: "a ReadableStream", make: () => readable(), isForMany: false },
  { name: "an aborted signal", make: () => AbortSignal.abort({ why: [1] }), isForMany: true },
  { name: "a signal aborted with null", make: () => AbortSignal.abort(null), isForMany: true },
  { name: "a signal that aborts when it has left", make: () => abortingSoon(), isForMany: true },
];

export function wrappingsFor({ isForMany }: LiveRow): readonly Wrapping[] {
  return isForMany ? wrappings : wrappings.filter(({ where }) => where !== "twice");
}

export function liveIn(name: string, where: string): unknown {
  const row = liveRows.find((candidate) => candidate.name === name);
  const wrapping = wrappings.find((candidate) => candidate.where === where);
  if (!row || !wrapping) throw new RangeError(`there is no ${name} ${where} in the table`);
  return wrapping.wrap(row.make());
}

/** Uses up every stream and signal in a value. What came of them, as plain data, in the order they stand in. */
export async function usedUp(value: unknown): Promise<unknown[]> {
  return Promise.all([...liveParts(value, new Set())].map(use));
}

async function use(live: object): Promise<unknown> {
  if (live instanceof AbortSignal) return { signal: await reasonOf(live) };
  if (live instanceof ReadableStream) return { readable: await readThrough(live.getReader()) };
  const items: unknown[] = [];
  const iterator = (live as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  for (let step = await iterator.next(); ; step = await iterator.next()) {
    if (step.done) return { items, result: step.value };
    items.push(step.value);
  }
}

async function readThrough(reader: ReadableStreamDefaultReader<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let step = await reader.read(); !step.done; step = await reader.read()) items.push(step.value);
  return items;
}

async function reasonOf(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  return signal.reason;
}

/** Each once, however often it is met. */
function* liveParts(value: unknown, met: Set<object>): Generator<object> {
  if (typeof value !== "object" || value === null || met.has(value)) return;
  met.add(value);
  if (value instanceof AbortSignal || value instanceof ReadableStream || Symbol.asyncIterator in value) yield value;
  else for (const part of partsOf(value)) yield* liveParts(part, met);
}

function partsOf(object: object): unknown[] {
  if (object instanceof Map) return [...object].flat();
  if (object instanceof Set) return [...object];
  return Object.getOwnPropertyNames(object).map((key) => Reflect.get(object, key));
}

async function* counting(): AsyncGenerator<unknown, unknown> {
  yield 1;
  yield { two: [2] };
  return "done";
}

function readable(): ReadableStream<unknown> {
  return new ReadableStream({
    start(controller) {
      for (const item of [1, { two: [2] }]) controller.enqueue(item);
      controller.close();
    },
  });
}

/** Arguments are encoded before it aborts; a result may be before or after. */
function abortingSoon(): AbortSignal {
  const controller = new AbortController();
  queueMicrotask(() => controller.abort("later"));
  return controller.signal;
}
