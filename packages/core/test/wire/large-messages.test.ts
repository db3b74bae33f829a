import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { Blocks } from "../../src/wire/blocks.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { Fragments, type WholeMessage } from "../../src/wire/fragments.ts";
import { FrameReader } from "../../src/wire/frame-reader.ts";
import { firstOfMany, frame, kindOf, maxPayloadBytes } from "../../src/wire/frames.ts";
import { Outbox, type Place } from "../../src/wire/outbox.ts";
import { Slabs } from "../../src/wire/slabs.ts";

/** What a channel does with the next write: it has the bytes at once, keeps looking at them, or asks to wait besides. */
type Taking = "at once" | "later" | "blocked";

/** An outbox over a channel that looks at memory for as long as it has not said that it is flushed. */
function openLazyChannel(takings: readonly Taking[]) {
  const received: Uint8Array[] = [];
  let pings = 0;
  const reader = readInto(received, () => pings++);
  let held: Uint8Array[] = [];
  let writes = 0;
  const outbox = new Outbox({
    clock: new ManualClock(),
    slabs: new Slabs(),
    write(bytes) {
      held.push(bytes);
      const taking = takings[writes++ % takings.length];
      if (taking === "at once") look();
      return taking !== "blocked";
    },
    isFlushed: () => held.length === 0,
    stalled: () => {},
    advanced: () => {},
  });
  function look(): void {
    for (const bytes of held) reader.push(bytes);
    held = [];
  }
  const drain = () => {
    look();
    outbox.drained();
    for (; pings > 0; pings--) outbox.answered();
  };
  return { outbox, received, drain, isIdle: () => held.length === 0 && pings === 0 };
}

function readInto(received: Uint8Array[], pinged: () => void): FrameReader {
  const fragments = new Fragments(1 << 30, new Blocks());
  return new FrameReader(maxPayloadBytes, new Slabs(), {
    frame(code, bytes, start, end) {
      const payload = new ByteReader().at(bytes, start, end);
      if (kindOf(code) === frame.ping) pinged();
      else if (kindOf(code) === frame.more) {
        take(fragments.add(payload));
      } else if (code & firstOfMany) fragments.begin(kindOf(code), payload);
      else if (kindOf(code) !== frame.void) received.push(bytes.slice(start, end));
    },
    rest: (bytes, start, end) => take(fragments.addRest(new ByteReader().at(bytes, start, end))),
    oversized: () => expect.unreachable(),
  });
  function take(whole: WholeMessage | undefined): void {
    if (!whole) return;
    received.push(whole.body.slice(0, whole.bodyBytes));
    fragments.letGo(whole);
  }
}

/** Every message has bytes of its own, and says in front which it is. */
function message(number: number, size: number): Uint8Array {
  const bytes = new Uint8Array(4 + size);
  for (let i = 0; i < size; i++) bytes[4 + i] = (i * 31 + (i >> 8) * 7 + number * 13) & 0xff;
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

const numberOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);

describe("messages of any size", () => {
  test("arrive as they were sent, whatever the channel does with memory, unless they are taken back", () => {
    const aroundFragments = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -20, max: 20 }));
    const size = fc.oneof(
      aroundFragments.map(([count, more]) => 65_536 * count + more),
      fc.nat(100),
      fc.nat(70_000),
      fc.nat(400_000),
      fc.nat(3_000_000),
    );
    const step = fc.record({ size, isTakenBack: fc.boolean(), after: fc.constantFrom("go on", "flush", "drain") });
    const taking = fc.constantFrom<Taking>("at once", "later", "blocked");
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.array(taking, { minLength: 1, maxLength: 9 }),
        (steps, takings) => {
          const { outbox, received, drain, isIdle } = openLazyChannel(takings);
          const expected = new Map<number, Uint8Array>();
          for (const [number, { size, isTakenBack, after }] of steps.entries()) {
            const bytes = message(number, size);
            outbox.begin(frame.call).raw(bytes);
            const place: Place = { batch: -1, offset: -1, large: undefined };
            outbox.endAt(place, "call");
            if (!isTakenBack || !outbox.takeBack(place)) expected.set(number, bytes);
            if (after === "flush") outbox.flush();
            if (after === "drain") drain();
          }
          outbox.flush();
          do drain();
          while (!isIdle());
          expect(new Set(received.map(numberOf))).toEqual(new Set(expected.keys()));
          expect(received.length).toBe(expected.size);
          for (const bytes of received)
            expect(Buffer.compare(bytes, expected.get(numberOf(bytes)) ?? bytes.slice(1))).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("blocks", () => {
  test("are used again for what is about as large", () => {
    const blocks = new Blocks();
    const block = blocks.borrow(1_000_000);
    blocks.giveBack(block);
    expect(blocks.borrow(600_000) === block).toBe(true);
  });

  test("are not lent twice, nor to who would tie up much more than he asked for", () => {
    const blocks = new Blocks();
    const block = blocks.borrow(1_000_000);
    expect(blocks.borrow(1_000_000) === block).toBe(false);
    blocks.giveBack(block);
    expect(blocks.borrow(100_000) === block).toBe(false);
    expect(blocks.borrow(1_000_001).length).toBe(1_000_001);
    expect(blocks.borrow(1_000_000) === block).toBe(true);
    expect(blocks.borrow(1_000_000) === block).toBe(false);
  });
});
