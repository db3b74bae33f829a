// A call with 100,000 bytes as its argument, byte by byte: docs/protocol.md shows this output.
import { frame, frameHeaderBytes, kindOf } from "../packages/core/dist/wire/frames.js";
import { count } from "./byte-printer.mjs";
import { print, record } from "./recording.mjs";

const disk = { store: ({ length }) => length };
const written = await record(disk, async (remote) => {
  await remote.store(new Uint8Array(1)); // announces the name of the method
  await remote.store(new Uint8Array(100_000).fill(7));
});

/** What is left of the frame that began at `start`. */
function bytesOfIt(printer, start) {
  const [, high, middle, low] = printer.bytes.subarray(start, start + frameHeaderBytes);
  const size = start + frameHeaderBytes + ((high << 16) | (middle << 8) | low) - printer.at;
  printer.line(size, `${count(size, "byte")} of it`, 1, size);
}

const fragments = written.filter(
  ({ from, bytes }) =>
    from === "client" && (bytes[0] === (frame.call | 0x40) || (kindOf(bytes[0]) === frame.ping && bytes.length > 4)),
);
print(fragments, {
  call(printer) {
    const start = printer.at - frameHeaderBytes;
    printer.varint("message");
    printer.varint("total:");
    printer.varint("attachments:");
    printer.varint("its length:");
    printer.varint("call");
    printer.varint("target");
    printer.varint("method");
    printer.varint("flags");
    printer.line(1, "a list of 1", 1);
    printer.line(3, "the attachment, a Uint8Array", 1);
    bytesOfIt(printer, start);
  },
  more(printer) {
    const start = printer.at - frameHeaderBytes;
    printer.varint("message");
    bytesOfIt(printer, start);
  },
});
