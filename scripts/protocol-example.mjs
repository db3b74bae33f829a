// Connecting and calling add(5, 3), byte by byte: docs/protocol.md shows this output, and `docs:check` compares the two.
import { print, record } from "./recording.mjs";

class Calculator {
  add(a, b) {
    return a + b;
  }
}

const written = await record(new Calculator(), async (calculator) => {
  const sum = await calculator.add(5, 3);
  if (sum !== 8) throw new Error(`5 + 3 = ${sum}`);
});

print(written, {
  hello: (printer) => printer.value(1),
  ready: (printer) => printer.value(1),
  method: (printer) => printer.text("name, number 1 from now on"),
  call(printer) {
    printer.varint("call");
    printer.varint("target: the front is");
    printer.varint("method");
    printer.varint("flags");
    printer.value(1, "arguments");
  },
  result(printer) {
    printer.varint("call");
    printer.value(1, "the result");
  },
  goodbye(printer) {
    printer.text("code");
    printer.text("message");
  },
});
