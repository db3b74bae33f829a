/** Registered values where their class is not registered, both ways. */
import type { Decoder } from "./decoder.ts";
import type { Encoder } from "./encoder.ts";
import type { Extension } from "./extension.ts";
import { packedType } from "./extension-types.ts";
import { beginExtension, endExtension } from "./headers.ts";
import { invalidType } from "./value-type.ts";

/**
 * A registered value of a class that this side lacks: the name it is registered under and what it was packed into. Passed
 * on, or back, it arrives as what it is where the class is registered.
 *
 * @throws RpcError `invalid-argument` for a name that no class can have.
 * @example
 * const price = await shop.price("tea");
 * if (price instanceof UnknownValue) console.log(`a ${price.name}, packed as`, price.data);
 */
export class UnknownValue {
  readonly name: string;
  readonly data: unknown;

  constructor(name: string, data: unknown) {
    if (typeof name !== "string" || name === "" || name.length > 64) throw invalidType("expected a type's name");
    this.name = name;
    this.data = data;
  }
}

/** A registered value with its data costs as much of a message's budget as four values: that is what making one takes. */
const extraCost = 3;

export const unknownValues: Extension<object> = {
  type: packedType,
  prototypes: [UnknownValue.prototype],
  write: (encoder, value, depth) => writePacked(encoder, value as UnknownValue, depth), // the only class of this row
  read: (decoder, _end, depth) => readUnknown(decoder, readName(decoder, depth), depth),
};

export function writePacked(encoder: Encoder, { name, data }: UnknownValue, depth: number): void {
  encoder.enter(depth);
  encoder.charge(extraCost);
  const begun = beginExtension(encoder.writer, packedType);
  encoder.text(name);
  encoder.value(data, depth + 1);
  endExtension(encoder.writer, begun);
}

/** The name, which tells how to read on. */
export function readName(decoder: Decoder, depth: number): unknown {
  decoder.enter(depth, decoder.position);
  decoder.charge(extraCost);
  return decoder.value(depth);
}

/** Not a marker: nothing of the program's has to run for it. @throws RpcError for what is no name */
export function readUnknown(decoder: Decoder, name: unknown, depth: number): UnknownValue {
  const value = decoder.keep(new UnknownValue(name as string, undefined)); // looks at it itself
  return Object.assign(value, { data: decoder.placed(value, "data", depth + 1) });
}
