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
  /** Those whose data is being walked. */
  readonly #open: Packed[] = [];
  /** In the order in which they end. */
  readonly #ended: Packed[] = [];
  /** The data of one leads to an object that was there before, and from there perhaps back. */
  #isDoubtful = false;

  begin(packed: Packed): void {
    this.#open.push(packed);
  }

  end(): void {
    this.#ended.push(this.#open.pop()!);
  }

  /** An object was met again. A registered value that has ended leads nowhere else, or was doubtful itself. */
  met(packed: Packed | undefined): void {
    if (this.#open.length > 0 && (!packed || this.#open.includes(packed))) this.#isDoubtful = true;
  }

  /** The path from the root of the message to a registered value that holds itself. */
  cycle(root: unknown, look: Look): string | undefined {
    const held = this.#isDoubtful ? firstCycle(this.#ended, look) : undefined;
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
  return partsOf(part, look).some((inner) => leadsToUnbuilt(inner, built, look));
}

/** How a registered value is reached: `[0].orders.get("tea")<packed order>.price`. */
export function pathTo(sought: Packed, part: unknown, look: Look, seen = new Set<object>()): string | undefined {
  if (!isObject(part) || seen.has(part)) return undefined;
  if (look.packedFrom(part) === sought) return "";
  seen.add(part);
  for (const [i, inner] of partsOf(part, look).entries()) {
    const rest = pathTo(sought, inner, look, seen);
    if (rest !== undefined) return stepTo(i, part, look) + rest;
  }
  return undefined;
}

function isObject(part: unknown): part is object {
  return typeof part === "object" && part !== null;
}

const none: readonly unknown[] = [];

/** What a part holds. All that is walked was written or read before, so there is no accessor among it. */
function partsOf(part: object, look: Look): readonly unknown[] {
  const packed = look.packedFrom(part);
  if (packed) return [packed.data];
  const reason = look.reasonOf(part);
  if (reason !== undefined) return [reason];
  if (look.isOpaque(part)) return none;
  if (Array.isArray(part)) return part;
  if (part instanceof Map) return [...part].flat();
  if (part instanceof Set) return [...part];
  if (part instanceof Error) return keysOf(part).map((key) => Reflect.get(part, key));
  return hasParts(part) ? Object.values(part) : none;
}

/** The step to the part of that index. */
function stepTo(index: number, part: object, look: Look): string {
  const packed = look.packedFrom(part);
  if (packed) return packedStep(packed.name);
  if (look.reasonOf(part) !== undefined) return ".reason";
  if (Array.isArray(part)) return `[${index}]`;
  if (part instanceof Map) return mapStep(index, part);
  if (part instanceof Set) return `<member ${index}>`;
  return propertyStep(keysOf(part)[index]!);
}

function mapStep(index: number, map: ReadonlyMap<unknown, unknown>): string {
  const entry = index >> 1;
  return index % 2 === 0 ? `<key ${entry}>` : entryStep([...map.keys()][entry]);
}

function keysOf(part: object): readonly string[] {
  const said = part instanceof Error ? sayingKeys.filter((key) => Object.hasOwn(part, key)) : [];
  return [...said, ...Object.keys(part)];
}

/** Of all else that a message may be made of, these have properties that are parts of it. */
function hasParts(part: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(part);
  return prototype === Object.prototype || prototype === null || part instanceof UnknownValue;
}
