/** One walk over a value that writes it as it goes, identity and limits included. A step that is refused names itself. */
import type { ByteWriter } from "../wire/byte-writer.ts";
import { type AttachedLengths, maxAttachments, minAttachmentBytes } from "../wire/frames.ts";
import { writeBin } from "./binary.ts";
import { codeUnits } from "./code-units.ts";
import type { BinaryPlace, Exporter, ValueLimits } from "./codec.ts";
import type { Extension } from "./extension.ts";
import { absentType, attachmentType, backReferenceType } from "./extension-types.ts";
import type { ExtensionTable } from "./extensions.ts";
import { writeArrayHeader, writeExtensionHeader, writeMapHeader } from "./headers.ts";
import { Identities } from "./identities.ts";
import { isMarked } from "./marks.ts";
import { bigints, writeNumber } from "./numbers.ts";
import {
  accessor,
  countElements,
  extras,
  isGetter,
  localPrototype,
  ownValue,
  requireNoSymbols,
} from "./own-properties.ts";
import { references } from "./references.ts";
import { propertyStep, tooMuch, unsupported, within } from "./refusal.ts";
import { refusalOf } from "./refused-kinds.ts";
import { isAbortSignal, signals } from "./signals.ts";
import { isStreamClass, iteratesAsynchronously, streamRow } from "./streams.ts";
import { writeText } from "./text.ts";
import type { WriteWatch } from "./value-type.ts";

/** The program's own bytes, until code of the program's runs that may change them: then a copy. */
interface Attached {
  bytes: Uint8Array;
  readonly length: number;
}

export class Encoder {
  writer!: ByteWriter;
  exporter!: Exporter;
  readonly #table: ExtensionTable;
  readonly #identities = new Identities();
  #limits!: ValueLimits;
  #nodesLeft = 0;
  /** From the first value of a registered class on. */
  watch: WriteWatch | undefined;
  /** Binary that goes behind the body, in the order of its places there. */
  #attached: Attached[] | undefined;
  #attachedBytes = 0;
  /** How many of them are copies. */
  #keptAttached = 0;
  #place: BinaryPlace = "body";

  constructor(table: ExtensionTable) {
    this.#table = table;
  }

  begin(writer: ByteWriter, exporter: Exporter, limits: ValueLimits, place: BinaryPlace): void {
    this.#place = place;
    this.writer = writer;
    this.exporter = exporter;
    this.#limits = limits;
    this.#nodesLeft = limits.maxNodes;
  }

  end(): void {
    this.#identities.clear();
    this.watch = undefined;
    this.#attached = undefined;
    this.#attachedBytes = 0;
    this.#keptAttached = 0;
  }

  message(value: unknown): AttachedLengths {
    this.charge(1);
    this.value(value, 0);
    this.watch?.ended(value);
    return this.#attached && this.#writeAttached(this.#attached);
  }

  /** The list itself counts for nothing: not for depth, not as an object that may be met again. */
  list(values: readonly unknown[]): AttachedLengths {
    this.charge(values.length);
    writeArrayHeader(this.writer, values.length);
    this.elements(values, 0);
    this.watch?.ended(values);
    return this.#attached && this.#writeAttached(this.#attached);
  }

  /** Takes `count` values off the message's budget, before they are looked at. */
  charge(count: number): void {
    this.#nodesLeft -= count;
    if (this.#nodesLeft < 0) throw tooMuch(`more than ${this.#limits.maxNodes} values in one message (maxNodes)`);
  }

  value(value: unknown, depth: number): void {
    if (typeof value === "string") this.text(value);
    else if (typeof value === "number") writeNumber(this.writer, value);
    else if (typeof value === "object") this.#object(value, depth);
    else if (typeof value === "boolean") this.writer.u8(value ? 0xc3 : 0xc2);
    else if (typeof value === "undefined") this.#absent(0);
    else if (typeof value === "function") this.#function(value, depth);
    else if (typeof value === "bigint") bigints.write(this, value, depth);
    else throw unsupported("symbols are not copied; send a string");
  }

  /** Puts large binary behind the body, `kind` in its place; `false` where that may not be: then it goes into the body. */
  attach(bytes: Uint8Array, kind: number): boolean {
    if (bytes.length < minAttachmentBytes || this.#place === "body") return false;
    this.#attached ??= [];
    if (this.#attached.length >= maxAttachments) return false;
    this.#attached.push({ bytes, length: bytes.length });
    this.#chargeAttached(bytes.length);
    writeExtensionHeader(this.writer, attachmentType, 1);
    this.writer.u8(kind);
    return true;
  }

  #chargeAttached(bytes: number): void {
    const { maxMessageBytes = Number.POSITIVE_INFINITY } = this.#limits;
    this.#attachedBytes += bytes;
    if (this.#attachedBytes <= maxMessageBytes) return;
    throw tooMuch(`${this.#attachedBytes} bytes and more, the peer takes ${maxMessageBytes} (limits.maxMessageBytes)`);
  }

  /** To be called before a class packs itself, which may change bytes: what is to be attached stays what it is now. */
  keepAttached(): void {
    if (!this.#attached) return;
    for (const attached of this.#attached.slice(this.#keptAttached)) attached.bytes = attached.bytes.slice();
    this.#keptAttached = this.#attached.length;
  }

  /** Copied now: the program may change its own when the call has been made. */
  #writeAttached(attached: readonly Attached[]): AttachedLengths {
    this.writer.ensure(this.#attachedBytes);
    for (const { bytes, length } of attached) {
      if (bytes.length !== length) throw unsupported("binary whose buffer was changed while it was being sent");
      this.writer.raw(bytes);
    }
    return attached.map(({ length }) => length);
  }

  text(text: string): void {
    if (!writeText(this.writer, text)) codeUnits.write(this, text, 0);
  }

  /** Elements of an array, or arguments, without the header. Returns how many are holes. */
  elements(list: readonly unknown[], depth: number): number {
    let i = 0;
    let holes = 0;
    try {
      for (; i < list.length; i++) {
        const item = list[i];
        if (item !== undefined) this.value(item, depth);
        else if (Object.hasOwn(list, i)) this.value(ownValue(list, String(i)), depth);
        else {
          this.#absent(1);
          holes++;
        }
      }
    } catch (error) {
      throw within(`[${i}]`, error);
    }
    return holes;
  }

  array(list: readonly unknown[], depth: number): void {
    this.enter(depth);
    this.charge(list.length);
    requireNoGetters(list);
    const held = countElements(list);
    writeArrayHeader(this.writer, list.length);
    const holes = this.elements(list, depth + 1);
    if (held + holes !== list.length) throw extras();
  }

  /**
   * The enumerable own properties as a map with string keys; properties that are not enumerable don't travel, as with
   * JSON and structuredClone. Reads descriptors: an accessor is refused without being run.
   */
  fields(object: object, depth: number, keys: readonly string[] = Object.keys(object)): void {
    this.enter(depth);
    this.charge(keys.length);
    requireNoSymbols(object);
    writeMapHeader(this.writer, keys.length);
    let key = "";
    try {
      for (let i = 0; i < keys.length; i++) {
        key = keys[i]!;
        this.text(key);
        this.#field(object, key, depth + 1);
      }
    } catch (error) {
      throw within(propertyStep(key), error);
    }
  }

  #field(object: object, key: string, depth: number): void {
    const value = ownValue(object, key);
    if (key === "then" && this.#isReference(value)) {
      throw unsupported("an object with a function named then would be taken for a promise; use another name");
    }
    this.value(value, depth);
  }

  /** Refuses a container nested too deep. */
  enter(depth: number): void {
    if (depth >= this.#limits.maxDepth) throw tooMuch(`nested deeper than ${this.#limits.maxDepth} (maxDepth)`);
  }

  #object(value: object | null, depth: number): void {
    if (value === null) this.writer.u8(0xc0);
    else if (this.#isReference(value)) references.write(this, value, depth);
    else if (iteratesAsynchronously(value)) streamRow(value).write(this, value, depth);
    else {
      const met = this.#identities.meet(value);
      if (met >= 0) this.#again(value, met);
      else this.#copy(value, Object.getPrototypeOf(value), depth);
    }
  }

  #function(value: object, depth: number): void {
    const standIn = this.exporter.standIn(value);
    if (standIn === value) references.write(this, value, depth);
    else this.value(standIn, depth);
  }

  #copy(value: object, prototype: object | null, depth: number): void {
    if (prototype === Object.prototype) this.fields(value, depth);
    else if (prototype === Array.prototype && Array.isArray(value)) this.array(value, depth);
    else if (prototype === Uint8Array.prototype && ArrayBuffer.isView(value)) writeBin(this, value);
    else this.#copyOther(value, prototype, depth);
  }

  #copyOther(value: object, prototype: object | null, depth: number): void {
    const extension = this.#table.forObject(value, prototype);
    const local = extension || prototype === null ? undefined : localPrototype(prototype);
    if (extension) extension.write(this, value, depth);
    else if (local) this.#copy(value, local, depth);
    else if (isStreamClass(value)) this.#unnumbered(value, streamRow(value), depth);
    else if (isAbortSignal(value)) this.#unnumbered(value, signals, depth);
    else throw refusalOf(value);
  }

  /** No object of the message after all: like a reference it has no number in it. */
  #unnumbered<T extends object>(value: T, row: Extension<T>, depth: number): void {
    this.#identities.unmeet(value);
    row.write(this, value, depth);
  }

  /** A mark beats everything, so it is asked for first. */
  #isReference(value: unknown): boolean {
    if (typeof value === "function") return true;
    return typeof value === "object" && value !== null && (isMarked(value) || this.exporter.isPinned(value));
  }

  #absent(kind: 0 | 1): void {
    writeExtensionHeader(this.writer, absentType, 1);
    this.writer.u8(kind);
  }

  #again(value: object, number: number): void {
    this.watch?.met(value);
    const width = number < 256 ? 1 : number < 65_536 ? 2 : 4;
    writeExtensionHeader(this.writer, backReferenceType, width);
    if (width === 1) this.writer.u8(number);
    else if (width === 2) this.writer.u16(number);
    else this.writer.u32(number);
  }
}

function requireNoGetters(list: readonly unknown[]): void {
  for (let i = 0; i < list.length; i++) if (isGetter(list, i)) throw within(`[${i}]`, accessor());
}
