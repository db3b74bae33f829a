// Records a session over the memory transport and prints its bytes with their meaning, for docs/protocol.md. What differs
// from run to run (nonces, the session's id) is printed as dots. Needs `tsc -b`.
import { frame, frameHeaderBytes, kindOf, preamble } from "../packages/core/dist/wire/frames.js";
import { connect, connectionOf, startService } from "../packages/farref/dist/index.js";
import { memoryTransport } from "../packages/transports/dist/index.js";
import { BytePrinter, count } from "./byte-printer.mjs";

const names = Object.fromEntries(Object.entries(frame).map(([name, code]) => [code, name]));

/** What a client and a service have written while `use` had the front: chunks of bytes, and whose they are. */
export async function record(front, use) {
  const written = [];
  const recording = {
    schemes: ["memory"],
    dial: async (uri, options) => recorded(await memoryTransport.dial(uri, options), written),
  };
  const service = await startService("memory:recording", front);
  const remote = await connect(service.uri, { transports: [recording] });
  await use(remote);
  await connectionOf(remote).close();
  await service.close();
  return written;
}

/** `payloads` tells for each kind of frame what stands in it. */
export function print(written, payloads) {
  const lines = [];
  let direction;
  for (const { from, bytes } of written) {
    if (from !== direction) lines.push(`${direction ? "\n" : ""}${from}`);
    direction = from;
    printChunk(new BytePrinter(bytes, lines), payloads);
  }
  console.log(lines.join("\n"));
}

/** The client's channel, noting what passes. */
function recorded(channel, written) {
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

function printChunk(printer, payloads) {
  const { bytes } = printer;
  if (preamble.every((byte, i) => bytes[i] === byte)) printer.line(preamble.length, 'the preamble: 93 "farref" 0a');
  while (printer.at < bytes.length) printFrame(printer, payloads);
}

function printFrame(printer, payloads) {
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
