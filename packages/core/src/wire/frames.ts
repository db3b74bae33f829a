/**
 * The frames of protocol version 1: their codes and their fixed header. docs/protocol.md draws each byte by byte.
 *
 *     byte 0      bits 0-5 kind · bit 6 first: more of this message follows · bit 7 optional: skip me if unknown
 *     bytes 1-3   length of the payload, big-endian
 *     payload     kind by kind
 *
 * A message that does not fit a frame is cut: its first frame has bit 6 and begins with a message number and the
 * message's whole length, `more` frames with that number bring the rest, others may stand between them.
 */

/** What each side sends before its first frame: nothing that speaks another protocol begins so. */
export const preamble: Uint8Array = Uint8Array.of(0x93, 0x66, 0x61, 0x72, 0x72, 0x65, 0x66, 0x0a); // \x93farref\n

export const protocolVersion = 1;

export const frameHeaderBytes = 4;
export const maxFragmentBytes = 65_536;
/** A fragment and the varints before it. */
export const maxPayloadBytes: number = maxFragmentBytes + 32;
/** Binary that does not fit a frame may travel beside the body of a message: so much of it at least, so many of them at most. */
export const minAttachmentBytes: number = maxPayloadBytes + 1;
export const maxAttachments = 256;
/** How long the attachments of a message are, in their order, where it has any. */
export type AttachedLengths = readonly number[] | undefined;
/** All that a peer may send in one frame before it is authenticated. */
export const maxHandshakePayloadBytes = 4_096;

export const firstOfMany = 0x40;
export const optional = 0x80;
const kindMask = 0x3f;

export function kindOf(code: number): number {
  return code & kindMask;
}

export const frame = {
  /** Ignored whole: a call that was cancelled before it left. */
  void: 0x00,
  hello: 0x01,
  ready: 0x02,
  auth: 0x03,
  ping: 0x04,
  pong: 0x05,
  goodbye: 0x06,
  draining: 0x07,
  unimplemented: 0x08,

  // 0x10-0x1f begin with a call id, so that an unknown one can be answered.
  call: 0x10,
  result: 0x11,
  error: 0x12,
  cancel: 0x13,
  lookup: 0x14,

  release: 0x20,
  method: 0x21,
  shape: 0x22, // reserved
  monitor: 0x24, // reserved
  down: 0x25,
  revoked: 0x26, // reserved
  handoff: 0x27, // reserved

  streamItem: 0x28,
  streamEnd: 0x29,
  streamError: 0x2a,
  streamCredit: 0x2b,
  streamCancel: 0x2c,

  abort: 0x2d,
  signalGone: 0x2e,

  resume: 0x30, // reserved
  resumed: 0x31, // reserved
  acknowledge: 0x32, // reserved

  more: 0x3f,
} as const;

/** Whether a value of the program's is in it: it counts against `maxMessageBytes` in one frame too, and may have attachments. */
export function carriesData(code: number): boolean {
  const kind = kindOf(code);
  return kind === frame.call || kind === frame.result || kind === frame.streamItem || kind === frame.streamEnd;
}

/** Whether a frame of this kind begins with a call id. */
export function beginsWithCallId(kind: number): boolean {
  return kind >= 0x10 && kind <= 0x1f;
}

/** Flags of a `call` frame, a varint behind target and method. */
export const callFlag = {
  timeout: 1,
  depth: 2,
  context: 4,
  inlineMethod: 8,
  /** Arguments are results of calls that came before. */
  resultArguments: 16,
  /** The target is the result of a call that came before: the number is that call's. */
  onResult: 32,
  /** Further calls may be on the result: it is kept until the call is cancelled. */
  keepResult: 64,
  /** Nobody wants the result: the answer is nil. */
  oneway: 128,
  /** It is part of turns of serialized objects. */
  passes: 256,
} as const;

/** Flags of an `error` frame, one byte behind the call id. */
export const errorFlag = {
  /** The body is what the method threw, not a refusal of farref's. */
  thrown: 1,
  /** The arguments were never decoded: the sender undoes the holds they counted. */
  argumentsUntouched: 2,
  /** A call that this one depends on did not return. */
  brokenStep: 4,
} as const;

/** Flags of what a producer says, one byte behind the stream's number. */
export const streamFlag = {
  /** Of an error: the body is what the producer threw, not a refusal of farref's. */
  thrown: 1,
  /** It answers a cancel: an error with it was thrown by the ending, and not before. */
  answersCancel: 2,
  /** The body refers to objects, functions, signals or streams. */
  refers: 4,
} as const;
