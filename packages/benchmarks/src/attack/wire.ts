/** farref's protocol as an attacker writes it, by hand: docs/protocol.md has the whole of it. */
import { randomBytes } from "node:crypto";
import { Packr } from "msgpackr";

const packr = new Packr({ useRecords: false });
const preamble = Buffer.from("\x93farref\n", "latin1");

/** All that a client says until it is ready. */
export function greeting(): Uint8Array {
  const hello = {
    versions: [1],
    features: [],
    limits: {
      maxMessageBytes: 16_777_216,
      maxDepth: 64,
      maxNodes: 131_072,
      maxRunningCalls: 256,
      maxQueuedCalls: 1_024,
      maxExports: 100_000,
      maxImports: 100_000,
      maxCallDepth: 32,
      maxStreams: 256,
    },
    heartbeatMs: 15_000,
    nonce: randomBytes(32),
    auth: [],
    front: null,
  };
  return Buffer.concat([preamble, frame(0x01, packr.pack(hello))]);
}

export const ready: Uint8Array = frame(0x02);

export function frame(code: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(((code << 24) | payload.length) >>> 0);
  return Buffer.concat([header, payload]);
}

/** A call on the front with two numbers. */
export function call(id: number, method: string): Uint8Array {
  return frame(0x10, Buffer.concat([varint(id), Buffer.of(0, 0, 8), text(method), Buffer.of(0x92, 5, 3)]));
}

export function cancel(id: number): Uint8Array {
  return frame(0x13, varint(id));
}

export function lookup(id: number, name: string): Uint8Array {
  return frame(0x14, Buffer.concat([varint(id), text(name)]));
}

/** The beginning of a message that may be skipped. */
export function firstFragment(number: number): Uint8Array {
  return frame(0x3a | 0x80 | 0x40, Buffer.concat([varint(number), varint(65_537), Buffer.alloc(16)]));
}

function text(name: string): Uint8Array {
  return Buffer.concat([varint(name.length), Buffer.from(name)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
