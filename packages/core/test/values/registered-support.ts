/** What the tests of registered values share: classes, their types, and codecs that know them. */
import type { Decoded, Exporter, ValueLimits } from "../../src/values/codec.ts";
import { createCodec } from "../../src/values/message-pack.ts";
import { registerValue } from "../../src/values/register.ts";
import { resolveTypes, type ValueType, type Words } from "../../src/values/value-type.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { limits, TestExporter } from "./support.ts";

/** A class whose state only its own code can reach. */
export class Money {
  readonly #cents: number;
  readonly currency: string;

  constructor(cents: number, currency: string) {
    this.#cents = cents;
    this.currency = currency;
  }

  get cents(): number {
    return this.#cents;
  }

  static from(data: unknown): Money {
    if (!Array.isArray(data) || typeof data[0] !== "number" || typeof data[1] !== "string") {
      throw new TypeError("no amount of money");
    }
    return new Money(data[0], data[1]);
  }
}

export const money = registerValue(Money, {
  name: "money",
  pack: ({ cents, currency }) => [cents, currency],
  unpack: Money.from,
});

/** Holds any one value. */
export class Box {
  content: unknown;

  constructor(content?: unknown) {
    this.content = content;
  }
}

export const box = registerValue(Box, {
  name: "box",
  pack: ({ content }) => content,
  unpack: (content) => new Box(content),
});

/** An endpoint's codec, with what is needed to use it. */
export class TypedCodec {
  readonly codec;

  constructor(types: readonly ValueType[], words?: Words) {
    this.codec = createCodec(resolveTypes(types, words));
  }

  encode(value: unknown, exporter: Exporter = new TestExporter(), bounds: ValueLimits = limits): Uint8Array {
    const writer = new ByteWriter(new Uint8Array(16), 3);
    this.codec.encode(writer, value, exporter, bounds, "result");
    return writer.written().slice();
  }

  encodeList(values: readonly unknown[], exporter: Exporter = new TestExporter()): Uint8Array {
    const writer = new ByteWriter(new Uint8Array(16), 3);
    this.codec.encodeList(writer, values, exporter, limits, "args");
    return writer.written().slice();
  }

  decode(bytes: Uint8Array, bounds: ValueLimits = limits): Decoded {
    return this.codec.decode(bytes, 0, bytes.length, bounds);
  }

  /** What is read of bytes; references are those that the exporter gave out. */
  read(bytes: Uint8Array, exporter = new TestExporter()): unknown {
    return this.codec.hydrate(this.decode(bytes), exporter);
  }

  /** There and back, to an endpoint with the same types or another. */
  roundTrip(value: unknown, to: TypedCodec = this): unknown {
    const exporter = new TestExporter();
    return to.read(this.encode(value, exporter), exporter);
  }
}
