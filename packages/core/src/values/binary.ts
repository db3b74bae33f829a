/**
 * Bytes, both ways: `Uint8Array` as `bin`, Node's `Buffer`, `ArrayBuffer` and every other view. Where there are more of
 * them than a frame holds they travel beside the body. Decoded bytes are in memory of their own.
 */
import type { Encoder } from "./encoder.ts";
import type { Extension } from "./extension.ts";
import { attachmentType, bufferType, viewType } from "./extension-types.ts";
import { writeBinHeader, writeExtensionHeader } from "./headers.ts";
import { Malformation, malformed } from "./malformation.ts";
import { requireBare, requireBareView } from "./own-properties.ts";
import { refusalOf } from "./refused-kinds.ts";

type ViewConstructor = { new (buffer: ArrayBuffer): ArrayBufferView; readonly prototype: ArrayBufferView };

/** Position is the element kind on the wire; a platform may lack some. */
const viewNames = [
  "ArrayBuffer",
  "DataView",
  "Int8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array",
] as const;
/** Of attachments only: in a body these have forms of their own. */
const uint8ArrayKind = 0x10;
const bufferKind = 0x11;
/** The one view without keys for its elements. */
const dataViewKind = viewNames.indexOf("DataView");
const elementSizes = [1, 1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2] as const;

// Global constructors by name: some are younger than the oldest platform, so there is no type for that.
const globals = globalThis as unknown as Record<string, ViewConstructor | undefined>;
const constructors = viewNames.map((name) => globals[name]);

/** What of Node's `Buffer` is used, where there is one. */
const nodeBuffer = (globalThis as { Buffer?: { readonly prototype: object; from(bytes: ArrayBuffer): Uint8Array } })
  .Buffer;

export function writeBin(encoder: Encoder, view: ArrayBufferView): void {
  const { writer } = encoder;
  const bytes = shownBytes(view);
  requireBareView(view, bytes.length);
  if (encoder.attach(bytes, uint8ArrayKind)) return;
  writeBinHeader(writer, bytes.length);
  writer.raw(bytes);
}

/** A copy in memory of its own: a decoded value never keeps the received chunk alive, nor shows its neighbours. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

export const buffers: Extension<Uint8Array> = {
  type: bufferType,
  prototypes: nodeBuffer ? [nodeBuffer.prototype] : [],
  write(encoder, buffer) {
    const { writer } = encoder;
    const bytes = shownBytes(buffer);
    requireBareView(buffer, bytes.length);
    if (encoder.attach(bytes, bufferKind)) return;
    writeExtensionHeader(writer, bufferType, bytes.length);
    writer.raw(bytes);
  },
  read(decoder, end) {
    const copy = copyBytes(decoder.bytes, decoder.position, end);
    decoder.position = end;
    return decoder.keep(nodeBuffer ? nodeBuffer.from(copy.buffer) : copy);
  },
};

export const views: Extension<ArrayBuffer | ArrayBufferView> = {
  type: viewType,
  prototypes: constructors.flatMap((View) => (View ? [View.prototype] : [])),
  write(encoder, view) {
    const { writer } = encoder;
    const bytes = shownBytes(view);
    const kind = kindOf(view);
    if (ArrayBuffer.isView(view) && kind !== dataViewKind) requireBareView(view, bytes.length / elementSizes[kind]!);
    else requireBare(view);
    if (encoder.attach(bytes, kind)) return;
    writeExtensionHeader(writer, viewType, 1 + bytes.length);
    writer.u8(kind);
    writer.raw(bytes);
  },
  read(decoder, end) {
    const at = decoder.position;
    const kind = decoder.u8();
    checkKind(kind, end - decoder.position, at);
    const { buffer } = copyBytes(decoder.bytes, decoder.position, end);
    decoder.position = end;
    return decoder.keep(viewOf(kind, buffer, at));
  },
};

/** What travels beside the body is there already, in memory of its own. Another way to send the values of other rows. */
export const attachments: Extension<never> = {
  type: attachmentType,
  prototypes: [],
  write() {
    throw new Error("no value has this row");
  },
  read(decoder) {
    const at = decoder.position;
    const kind = decoder.u8();
    const bytes = decoder.attachment();
    if (kind === uint8ArrayKind) return decoder.keep(bytes);
    const buffer = bytes.buffer as ArrayBuffer; // all of it: see Fragments
    if (kind === bufferKind) return decoder.keep(nodeBuffer ? nodeBuffer.from(buffer) : bytes);
    checkKind(kind, bytes.length, at);
    return decoder.keep(viewOf(kind, buffer, at));
  },
};

function checkKind(kind: number, length: number, at: number): void {
  const size = elementSizes[kind];
  if (size === undefined) throw malformed("binary of an unknown element kind", at);
  if (length < 0 || length % size !== 0) throw malformed(`${length} bytes for a ${viewNames[kind]}`, at);
}

function viewOf(kind: number, buffer: ArrayBuffer, at: number): ArrayBuffer | ArrayBufferView {
  const View = constructors[kind];
  if (kind === 0) return buffer;
  if (View) return new View(buffer);
  throw new Malformation("unsupported-value", `this platform has no ${viewNames[kind]}: the value`, at);
}

/** What a typed array is called by the engine itself, in whatever frame or vm context it was made; of others `undefined`. */
const brandOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: unknown) => (typeof viewNames)[number] | undefined; // every engine has it

function kindOf(view: ArrayBuffer | ArrayBufferView): number {
  const name = brandOf.call(view) ?? (ArrayBuffer.isView(view) ? "DataView" : "ArrayBuffer");
  return viewNames.indexOf(name);
}

/** @throws TypeError for what only looks like a view, and for a detached buffer */
function shownBytes(view: ArrayBuffer | ArrayBufferView): Uint8Array {
  const isView = ArrayBuffer.isView(view);
  const buffer = isView ? view.buffer : view;
  if (Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]") throw refusalOf(buffer);
  return isView ? new Uint8Array(buffer, view.byteOffset, view.byteLength) : new Uint8Array(buffer);
}
