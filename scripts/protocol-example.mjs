// Records a session over the memory transport, connecting and calling add(5, 3), and prints its bytes with their
// meaning. docs/protocol.md shows this output, and `docs:check` compares the two. What differs from run to run (nonces,
// the session's id) is printed as dots. Needs `tsc -b`.
import { frame, frameHeaderBytes, kindOf, preamble } from "../packages/core/dist/wire/frames.js";
import { connect, connectionOf, startService } from "../packages/farref/dist/index.js";
import { memoryTransport } from "../packages/transports/dist/index.js";
import { BytePrinter, count } from "./byte-printer.mjs";

class Calculator {
  add(a, b) {
    return a + b;
  }
}

const written = [];
const recording = {
  schemes: ["memory"],
  async dial(uri, options) {
    return recorded(await memoryTransport.dial(uri, options));
  },
};

const service = await startService("memory:protocol-example", new Calculator());
const calculator = await connect(service.uri, { transports: [recording] });
const sum = await calculator.add(5, 3);
if (sum !== 8) throw new Error(`5 + 3 = ${sum}`);
await connectionOf(calculator).close();
await service.close();

const names = Object.fromEntries(Object.entries(frame).map(([name, code]) => [code, name]));
/** What stands in the payload of each kind. */
const payloads = {
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
};

const lines = [];
let direction;
for (const { from, bytes } of written) {
  if (from !== direction) lines.push(`${direction ? "\n" : ""}${from}`);
  direction = from;
  print(bytes);
}
console.log(lines.join("\n"));

/** The client's channel, noting what passes. */
function recorded(channel) {
  return Object.setPrototypeOf(
    {
      peer: channel.peer,
      start(on) {
        const chunk = (bytes) => {
          written.push({ from: "server", bytes: bytes.slice() });
          on.chunk(bytes);
        };
        channel.start({ chunk, drained: () => on.drained(), closed: (error) => on.closed(error) });
      },
      write(bytes) {
        written.push({ from: "client", bytes: bytes.slice() });
        return channel.write(bytes);
      },
      pause: () => channel.pause(),
      resume: () => channel.resume(),
      end: () => channel.end(),
      destroy: (error) => channel.destroy(error),
    },
    null,
  );
}

function print(bytes) {
  const printer = new BytePrinter(bytes, lines);
  if (preamble.every((byte, i) => bytes[i] === byte)) printer.line(preamble.length, 'the preamble: 93 "farref" 0a');
  while (printer.at < bytes.length) printFrame(printer);
}

function printFrame(printer) {
  const { bytes, at } = printer;
  const kind = names[kindOf(bytes[at])];
  const length = (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  const end = at + frameHeaderBytes + length;
  printer.line(frameHeaderBytes, `${kind}, ${count(length, "byte")}`);
  const fields = payloads[kind];
  if (length > 0 && !fields) throw new Error(`no rule to print ${kind}`);
  if (length > 0) fields(printer);
  if (printer.at !== end) throw new Error(`${kind} ends at ${printer.at}, not ${end}`);
}
