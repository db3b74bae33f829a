// A stream of two items that its consumer ends, byte by byte: docs/protocol.md shows this output.
import { once } from "node:events";
import { frame, kindOf } from "../packages/core/dist/wire/frames.js";
import { currentCall } from "../packages/farref/dist/index.js";
import { print, record } from "./recording.mjs";

class Counter {
  async *count() {
    const { signal } = currentCall();
    yield 1;
    yield "two";
    await once(signal, "abort");
  }
}

const written = await record(new Counter(), async (counter) => {
  const numbers = await counter.count();
  await numbers.next();
  await numbers.next();
  await numbers.return("enough");
});

const streamed = new Set([frame.result, frame.streamItem, frame.streamEnd, frame.streamCredit, frame.streamCancel]);
print(
  written.filter(({ bytes }) => streamed.has(kindOf(bytes[0]))),
  {
    result(printer) {
      printer.varint("call");
      printer.line(4, "an async iterable: stream 1", 1);
    },
    streamCredit(printer) {
      printer.varint("stream");
      printer.varint("items:");
      printer.varint("bytes:");
    },
    streamItem(printer) {
      printer.varint("stream");
      printer.varint("flags");
      printer.value(1, "the item");
    },
    streamCancel(printer) {
      printer.varint("stream");
      printer.value(1, "why");
    },
    streamEnd(printer) {
      printer.varint("stream");
      printer.varint("flags");
      printer.value(1, "what the producer returned");
    },
  },
);
