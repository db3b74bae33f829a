import { describe, expect, test } from "vitest";
import { FrameReader } from "../../src/wire/frame-reader.ts";
import { frame } from "../../src/wire/frames.ts";
import { Slabs } from "../../src/wire/slabs.ts";
import { framed } from "../session/raw-peer.ts";

const maxPayloadBytes = 1_000;

/** Frames of lengths that make their parts fall everywhere, and what a reader says of them. */
const sent = Array.from({ length: 40 }, (_, i) => ({ code: i, text: "x".repeat((i * 7) % 23) }));
const bytes = Buffer.concat(sent.map(({ code, text }) => framed(code, (writer) => writer.raw(Buffer.from(text)))));
const cuts = [1, 2, 3, 5, 11, 64, bytes.length];

/** A reader that pauses after every frame for which `pauses` says so. */
function reading(pauses: (count: number) => boolean = () => false) {
  const got: { code: number; text: string }[] = [];
  const oversized: number[] = [];
  const reader: FrameReader = new FrameReader(maxPayloadBytes, new Slabs(), {
    frame(code, chunk, start, end) {
      got.push({ code, text: Buffer.from(chunk.subarray(start, end)).toString() });
      if (pauses(got.length)) reader.pause();
    },
    rest: () => expect.unreachable(),
    oversized: (payloadBytes) => oversized.push(payloadBytes),
  });
  return { reader, got, oversized };
}

function pushInPieces(reader: FrameReader, size: number): void {
  for (let from = 0; from < bytes.length; from += size) {
    const piece = Uint8Array.from(bytes.subarray(from, from + size));
    reader.push(piece);
    // It is the channel's again: what is wanted longer was copied.
    piece.fill(0xff);
  }
}

describe("a fragment", () => {
  const payload = Buffer.from(Array.from({ length: 900 }, (_, i) => 97 + ((i * 7 + (i >> 4)) % 26)));
  const before = framed(0x10, (writer) => writer.raw(Buffer.from("before")));
  const behind = framed(0x11, (writer) => writer.raw(Buffer.from("behind")));
  const fragment = framed(frame.more, (writer) => writer.raw(payload));
  const stream = Buffer.concat([before, fragment, behind, fragment, fragment, behind]);
  const expected = [
    [0x10, "before"],
    [frame.more, payload.toString()],
    [0x11, "behind"],
    [frame.more, payload.toString()],
    [frame.more, payload.toString()],
    [0x11, "behind"],
  ];

  function readPieces(size: number, isPausing: boolean) {
    const got: [code: number, text: string][] = [];
    let parts = 0;
    const reader: FrameReader = new FrameReader(maxPayloadBytes, new Slabs(), {
      frame(code, chunk, start, end) {
        got.push([code, Buffer.from(chunk.subarray(start, end)).toString()]);
        if (isPausing) reader.pause();
      },
      rest(chunk, start, end) {
        parts++;
        (got.at(-1) as [number, string])[1] += Buffer.from(chunk.subarray(start, end)).toString();
        if (isPausing) reader.pause();
      },
      oversized: () => expect.unreachable(),
    });
    for (let from = 0; from < stream.length; from += size) {
      const piece = Uint8Array.from(stream.subarray(from, from + size));
      reader.push(new Uint8Array(0));
      reader.push(piece);
      piece.fill(0xff);
      while (isPausing && reader.isPaused) reader.resume();
    }
    return { reader, got, parts };
  }

  test.each([1, 3, 66, 68, 69, 100, 500, 903, 905, 950, stream.length])(
    "is handed on as it comes, in pieces of %i bytes, and what is around it whole",
    (size) => {
      for (const isPausing of [false, true]) {
        const { reader, got } = readPieces(size, isPausing);
        expect(got).toEqual(expected);
        expect([reader.isInFrame, reader.unreadBytes]).toEqual([false, 0]);
      }
    },
  );

  test("is not kept until it is whole", () => {
    expect(readPieces(300, false).parts).toBeGreaterThan(5);
    expect(readPieces(stream.length, false).parts).toBe(0);
  });

  test("that stops half way is a frame that is not whole", () => {
    const { reader } = readPieces(stream.length, false);
    reader.push(fragment.subarray(0, 500));
    expect(reader.isInFrame).toBe(true);
    reader.stop();
    expect(reader.isInFrame).toBe(false);
  });
});

describe("a frame reader", () => {
  test.each(cuts)("reads the same frames from pieces of %i bytes", (size) => {
    const { reader, got } = reading();
    pushInPieces(reader, size);
    expect(got).toEqual(sent);
    expect(reader.isInFrame).toBe(false);
  });

  test.each(cuts)("pausing after every frame of pieces of %i bytes, loses and repeats none", (size) => {
    const { reader, got } = reading(() => true);
    pushInPieces(reader, size);
    expect(got).toEqual(sent.slice(0, 1));
    expect(reader.unreadBytes).toBe(bytes.length - 4 - (sent[0]?.text.length ?? 0));
    for (let count = 2; count <= sent.length; count++) {
      reader.resume();
      expect(got).toHaveLength(count);
    }
    reader.resume();
    expect(got).toEqual(sent);
    expect([reader.isPaused, reader.isInFrame, reader.unreadBytes]).toEqual([false, false, 0]);
  });

  test.each(cuts)("resumed between pieces of %i bytes, keeps their order", (size) => {
    const { reader, got } = reading((count) => count % 3 === 0);
    for (let from = 0; from < bytes.length; from += size) {
      reader.push(bytes.subarray(from, from + size));
      if (from % 2 === 0) reader.resume();
    }
    while (reader.isPaused) reader.resume();
    expect(got).toEqual(sent);
  });

  test("stopped while it pauses, forgets what it has not read", () => {
    const { reader, got } = reading((count) => count === 5);
    reader.push(bytes);
    reader.stop();
    reader.resume();
    reader.push(bytes);
    expect(got).toHaveLength(5);
    expect([reader.isPaused, reader.unreadBytes]).toEqual([false, 0]);
  });

  test("refuses a frame too large when it comes to it, and reads nothing behind it", () => {
    const { reader, got, oversized } = reading((count) => count === 1);
    const small = framed(1, () => {});
    const large = framed(2, (writer) => writer.raw(new Uint8Array(maxPayloadBytes + 1)));
    reader.push(Buffer.concat([small, large, small]));
    expect(oversized).toEqual([]);
    reader.resume();
    expect(oversized).toEqual([maxPayloadBytes + 1]);
    expect(got).toHaveLength(1);
  });

  test("takes larger frames from what it has kept, once it is told to", () => {
    const { reader, got, oversized } = reading((count) => count === 1);
    const large = framed(2, (writer) => writer.raw(new Uint8Array(maxPayloadBytes + 1)));
    reader.push(Buffer.concat([framed(1, () => {}), large]));
    reader.maxPayloadBytes = 2 * maxPayloadBytes;
    reader.resume();
    expect([got.length, oversized.length]).toEqual([2, 0]);
  });
});
