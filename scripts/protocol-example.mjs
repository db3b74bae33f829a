// Records a session over the memory transport, connecting and calling add(5, 3), and prints its bytes with their
// meaning. docs/protocol.md shows this output, and `docs:check` compares the two. What differs from run to run (nonces,
// the session's id) is printed as dots. Needs `tsc -b`.
import { frame, frameHeaderBytes, kindOf, preamble } from "../packages/core/dist/wire/frames.js";
import { connect, connectionOf, startService } from "../packages/farref/dist/index.js";
import { memoryTransport } from "../packages/transports/dist/index.js";

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
  hello: (cursor) => value(cursor, 1),
  ready: (cursor) => value(cursor, 1),
  method: (cursor) => text(cursor, "name, number 1 from now on"),
  call(cursor) {
    varint(cursor, "call");
    varint(cursor, "target: the front is");
    varint(cursor, "method");
    varint(cursor, "flags");
    value(cursor, 1, "arguments");
  },
  result(cursor) {
    varint(cursor, "call");
    value(cursor, 1, "the result");
  },
  goodbye(cursor) {
    text(cursor, "code");
    text(cursor, "message");
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
  const cursor = { bytes, at: 0 };
  if (preamble.every((byte, i) => bytes[i] === byte)) line(cursor, preamble.length, 'the preamble: 93 "farref" 0a');
  while (cursor.at < bytes.length) printFrame(cursor);
}

function printFrame(cursor) {
  const { bytes, at } = cursor;
  const kind = names[kindOf(bytes[at])];
  const length = (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  const end = at + frameHeaderBytes + length;
  line(cursor, frameHeaderBytes, `${kind}, ${count(length, "byte")}`);
  const fields = payloads[kind];
  if (length > 0 && !fields) throw new Error(`no rule to print ${kind}`);
  if (length > 0) fields(cursor);
  if (cursor.at !== end) throw new Error(`${kind} ends at ${cursor.at}, not ${end}`);
}

function varint(cursor, name) {
  line(cursor, 1, `${name} ${cursor.bytes[cursor.at]}`, 1);
}

function text(cursor, name) {
  const length = cursor.bytes[cursor.at];
  line(cursor, 1 + length, `${quoted(cursor.bytes, cursor.at + 1, length)}, the ${name}`, 1);
}

/** One MessagePack value; of containers the head, and each part on a line of its own. */
function value(cursor, depth, name = "", before = 0) {
  const start = cursor.at + before;
  const byte = cursor.bytes[start];
  const told = (meaning) => (name ? `${name}: ${meaning}` : meaning);
  if (byte >= 0x80 && byte < 0x90) {
    line(cursor, before + 1, told(`a map of ${byte & 15}`), depth);
    for (let i = 0; i < (byte & 15); i++) field(cursor, depth + 1);
  } else if (byte >= 0x90 && byte < 0xa0) {
    line(cursor, before + 1, told(`an array of ${byte & 15}`), depth);
    for (let i = 0; i < (byte & 15); i++) value(cursor, depth + 1);
  } else {
    const [size, meaning, isRandom] = scalar(cursor.bytes, start);
    line(cursor, before + size, told(meaning), depth, isRandom ? size : 0);
  }
}

/** A key and its value. */
function field(cursor, depth) {
  const length = cursor.bytes[cursor.at] & 31;
  value(cursor, depth, Buffer.from(cursor.bytes).toString("latin1", cursor.at + 1, cursor.at + 1 + length), 1 + length);
}

/** Size and meaning of what is no container; whether it differs each time. */
function scalar(bytes, at) {
  const byte = bytes[at];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (byte < 0x80) return [1, `${byte}`];
  if (byte === 0xc0) return [1, "null"];
  if (byte === 0xcd) return [3, `${view.getUint16(at + 1)}`];
  if (byte === 0xce) return [5, `${view.getUint32(at + 1)}`];
  if (byte === 0xc4) return [2 + bytes[at + 1], `${bytes[at + 1]} random bytes`, true];
  const [head, length] = byte === 0xd9 ? [2, bytes[at + 1]] : [1, byte & 31];
  if (byte !== 0xd9 && (byte < 0xa0 || byte >= 0xc0)) throw new Error(`no rule to print ${byte.toString(16)}`);
  const isId = length === 32;
  return [head + length, isId ? "32 random hexadecimal digits" : quoted(bytes, at + head, length), isId];
}

function quoted(bytes, at, length) {
  return JSON.stringify(Buffer.from(bytes).toString("utf8", at, at + length));
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** The next `size` bytes and what they mean; the last `randomBytes` of them as dots, but for their head. */
function line(cursor, size, meaning, depth = 0, randomBytes = 0) {
  const taken = cursor.bytes.subarray(cursor.at, cursor.at + size);
  cursor.at += size;
  const hex = Array.from(taken, (byte) => byte.toString(16).padStart(2, "0"));
  if (randomBytes > 0) hex.splice(hex.length - randomBytes + 2, randomBytes - 2, "…");
  const shown = `  ${"  ".repeat(depth)}${hex.join(" ")}`;
  if (shown.length <= 58) lines.push(`${shown.padEnd(60)}${meaning}`);
  else lines.push(...wrapped(hex, depth, meaning));
}

function wrapped(hex, depth, meaning) {
  const indent = `  ${"  ".repeat(depth)}`;
  const first = `${indent}${hex.slice(0, 16).join(" ")}`;
  return [`${first.padEnd(60)}${meaning}`, `${indent}${hex.slice(16).join(" ")}`];
}
