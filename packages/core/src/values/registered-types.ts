/**
 * The registered classes of one endpoint, and their values both ways. Packing runs while a message is written; unpacking
 * not before all of it has been read and what a value holds is in its place.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { Decoded, Importer } from "./codec.ts";
import type { Decoder } from "./decoder.ts";
import type { Encoder } from "./encoder.ts";
import type { Extension } from "./extension.ts";
import { packedType } from "./extension-types.ts";
import { hydrate } from "./hydrate.ts";
import { pathTo } from "./nesting.ts";
import { PackedMarker } from "./packed-marker.ts";
import type { Marker } from "./references.ts";
import { describe, packedStep, Refusal, within } from "./refusal.ts";
import { extraCost, UnknownValue, unknownValues } from "./unknown-values.ts";
import { fillInOrder } from "./unpacking.ts";
import {
  invalidType,
  notTypes,
  type RegisteredType,
  type TypeTable,
  tableOf,
  type ValueType,
  type Words,
} from "./value-type.ts";
import { lookOf, Reading, Writing } from "./watches.ts";

/** How instances of a class travel. */
export interface Packing {
  readonly name: string;
  readonly prototype: object;
  /** Whether an error that is thrown arrives as one of its class. */
  readonly isThrowable: boolean;
  pack(value: object): unknown;
  unpack(data: unknown): unknown;
}

export class PackedType implements RegisteredType {
  readonly name: string;
  readonly packing: Packing;

  constructor(packing: Packing) {
    this.name = packing.name;
    this.packing = packing;
  }

  [tableOf](types: readonly ValueType[], words: Words): TypeTable {
    return new RegisteredTypes(types, words);
  }
}

class RegisteredTypes implements TypeTable {
  readonly row: Extension<object>;
  readonly #byName = new Map<unknown, Packing>();
  readonly #byPrototype = new Map<object, Packing>();
  readonly #words: Words;

  constructor(types: readonly ValueType[], words: Words) {
    for (const type of types) this.#add(type);
    this.#words = words;
    this.row = {
      type: packedType,
      prototypes: [...this.#byPrototype.keys(), UnknownValue.prototype],
      write: (encoder, value, depth) => this.#write(encoder, value, depth),
      read: (decoder, end, depth) => this.#read(decoder, end, depth),
    };
  }

  isThrowable(thrown: unknown): boolean {
    if (!(thrown instanceof Error)) return false;
    return this.#byPrototype.get(Object.getPrototypeOf(thrown))?.isThrowable === true;
  }

  hydrate<T>(decoded: Decoded<T>, importer: Importer): T {
    const { value, placeholders } = decoded;
    if (!placeholders) return hydrate(decoded, importer);
    const resolved = new Map<unknown, unknown>();
    let root: unknown = value;
    try {
      fillInOrder(
        placeholders,
        resolved,
        (placeholder) =>
          placeholder instanceof PackedMarker
            ? this.#unpacked(placeholder, root, resolved)
            : importer.resolve(placeholder as Marker), // there are no others
      );
      // The root may be a placeholder, and what it stands for is what the caller expects of the decoded value.
      return resolved.has(value) ? (resolved.get(value) as T) : value;
    } finally {
      // An error that unpack throws keeps the functions that were running, and they what they close over: no stubs.
      resolved.clear();
      root = undefined;
    }
  }

  #add(type: ValueType): void {
    if (!(type instanceof PackedType)) throw invalidType(notTypes);
    const { packing } = type;
    const { name, prototype } = packing;
    if (this.#byName.has(name)) throw invalidType(`types: two are called ${name}`);
    if (this.#byPrototype.has(prototype)) throw invalidType(`types: the class of ${name} is registered twice`);
    this.#byName.set(name, packing);
    this.#byPrototype.set(prototype, packing);
  }

  #write(encoder: Encoder, value: object, depth: number): void {
    encoder.watch ??= new Writing(encoder.exporter);
    const { nesting, packedOf } = encoder.watch as Writing; // nobody else sets it
    encoder.keepAttached();
    const packed = this.#packed(value);
    packedOf.set(value, packed);
    nesting.begin(packed);
    try {
      unknownValues.write(encoder, packed, depth);
    } catch (error) {
      throw within(packedStep(packed.name), error);
    }
    nesting.end();
  }

  #packed(value: object): UnknownValue {
    const packing = this.#byPrototype.get(Object.getPrototypeOf(value));
    if (!packing) return value as UnknownValue; // the only class of the row that is not registered
    const { name } = packing;
    try {
      return { name, data: packing.pack(value) };
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal("unsupported-value", `it can't be packed as ${name}${this.#quote(error)}`, error);
    }
  }

  #read(decoder: Decoder, end: number, depth: number): unknown {
    const at = decoder.position;
    decoder.watch ??= new Reading();
    const { nesting } = decoder.watch as Reading; // nobody else sets it
    const packing = this.#byName.get(decoder.value(depth));
    if (!packing) {
      decoder.position = at;
      return unknownValues.read(decoder, end, depth);
    }
    decoder.enter(depth, at);
    decoder.charge(extraCost);
    const marker = decoder.keep(new PackedMarker(packing.name));
    nesting.begin(marker);
    marker.data = decoder.placed(marker, "data", depth + 1);
    nesting.end();
    return decoder.mark(marker);
  }

  #unpacked(marker: PackedMarker, root: unknown, resolved: ReadonlyMap<unknown, unknown>): unknown {
    try {
      return instanceFrom(this.#byName.get(marker.name)!, marker.data);
    } catch (error) {
      const path = pathTo(marker, root, lookOf(new Set(resolved.values())));
      const detail = `${marker.name}${path && ` at ${path}`} can't be unpacked${this.#quote(error)}`;
      throw new RpcError("invalid-argument", detail, "not-executed", { cause: error });
    }
  }

  /** What the program threw, at the end of a message. */
  #quote(thrown: unknown): string {
    return this.#words === "told" ? `: ${describe(thrown)}` : "";
  }
}

function instanceFrom(packing: Packing, data: unknown): unknown {
  const value = packing.unpack(data);
  if (!Object.prototype.isPrototypeOf.call(packing.prototype, value as object)) {
    throw new TypeError("unpack returned no instance of the class");
  }
  if (typeof (value as { readonly then?: unknown }).then !== "function") return value;
  throw new TypeError("unpack returned what would be taken for a promise");
}
