/**
 * One walk over bytes from a peer. Every header is checked against what is left of the message and of its budget before
 * anything is allocated; nothing of a program's is called.
 */
import type { Attachments } from "../wire/byte-reader.ts";
import { copyBytes } from "./binary.ts";
import type { Decoded, ValueLimits } from "./codec.ts";
import { absentType, backReferenceType } from "./extension-types.ts";
import type { ExtensionTable } from "./extensions.ts";
import { KeyMemory, type KnownKey, knownAt } from "./key-memory.ts";
import { beyondLimit, malformed } from "./malformation.ts";
import { NameMemory } from "./name-memory.ts";
import { readFloat64, readNumber } from "./numbers.ts";
import { Placeholder } from "./placeholder.ts";
import { Marker } from "./references.ts";
import { readText } from "./text.ts";
import type { ReadWatch } from "./value-type.ts";

const noBytes = new Uint8Array(0);
const none: readonly never[] = [];

export class Decoder {
  bytes: Uint8Array = noBytes;
  position = 0;
  /** From the first value of a registered class on. */
  watch: ReadWatch | undefined;
  readonly #table: ExtensionTable;
  #end = 0;
  #maxDepth = 0;
  #maxNodes = 0;
  #nodesLeft = 0;
  #objects: object[] = [];
  #attachments: Attachments = none;
  #attachmentsRead = 0;
  #placeholders: Placeholder[] | undefined;
  /** What was just read and is no value: a placeholder until its container has given it its place, a hole. */
  #pending: Placeholder | "hole" | undefined;
  /** Of all messages; what it takes from them is bounded. */
  readonly #keys = new KeyMemory();
  /** Of all messages too. */
  readonly names = new NameMemory();

  constructor(table: ExtensionTable) {
    this.#table = table;
  }

  begin(bytes: Uint8Array, start: number, end: number, limits: ValueLimits, attachments: Attachments = none): void {
    this.bytes = bytes;
    this.position = start;
    this.#end = end;
    this.#maxDepth = limits.maxDepth;
    this.#maxNodes = limits.maxNodes;
    this.#nodesLeft = limits.maxNodes;
    this.#attachments = attachments;
    this.#attachmentsRead = 0;
  }

  /** Forgets the message, so that nothing of it is kept alive. */
  end(): void {
    this.bytes = noBytes;
    this.#attachments = none;
    if (this.#objects.length > 0) this.#objects = [];
    this.#placeholders = undefined;
    this.#pending = undefined;
    this.watch = undefined;
  }

  /** One value, to the last byte. */
  message(): Decoded {
    this.charge(1);
    const value = this.value(0);
    if (this.#pending === "hole") throw malformed("a hole outside an array", this.position - 3);
    return this.#whole(value);
  }

  /** A list of values, to the last byte; the list itself counts for nothing. */
  list(): Decoded<unknown[]> {
    const list: unknown[] = new Array(this.#arrayCount(this.u8()));
    this.#elements(list, 0);
    return this.#whole(list);
  }

  value(depth: number): unknown {
    const byte = this.u8();
    if (byte < 0x80) return byte;
    if (byte < 0x90) return this.#map(byte & 0x0f, depth);
    if (byte < 0xa0) return this.#array(byte & 0x0f, depth);
    if (byte < 0xc0) return this.#text(byte & 0x1f);
    if (byte >= 0xe0) return byte - 0x100;
    // The commonest numbers, spared a call: a quarter of the time of a list of them.
    if (byte === 0xcd) return this.#u16();
    if (byte === 0xce) return this.#u32();
    if (byte === 0xcb) return readFloat64(this.bytes, this.take(8));
    return this.#headed(byte, depth);
  }

  /** A value that is about to stand in `holder`. */
  placed(holder: object, key: PropertyKey, depth: number): unknown {
    const value = this.value(depth);
    if (this.#pending !== undefined) this.#settle(holder, key);
    return value;
  }

  /** Numbers an object, at its beginning, for later back references to it. */
  keep<T extends object>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  /** Takes note of a placeholder, in the order in which they end. */
  mark(placeholder: Placeholder): Placeholder {
    // Most messages that have one have no more: a list made by pushing has room for seventeen.
    if (this.#placeholders) this.#placeholders.push(placeholder);
    else this.#placeholders = [placeholder];
    this.#pending = placeholder;
    return placeholder;
  }

  /** The number of entries of the map that begins here; each costs `nodes` of the budget. */
  mapHeader(depth: number, nodes: number): number {
    const at = this.position;
    const byte = this.u8();
    this.enter(depth, at);
    if (byte >= 0x80 && byte < 0x90) return this.#count(byte & 0x0f, 2, nodes);
    if (byte >= 0xde && byte < 0xe0) return this.#count(this.#sized(byte - 0xdd), 2, nodes);
    throw malformed("no map where one must be", at);
  }

  arrayHeader(depth: number): number {
    this.enter(depth, this.position);
    return this.#arrayCount(this.u8());
  }

  /** Entries with string keys, as own properties of an empty `object`: whatever the key, no setter runs. */
  fields(object: object, count: number, depth: number): void {
    const target = object as Record<string, unknown>; // keys come from the message
    let path: KnownKey | undefined = this.#keys.root;
    for (let i = 0; i < count; i++) {
      const known: KnownKey | undefined = path && knownAt(this.bytes, this.position, path);
      if (known === undefined) path = this.#newField(object, path, depth);
      else {
        this.take(1 + known.key.length);
        target[known.key] = this.placed(object, known.key, depth + 1);
        path = known;
      }
    }
  }

  /** The next of what came beside the body. */
  attachment(): Uint8Array {
    const bytes = this.#attachments[this.#attachmentsRead++];
    if (bytes) return bytes;
    throw malformed("an attachment that did not come", this.position);
  }

  u8(): number {
    if (this.position >= this.#end) throw this.#truncated();
    return this.bytes[this.position++]!;
  }

  /** @throws Malformation beyond 2^53 - 1 */
  varint(): number {
    const at = this.position;
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80 && Number.isSafeInteger(value)) return value;
      if (byte < 0x80) break;
    }
    throw malformed("a number beyond 2^53 - 1", at);
  }

  #headed(byte: number, depth: number): unknown {
    if (byte >= 0xde) return this.#map(this.#sized(byte - 0xdd), depth);
    if (byte >= 0xdc) return this.#array(this.#sized(byte - 0xdb), depth);
    if (byte >= 0xd9) return this.#text(this.#sized(byte - 0xd9));
    if (byte >= 0xd4) return this.#extension(2 ** (byte - 0xd4), depth);
    if (byte >= 0xca) return readNumber(this, byte);
    if (byte >= 0xc7) return this.#extension(this.#sized(byte - 0xc7), depth);
    if (byte >= 0xc4) return this.#bin(this.#sized(byte - 0xc4));
    if (byte === 0xc1) throw malformed("0xc1, which means nothing,", this.position - 1);
    return byte === 0xc0 ? null : byte === 0xc3;
  }

  /** A length in one of the three widths that follow each other in MessagePack's codes. */
  #sized(width: number): number {
    return width === 0 ? this.u8() : width === 1 ? this.#u16() : this.#u32();
  }

  #map(announced: number, depth: number): object {
    this.enter(depth, this.position - 1);
    const count = this.#count(announced, 2, 1);
    const object = this.keep({});
    this.fields(object, count, depth);
    return object;
  }

  #array(announced: number, depth: number): unknown[] {
    this.enter(depth, this.position - 1);
    const list: unknown[] = this.keep(new Array(this.#count(announced, 1, 1)));
    this.#elements(list, depth + 1);
    return list;
  }

  /** Fills a list that has its length already. */
  #elements(list: unknown[], depth: number): void {
    for (let i = 0; i < list.length; i++) {
      const value = this.value(depth);
      if (this.#pending === "hole") this.#pending = undefined;
      else {
        list[i] = value;
        if (this.#pending !== undefined) this.#settle(list, i);
      }
    }
  }

  /** A field whose key is not where the memory expects it. Returns how the known path goes on, if it does. */
  #newField(object: object, path: KnownKey | undefined, depth: number): KnownKey | undefined {
    const at = this.position;
    const key = this.#key(depth);
    const length = this.position - at - 1;
    if (Object.hasOwn(object, key)) throw malformed("a repeated key", at);
    const value = this.value(depth + 1);
    if (key === "then" && isReference(this.#pending)) throw malformed("a reference named then", at);
    if (this.#pending !== undefined) this.#settle(object, key);
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
    return path && this.#keys.follow(path, key, length);
  }

  #key(depth: number): string {
    const at = this.position;
    const byte = this.u8();
    if (byte >= 0xa0 && byte < 0xc0) return this.#text(byte & 0x1f);
    const key = isHeadOfText(byte) ? this.#headed(byte, depth) : undefined;
    if (typeof key !== "string") throw malformed("a key that is no string", at);
    return key;
  }

  #text(length: number): string {
    const at = this.take(length);
    return readText(this.bytes, at, at + length);
  }

  #bin(length: number): Uint8Array {
    const at = this.take(length);
    return this.keep(copyBytes(this.bytes, at, at + length));
  }

  #extension(length: number, depth: number): unknown {
    const at = this.position;
    const type = this.u8();
    const end = this.position + length;
    if (end > this.#end) throw this.#truncated();
    const value = this.#payload(type, end, depth);
    if (this.position === end) return value;
    throw malformed(`an extension of type ${type} whose payload doesn't end where it says`, at);
  }

  #payload(type: number, end: number, depth: number): unknown {
    if (type === absentType) return this.#absent();
    if (type === backReferenceType) return this.#backReference(end);
    const extension = this.#table.forType(type);
    if (extension) return extension.read(this, end, depth);
    throw malformed(`an extension of unknown type ${type}`, this.position - 1);
  }

  #absent(): undefined {
    const kind = this.u8();
    if (kind > 1) throw malformed("an absent value of unknown kind", this.position - 1);
    if (kind === 1) this.#pending = "hole";
  }

  #backReference(end: number): object {
    const at = this.position;
    if (at === end || end - at > 4) throw malformed("a reference back that is no number", at);
    let number = 0;
    while (this.position < end) number = number * 256 + this.u8();
    const object = this.#objects[number];
    if (object === undefined) throw malformed(`a reference back to object ${number}, which was not there,`, at);
    return this.watch?.met(object, this) ?? object;
  }

  /** Gives what was just read its place: a placeholder. A hole has one in an array only. */
  #settle(holder: object, key: PropertyKey): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending instanceof Placeholder) {
      pending.holder = holder;
      pending.key = key;
    } else throw malformed("a hole outside an array", this.position - 3);
  }

  #arrayCount(byte: number): number {
    if (byte >= 0x90 && byte < 0xa0) return this.#count(byte & 0x0f, 1, 1);
    if (byte >= 0xdc && byte < 0xde) return this.#count(this.#sized(byte - 0xdb), 1, 1);
    throw malformed("no array where one must be", this.position - 1);
  }

  /** Believes an announced count only as far as the bytes and the budget can hold it. */
  #count(announced: number, bytesEach: number, nodesEach: number): number {
    if (announced * bytesEach > this.#end - this.position) throw this.#truncated();
    this.charge(announced * nodesEach);
    return announced;
  }

  /** Takes `nodes` values off the message's budget. */
  charge(nodes: number): void {
    this.#nodesLeft -= nodes;
    if (this.#nodesLeft >= 0) return;
    throw beyondLimit(`more than ${this.#maxNodes} values in one message (maxNodes)`, this.position);
  }

  /** Refuses a container nested too deep. */
  enter(depth: number, at: number): void {
    if (depth >= this.#maxDepth) throw beyondLimit(`nesting deeper than ${this.#maxDepth} (maxDepth)`, at);
  }

  #u16(): number {
    const at = this.take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  #u32(): number {
    const at = this.take(4);
    const { bytes } = this;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** Where the next `length` bytes begin. */
  take(length: number): number {
    const at = this.position;
    if (length > this.#end - at) throw this.#truncated();
    this.position = at + length;
    return at;
  }

  #truncated() {
    return malformed(`more announced than the ${this.#end - this.position} bytes that are left`, this.position);
  }

  #whole<T>(value: T): Decoded<T> {
    if (this.position !== this.#end) throw malformed("more bytes than the value has", this.position);
    if (this.#attachmentsRead < this.#attachments.length) {
      throw malformed("more attachments than the value has", this.position);
    }
    const references = (this.#placeholders ?? none) as readonly Marker[]; // others come with a watch
    return this.watch?.ended(value, references, this.position) ?? { value, references };
  }
}

/** Whether it could make a promise of its holder: streams and signals can't be called. */
function isReference(pending: Placeholder | "hole" | undefined): boolean {
  return pending instanceof Marker && callableKinds.has(pending.kind);
}

const callableKinds: ReadonlySet<Marker["kind"]> = new Set(["object", "function", "home", "result"]);

/** A wide `str` or an extension, which may be text with lone surrogates. */
function isHeadOfText(byte: number): boolean {
  return (byte >= 0xd4 && byte <= 0xdb) || (byte >= 0xc7 && byte <= 0xc9);
}
