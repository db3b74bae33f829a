// Prints bytes of the protocol with what they mean, for docs/protocol.md. It knows the forms that the examples there have.
import * as extensionTypes from "../packages/core/dist/values/extension-types.js";

const names = Object.fromEntries(Object.entries(extensionTypes).map(([name, type]) => [type, name]));
/** What the examples call an extension, and what stands in its payload. */
const extensions = {
  packedType: { kind: "a registered value", parts: ["its name", "its data"] },
  errorType: { kind: "an error", parts: ["its kind", "what is not enumerable", "the rest"] },
};

/** Reads on in one chunk of bytes, and appends to `lines`. */
export class BytePrinter {
  at = 0;

  constructor(bytes, lines) {
    this.bytes = bytes;
    this.lines = lines;
  }

  /** The next `size` bytes and what they mean; the last `randomBytes` of them as dots, but for their head. */
  line(size, meaning, depth = 0, randomBytes = 0) {
    const taken = this.bytes.subarray(this.at, this.at + size);
    this.at += size;
    const hex = Array.from(taken, (byte) => byte.toString(16).padStart(2, "0"));
    if (randomBytes > 0) hex.splice(hex.length - randomBytes + 2, randomBytes - 2, "…");
    const shown = `  ${"  ".repeat(depth)}${hex.join(" ")}`;
    if (shown.length <= 58) this.lines.push(`${shown.padEnd(60)}${meaning}`);
    else this.lines.push(...wrapped(hex, depth, meaning));
  }

  varint(name) {
    let number = 0;
    let size = 0;
    do number += (this.bytes[this.at + size] & 127) * 128 ** size;
    while (this.bytes[this.at + size++] >= 128);
    this.line(size, `${name} ${number}`, 1);
  }

  text(name) {
    const length = this.bytes[this.at];
    this.line(1 + length, `${quoted(this.bytes, this.at + 1, length)}, the ${name}`, 1);
  }

  /** One MessagePack value; of containers the head, and each part on a line of its own. */
  value(depth, name = "", before = 0) {
    const start = this.at + before;
    const byte = this.bytes[start];
    const told = (meaning) => (name ? `${name}: ${meaning}` : meaning);
    if (byte >= 0x80 && byte < 0x90) {
      this.line(before + 1, told(`a map of ${byte & 15}`), depth);
      for (let i = 0; i < (byte & 15); i++) this.#field(depth + 1);
    } else if (byte >= 0x90 && byte < 0xa0) {
      this.line(before + 1, told(`an array of ${byte & 15}`), depth);
      for (let i = 0; i < (byte & 15); i++) this.value(depth + 1);
    } else if (byte === 0xc9) {
      this.#extension(depth, told, before);
    } else {
      const [size, meaning, isRandom] = scalar(this.bytes, start);
      this.line(before + size, told(meaning), depth, isRandom ? size : 0);
    }
  }

  /** A key and its value. */
  #field(depth) {
    const length = this.bytes[this.at] & 31;
    this.value(depth, Buffer.from(this.bytes).toString("latin1", this.at + 1, this.at + 1 + length), 1 + length);
  }

  #extension(depth, told, before) {
    const length = new DataView(this.bytes.buffer, this.bytes.byteOffset).getUint32(this.at + before + 1);
    const { kind, parts } = extensions[names[this.bytes[this.at + before + 5]]];
    this.line(before + 6, told(`${kind}, ${count(length, "byte")}`), depth);
    for (const part of parts) this.value(depth + 1, part);
  }
}

export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function wrapped(hex, depth, meaning) {
  const indent = `  ${"  ".repeat(depth)}`;
  const first = `${indent}${hex.slice(0, 16).join(" ")}`;
  return [`${first.padEnd(60)}${meaning}`, `${indent}${hex.slice(16).join(" ")}`];
}

/** Size and meaning of what is no container; whether it differs each time. */
function scalar(bytes, at) {
  const byte = bytes[at];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (byte < 0x80) return [1, `${byte}`];
  if (byte === 0xc0) return [1, "null"];
  if (byte === 0xcd) return [3, `${view.getUint16(at + 1)}`];
  if (byte === 0xce) return [5, `${view.getUint32(at + 1)}`];
  if (byte === 0xd4 && bytes[at + 1] === extensionTypes.backReferenceType) return [3, `object ${bytes[at + 2]} again`];
  if (byte === 0xc4) return [2 + bytes[at + 1], `${bytes[at + 1]} random bytes`, true];
  const [head, length] = byte === 0xd9 ? [2, bytes[at + 1]] : [1, byte & 31];
  if (byte !== 0xd9 && (byte < 0xa0 || byte >= 0xc0)) throw new Error(`no rule to print ${byte.toString(16)}`);
  const isId = length === 32;
  return [head + length, isId ? "32 random hexadecimal digits" : quoted(bytes, at + head, length), isId];
}

function quoted(bytes, at, length) {
  return JSON.stringify(Buffer.from(bytes).toString("utf8", at, at + length));
}
