/** What the tests of values share: one codec, an exporter that numbers what it is given, and bytes as readable hex. */
import type {
  Decoded,
  Exporter,
  Importer,
  StreamKind,
  ValueLimits,
  WireReference,
  WireSignal,
} from "../../src/values/codec.ts";
import { createCodec } from "../../src/values/message-pack.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";

export const limits: ValueLimits = { maxDepth: 64, maxNodes: 131_072 };
export const codec = createCodec();

/** Gives out references 1, 2, 3, … and remembers what for; `pinned` objects travel as references too. */
export class TestExporter implements Exporter, Importer {
  readonly exported: object[] = [];
  readonly pinned = new Set<object>();

  reference(value: object): WireReference {
    const id = this.exported.push(value);
    return typeof value === "function"
      ? { kind: "function", id, name: value.name }
      : { kind: "object", id, name: value.constructor.name };
  }

  stream(value: object, _kind: StreamKind): number {
    return this.exported.push(value);
  }

  isPinned(value: object): boolean {
    return this.pinned.has(value);
  }

  signal(signal: AbortSignal): WireSignal {
    return { kind: "signal", id: this.exported.push(signal) };
  }

  standIn(value: object): unknown {
    return value;
  }

  resolve({ id }: WireReference): unknown {
    return this.exported[id - 1];
  }
}

export function encode(value: unknown, exporter: Exporter = new TestExporter(), bounds = limits): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(16), 3);
  codec.encode(writer, value, exporter, bounds, "result");
  return writer.written().slice();
}

export function encodeList(values: readonly unknown[], exporter: Exporter = new TestExporter(), bounds = limits) {
  const writer = new ByteWriter(new Uint8Array(16), 3);
  codec.encodeList(writer, values, exporter, bounds, "args");
  return writer.written().slice();
}

/** Decodes from the middle of a larger chunk, as messages arrive. */
export function decode(bytes: Uint8Array, bounds = limits): Decoded {
  const chunk = new Uint8Array(bytes.length + 7).fill(0xc1);
  chunk.set(bytes, 5);
  return codec.decode(chunk, 5, 5 + bytes.length, bounds);
}

/** There and back; a reference comes back as the object it was given for. */
export function roundTrip(value: unknown): unknown {
  const exporter = new TestExporter();
  return codec.hydrate(decode(encode(value, exporter)), exporter);
}

export function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** An array with holes. */
export function sparse(length: number, elements: Readonly<Record<number, unknown>>): unknown[] {
  return Object.assign(new Array(length), elements);
}
