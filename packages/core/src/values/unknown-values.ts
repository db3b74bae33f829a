/** Registered values where their class is not registered, both ways. */
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
export const extraCost = 3;

export const unknownValues: Extension<UnknownValue> = {
  type: packedType,
  prototypes: [UnknownValue.prototype],
  write(encoder, { name, data }, depth) {
    encoder.enter(depth);
    encoder.charge(extraCost);
    const begun = beginExtension(encoder.writer, packedType);
    encoder.text(name);
    encoder.value(data, depth + 1);
    endExtension(encoder.writer, begun);
  },
  /** No placeholder: nothing of the program's has to run for it. What is no name, the value itself refuses. */
  read(decoder, _end, depth) {
    decoder.enter(depth, decoder.position);
    decoder.charge(extraCost);
    const value = decoder.keep(new UnknownValue(decoder.value(depth) as string, undefined));
    return Object.assign(value, { data: decoder.placed(value, "data", depth + 1) });
  },
};
