/**
 * Sources that live before anybody reads them: Node's streams, and what emits events and can be iterated, as readline
 * does. What they tell meanwhile would be lost, and one that fails would end the process.
 */

import { runGuarded } from "../errors/guarded.ts";

/** What is asked of one: core knows no module of Node's. */
interface Emitter extends AsyncIterable<unknown> {
  on(event: "error", listener: () => void): unknown;
  off(event: "error", listener: () => void): unknown;
}

interface NodeStream extends Emitter {
  pipe(destination: never): unknown;
  destroy(): unknown;
}

export interface LiveSource {
  /** None where making it has failed: that is for the stream's first step to try again, and to tell its reader. */
  readonly iterator: AsyncIterator<unknown> | undefined;
  /** Closes what is open; iterators of some can't be told while they wait. */
  close(): void;
  /** Its errors are its owner's to hear again. */
  letGo(): void;
}

/** Begins to listen, and hears errors until they can be told. `undefined` for what lives only when it is iterated. */
export function adoptLive(value: object): LiveSource | undefined {
  if (!isEmitter(value)) return undefined;
  const iterator = iteratorOf(value);
  const letGo = () => runGuarded(() => iterator?.return?.(), ignore);
  if (!isNodeStream(value)) return { iterator, close: () => {}, letGo };
  value.on("error", ignore);
  return { iterator, close: () => void value.destroy(), letGo: () => void value.off("error", ignore) };
}

const ignore = () => {};

function iteratorOf(value: Emitter): AsyncIterator<unknown> | undefined {
  try {
    const made: unknown = value[Symbol.asyncIterator]();
    return typeof made === "object" && made !== null && has(made, "next")
      ? (made as AsyncIterator<unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isEmitter(value: object): value is Emitter {
  return has(value, "on") && has(value, "off") && has(value, Symbol.asyncIterator) && !has(value, "next");
}

export function isNodeStream(value: object): value is NodeStream {
  return isEmitter(value) && has(value, "pipe") && has(value, "destroy");
}

function has(value: object, method: PropertyKey): boolean {
  return typeof (value as Readonly<Record<PropertyKey, unknown>>)[method] === "function";
}
