/**
 * Finds registered values that hold themselves: none of them could be unpacked first. While a message is walked it is only
 * noted whether there may be one; looking for it is left to the few messages where there may.
 */
import { sayingKeys } from "./errors-as-values.ts";
import { entryStep, packedStep, propertyStep } from "./refusal.ts";
import { UnknownValue } from "./unknown-values.ts";

/** A registered value of a message. */
export interface Packed {
  readonly name: string;
  readonly data: unknown;
}

/** How the parts of a message are told from each other: before it is written, or after it was read. */
export interface Look {
  packedFrom(part: object): Packed | undefined;
  /** Why an abort signal was aborted. */
  reasonOf(part: object): unknown;
  /** Whether it is looked at from outside only: what it holds is no part of the message. */
  isOpaque(part: object): boolean;
}

/** The registered values of a message. */
export class Nesting {
  readonly #ended = new Set<Packed>();
  #open = 0;
  /** The data of one leads to an object that was there before, and from there perhaps back. */
  #isDoubtful = false;

  begin(): void {
    this.#open++;
  }

  end(packed: Packed): void {
    this.#open--;
    this.#ended.add(packed);
  }

  /** An object was met again. A registered value that has ended leads nowhere else, or was doubtful itself. */
  met(packed: Packed | undefined): void {
    if (this.#open > 0 && !(packed && this.#ended.has(packed))) this.#isDoubtful = true;
  }

  /** The path from the root of the message to a registered value that holds itself. */
  cycle(root: unknown, look: Look): string | undefined {
    const held = this.#isDoubtful ? firstCycle([...this.#ended], look) : undefined;
    return held && pathTo(held, root, look);
  }
}

/** In the order in which they end, registered values hold only what ended before them, unless they hold themselves. */
function firstCycle(ended: readonly Packed[], look: Look): Packed | undefined {
  const built = new Set<object>();
  return ended.find((packed) => leadsToUnbuilt(packed.data, built, look) || !built.add(packed));
}

function leadsToUnbuilt(part: unknown, built: Set<object>, look: Look): boolean {
  if (!isObject(part) || built.has(part)) return false;
  const packed = look.packedFrom(part);
  if (packed) return !built.has(packed);
  built.add(part);
  for (const [inner] of partsOf(part, look)) if (leadsToUnbuilt(inner, built, look)) return true;
  return false;
}

/** How a registered value is reached: `[0].orders.get("tea")<packed order>.price`. */
export function pathTo(sought: Packed, part: unknown, look: Look, seen = new Set<object>()): string | undefined {
  if (!isObject(part) || seen.has(part)) return undefined;
  if (look.packedFrom(part) === sought) return "";
  seen.add(part);
  for (const [inner, step] of partsOf(part, look)) {
    const rest = pathTo(sought, inner, look, seen);
    if (rest !== undefined) return step() + rest;
  }
  return undefined;
}

function isObject(part: unknown): part is object {
  return typeof part === "object" && part !== null;
}

type Part = readonly [part: unknown, step: () => string];

/** What a part holds. Steps are put into words only where they are asked for; no code of a program's runs. */
function* partsOf(part: object, look: Look): Iterable<Part> {
  const packed = look.packedFrom(part);
  yield [look.reasonOf(part), () => ".reason"];
  if (packed) yield [packed.data, () => packedStep(packed.name)];
  else if (look.isOpaque(part)) return;
  else if (part instanceof Map) yield* entriesOf(part);
  else if (part instanceof Set) yield* membersOf(part);
  else if (hasProperties(part)) yield* propertiesOf(part);
}

/** Of all that a message may be made of, these have properties that are parts of it. */
function hasProperties(part: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(part);
  const isPlain = prototype === Object.prototype || prototype === null || Array.isArray(part);
  return isPlain || part instanceof Error || part instanceof UnknownValue;
}

function* entriesOf(map: ReadonlyMap<unknown, unknown>): Iterable<Part> {
  for (const [i, [key, value]] of [...map].entries()) {
    yield [key, () => `<key ${i}>`];
    yield [value, () => entryStep(key)];
  }
}

function* membersOf(set: ReadonlySet<unknown>): Iterable<Part> {
  for (const [i, member] of [...set].entries()) yield [member, () => `<member ${i}>`];
}

function* propertiesOf(object: object): Iterable<Part> {
  const hidden = object instanceof Error ? sayingKeys : [];
  for (const key of [...hidden, ...Object.keys(object)]) {
    const step = () => (Array.isArray(object) ? `[${key}]` : propertyStep(key));
    yield [Object.getOwnPropertyDescriptor(object, key)?.value, step];
  }
}
