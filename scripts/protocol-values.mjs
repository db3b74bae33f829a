// Prints how values of registered classes are written, byte by byte. docs/protocol.md shows this output, and `docs:check`
// compares the two. Needs `tsc -b`.
import { registerError, registerValue, resolveTypes } from "../packages/core/dist/index.js";
import { createCodec } from "../packages/core/dist/values/message-pack.js";
import { ByteWriter } from "../packages/core/dist/wire/byte-writer.js";
import { BytePrinter } from "./byte-printer.mjs";

class Money {
  constructor(cents, currency) {
    this.cents = cents;
    this.currency = currency;
  }
}

class OutOfStock extends Error {
  left = 3;
}

const types = resolveTypes([
  registerValue(Money, { name: "money", pack: ({ cents, currency }) => [cents, currency], unpack: () => undefined }),
  registerError(OutOfStock),
]);
const codec = createCodec(types);
const noReferences = { isPinned: () => false };

const price = new Money(350, "EUR");
print("an amount of money twice", [price, price]);
print("\nan error of a registered class", new OutOfStock("sold"));

function print(title, value) {
  const writer = new ByteWriter(new Uint8Array(256));
  codec.encode(writer, value, noReferences, { maxDepth: 64, maxNodes: 1_000 }, "value");
  const lines = [title];
  const printer = new BytePrinter(writer.written(), lines);
  printer.value(0);
  if (printer.at !== writer.length) throw new Error(`ends at ${printer.at}, not ${writer.length}`);
  console.log(lines.join("\n"));
}
