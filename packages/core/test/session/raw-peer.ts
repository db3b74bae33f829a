/** A peer that speaks the protocol frame by frame and keeps to no rule that a test does not make it keep. */
import type { Channel, Limits, Transport } from "../../src/index.ts";
import { defaultLimits } from "../../src/index.ts";
import { createNonce, sharedLimits } from "../../src/session/hello.ts";
import type { Exporter, WireReference, WireSignal } from "../../src/values/codec.ts";
import { createCodec } from "../../src/values/message-pack.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { FrameReader } from "../../src/wire/frame-reader.ts";
import {
  callFlag,
  errorFlag,
  firstOfMany,
  frame,
  kindOf,
  maxFragmentBytes,
  maxPayloadBytes,
  preamble,
} from "../../src/wire/frames.ts";
import { Slabs } from "../../src/wire/slabs.ts";
import { until } from "./waiting.ts";

const codec = createCodec();
const valueLimits = { maxDepth: 64, maxNodes: 131_072 };
const text = new TextEncoder();

export interface RawFrame {
  readonly code: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

export interface RawError {
  readonly callId: number;
  readonly isThrown: boolean;
  readonly areArgumentsUntouched: boolean;
  readonly isStepBroken: boolean;
  readonly parts: readonly unknown[];
}

/** A reference that a raw peer makes up. */
export class RawReference {
  readonly wire: WireReference;

  constructor(kind: WireReference["kind"], id: number, name = "") {
    this.wire = { kind, id, name };
  }
}

/** A stream that a raw peer makes up. */
export class RawStream {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  [Symbol.asyncIterator](): never {
    throw new Error("a raw stream has no items of its own");
  }
}

const rawSignals = new WeakMap<AbortSignal, WireSignal>();

/** A signal that a raw peer makes up. */
export function rawSignal(kind: WireSignal["kind"], id: number): AbortSignal {
  const { signal } = new AbortController();
  rawSignals.set(signal, { kind, id });
  return signal;
}

const exporter: Exporter = {
  reference: (value) => (value as RawReference).wire,
  stream: (value) => (value as RawStream).id,
  isPinned: (value) => value instanceof RawReference,
  signal: (signal) => rawSignals.get(signal) as WireSignal,
  standIn: (value) => value,
};

export class RawPeer implements AsyncDisposable {
  /** Frames that nobody has asked for yet. */
  readonly frames: RawFrame[] = [];
  closing: { readonly error: Error | undefined } | undefined;
  readonly #channel: Channel;
  readonly #reader: FrameReader;
  #preambleBytes = 0;
  #methods = 0;

  /** Dials and says nothing. */
  static async dial(transport: Transport, uri: string): Promise<RawPeer> {
    return new RawPeer(await transport.dial(uri, {}));
  }

  /** Dials and shakes hands. */
  static async connect(transport: Transport, uri: string, hello: Partial<RawHello> = {}): Promise<RawPeer> {
    const peer = await RawPeer.dial(transport, uri);
    peer.write(preamble);
    peer.hello(hello);
    await peer.next(frame.hello);
    await peer.next(frame.ready);
    peer.send(frame.ready);
    return peer;
  }

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#reader = new FrameReader(maxPayloadBytes, new Slabs(), {
      frame: (code, bytes, start, end) =>
        this.frames.push({ code, kind: kindOf(code), payload: bytes.slice(start, end) }),
      rest: (bytes, start, end) => this.#extendLast(bytes.subarray(start, end)),
      oversized: () => channel.destroy(),
    });
    channel.start({
      chunk: (bytes) => this.#chunk(bytes),
      drained: () => {},
      closed: (error) => {
        this.closing = { error };
      },
    });
  }

  /** A frame of which the beginning has come goes on. */
  #extendLast(bytes: Uint8Array): void {
    const last = this.frames.pop() as RawFrame;
    this.frames.push({ ...last, payload: Buffer.concat([last.payload, bytes]) });
  }

  /** Bytes as they are. */
  write(bytes: Uint8Array | string): void {
    this.#channel.write(typeof bytes === "string" ? text.encode(bytes) : bytes.slice());
  }

  /** A frame with a proper header. */
  send(code: number, payload: (writer: ByteWriter) => void = () => {}): void {
    this.write(framed(code, payload));
  }

  hello(changes: Partial<RawHello> = {}): void {
    this.write(helloFrame(changes));
  }

  /** Shakes hands as a server whose front is an object. */
  async serve(): Promise<void> {
    this.write(preamble);
    await this.next(frame.hello);
    const { versions: _versions, front: _front, ...common } = rawHello();
    this.send(frame.hello, (writer) => writeValue(writer, { ...common, version: 1, sessionId: "raw", auth: null }));
    this.send(frame.ready, (writer) => writeValue(writer, { front: { kind: "object", name: "Raw" } }));
    await this.next(frame.ready);
  }

  /** Gives the next method number to a name. */
  announce(name: string): number {
    this.send(frame.method, (writer) => writeName(writer, name));
    return ++this.#methods;
  }

  call(id: number, target: number, method: string, args: readonly unknown[] = [], depth = 0): void {
    this.send(frame.call, callPayload(id, target, method, args, depth));
  }

  /** A call with flags that only calls in a pipeline have. */
  callFlagged(flags: number, id: number, target: number, method: string, args: readonly unknown[] = []): void {
    this.send(frame.call, callPayload(id, target, method, args, 0, flags));
  }

  /** A message in fragments, whole. */
  sendLarge(code: number, payload: Uint8Array, number = 1): void {
    this.send(code | firstOfMany, (writer) => {
      writer.varint(number);
      writer.varint(payload.length);
      writer.varint(0); // attachments
      writer.raw(payload.subarray(0, maxFragmentBytes));
    });
    for (let from = maxFragmentBytes; from < payload.length; from += maxFragmentBytes) {
      this.send(frame.more, (writer) => {
        writer.varint(number);
        writer.raw(payload.subarray(from, from + maxFragmentBytes));
      });
    }
  }

  /** A call with flags that say what it depends on, and what may depend on it. */
  dependentCall(flags: number, id: number, target: number, method: string, args: readonly unknown[] = []): void {
    this.send(frame.call, callPayload(id, target, method, args, 0, flags));
  }

  /** Sends the first fragment of a large call, and nothing of its rest. */
  beginCall(id: number, target: number, method: string, args: readonly unknown[]): void {
    const whole = new ByteWriter(new Uint8Array(256));
    callPayload(id, target, method, args)(whole);
    this.send(frame.call | firstOfMany, (writer) => {
      writer.varint(id);
      writer.varint(whole.length);
      writer.varint(0); // attachments
      writer.raw(whole.written().subarray(0, maxFragmentBytes));
    });
  }

  /** A signal was aborted. */
  abort(id: number, reason: unknown): void {
    this.send(frame.abort, (writer) => {
      writer.varint(id);
      writeValue(writer, reason);
    });
  }

  /** An item of a stream. */
  streamItem(id: number, item: unknown, flags = 0): void {
    this.send(frame.streamItem, (writer) => {
      writer.varint(id);
      writer.u8(flags);
      writeValue(writer, item);
    });
  }

  streamEnd(id: number, result?: unknown): void {
    this.send(frame.streamEnd, (writer) => {
      writer.varint(id);
      writer.u8(0);
      writeValue(writer, result);
    });
  }

  streamCredit(id: number, items: number, bytes: number): void {
    this.send(frame.streamCredit, (writer) => {
      writer.varint(id);
      writer.varint(items);
      writer.varint(bytes);
    });
  }

  streamCancel(id: number, reason?: unknown): void {
    this.send(frame.streamCancel, (writer) => {
      writer.varint(id);
      writeValue(writer, reason);
    });
  }

  cancel(callId: number): void {
    this.send(frame.cancel, (writer) => writer.varint(callId));
  }

  result(callId: number, result: unknown): void {
    this.send(frame.result, (writer) => {
      writer.varint(callId);
      writeValue(writer, result);
    });
  }

  /** What a method has thrown, in whatever parts. */
  thrown(callId: number, parts: readonly unknown[]): void {
    this.send(frame.error, (writer) => {
      writer.varint(callId);
      writer.u8(errorFlag.thrown);
      writeValue(writer, parts);
    });
  }

  /** Gives holds back. */
  release(id: number, count: number): void {
    this.send(frame.release, (writer) => {
      writer.varint(id);
      writer.varint(count);
    });
  }

  /** The next frame of a kind; frames of other kinds before it are dropped. */
  async next(kind: number): Promise<RawFrame> {
    const at = () => this.frames.findIndex((candidate) => candidate.kind === kind);
    await until(() => at() >= 0 || this.closing !== undefined, `a frame of kind 0x${kind.toString(16)}`);
    if (at() < 0)
      throw new Error(`closed before a frame of kind 0x${kind.toString(16)}`, { cause: this.closing?.error });
    return this.frames.splice(0, at() + 1).at(-1) as RawFrame;
  }

  /** The next result: its call and its value; references stay inert. */
  async nextResult(): Promise<{ readonly callId: number; readonly value: unknown; readonly references: number[] }> {
    const { payload } = await this.next(frame.result);
    const reader = new ByteReader().at(payload, 0, payload.length);
    const callId = reader.varint();
    const decoded = codec.decode(payload, reader.position, payload.length, valueLimits);
    return { callId, value: decoded.value, references: decoded.references.map(({ id }) => id) };
  }

  async nextError(): Promise<RawError> {
    const { payload } = await this.next(frame.error);
    const reader = new ByteReader().at(payload, 0, payload.length);
    const callId = reader.varint();
    const flags = reader.u8();
    const { value: parts } = codec.decodeList(payload, reader.position, payload.length, valueLimits);
    return {
      callId,
      isThrown: (flags & errorFlag.thrown) !== 0,
      areArgumentsUntouched: (flags & errorFlag.argumentsUntouched) !== 0,
      isStepBroken: (flags & errorFlag.brokenStep) !== 0,
      parts,
    };
  }

  /** The next call: its number, its target, and the references in its arguments. */
  async nextCall(): Promise<{ readonly id: number; readonly target: number }> {
    const { payload } = await this.next(frame.call);
    const reader = new ByteReader().at(payload, 0, payload.length);
    return { id: reader.varint(), target: reader.varint() };
  }

  /** Why the other side said goodbye: a code and a sentence. */
  async goodbye(): Promise<{ readonly code: string; readonly message: string }> {
    const { payload } = await this.next(frame.goodbye);
    const reader = new ByteReader().at(payload, 0, payload.length);
    return { code: reader.text(4_096), message: reader.text(4_096) };
  }

  /** Waits until the channel is gone. */
  async closed(): Promise<void> {
    await until(() => this.closing !== undefined, "the end of the channel");
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  /** Vanishes without a word. */
  destroy(): void {
    this.#channel.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.destroy();
    await this.closed();
  }

  #chunk(bytes: Uint8Array): void {
    const skipped = Math.min(preamble.length - this.#preambleBytes, bytes.length);
    this.#preambleBytes += skipped;
    if (skipped < bytes.length) this.#reader.push(bytes.subarray(skipped));
  }
}

export interface RawHello {
  readonly versions: unknown;
  readonly features: unknown;
  readonly limits: unknown;
  readonly heartbeatMs: unknown;
  readonly nonce: unknown;
  readonly auth: unknown;
  readonly front: unknown;
}

/** What a client says first; `changes` replaces fields, also by nonsense. */
function rawHello(changes: Partial<RawHello> = {}): RawHello {
  return {
    versions: [1],
    features: [],
    limits: sharedLimits(defaultLimits),
    heartbeatMs: 15_000,
    nonce: createNonce(),
    auth: [],
    front: null,
    ...changes,
  };
}

export function helloFrame(changes: Partial<RawHello> = {}): Uint8Array {
  return framed(frame.hello, (writer) => writeValue(writer, rawHello(changes)));
}

/** Limits as a hello tells them. */
export function helloLimits(changes: Partial<Limits>): unknown {
  return sharedLimits({ ...defaultLimits, ...changes });
}

export function framed(code: number, payload: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(256));
  writer.u32(0);
  payload(writer);
  writer.setU32(writer.start, ((code << 24) | (writer.length - 4)) >>> 0);
  return writer.written().slice();
}

/** What a call frame holds, its method's name written out. */
export function callPayload(
  id: number,
  target: number,
  method: string,
  args: readonly unknown[],
  depth = 0,
  flags = 0,
) {
  return (writer: ByteWriter) => {
    writer.varint(id);
    writer.varint(target);
    writer.varint(0);
    writer.varint(flags | callFlag.inlineMethod | (depth > 0 ? callFlag.depth : 0));
    writeName(writer, method);
    if (depth > 0) writer.varint(depth);
    codec.encodeList(writer, args, exporter, valueLimits, "args");
  };
}

function writeValue(writer: ByteWriter, given: unknown): void {
  codec.encode(writer, given, exporter, valueLimits, "value");
}

function writeName(writer: ByteWriter, name: string): void {
  const bytes = text.encode(name);
  writer.varint(bytes.length);
  writer.raw(bytes);
}
