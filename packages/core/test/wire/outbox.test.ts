import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import { FrameReader } from "../../src/wire/frame-reader.ts";
import { firstOfMany, frame, kindOf, maxPayloadBytes } from "../../src/wire/frames.ts";
import { Outbox, type Place } from "../../src/wire/outbox.ts";
import { Slabs } from "../../src/wire/slabs.ts";

/** An outbox over a channel that takes what it is given until it is blocked. `pings` stand behind so many frames. */
function openOutbox() {
  const frames: { readonly kind: number; readonly isFirst: boolean; readonly bytes: number }[] = [];
  const pings: number[] = [];
  const reader = new FrameReader(maxPayloadBytes, new Slabs(), {
    frame(code, _bytes, start, end) {
      const kind = kindOf(code);
      if (kind === frame.ping) pings.push(frames.length);
      else frames.push({ kind, isFirst: (code & firstOfMany) !== 0, bytes: end - start });
    },
    rest: () => expect.unreachable(),
    oversized: () => expect.unreachable(),
  });
  const channel = { isBlocked: false, isFlushed: false, writes: 0 };
  const memory = new Set<ArrayBufferLike>();
  const clock = new ManualClock();
  const stalls: number[] = [];
  const outbox = new Outbox({
    clock,
    slabs: new Slabs(),
    write(bytes) {
      channel.writes++;
      memory.add(bytes.buffer);
      reader.push(bytes);
      return !channel.isBlocked;
    },
    isFlushed: () => channel.isFlushed,
    stalled: () => stalls.push(clock.now()),
    advanced: () => {},
  });
  const send = (bytes: number) => {
    outbox.begin(frame.call).raw(new Uint8Array(bytes));
    const place: Place = { batch: -1, offset: -1, large: undefined };
    outbox.endAt(place, "call");
    return place;
  };
  /** Until `drained` nothing more leaves. */
  const block = () => {
    channel.isBlocked = true;
    send(1);
    outbox.flush();
    channel.isBlocked = false;
  };
  return { clock, outbox, frames, pings, channel, memory, stalls, send, block };
}

describe("an outbox", () => {
  test("writes the frames of one turn at once", async () => {
    const { frames, channel, send } = openOutbox();
    for (let i = 0; i < 10; i++) send(i);
    expect(channel.writes).toBe(0);
    await turns(1);
    expect(channel.writes).toBe(1);
    expect(frames.map(({ bytes }) => bytes)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("takes back what has not left, and says so", async () => {
    const { outbox, frames, send } = openOutbox();
    const first = send(1);
    send(2);
    expect(outbox.takeBack(first)).toBe(true);
    await turns(1);
    expect(frames.map(({ kind }) => kind)).toEqual([frame.void, frame.call]);
    expect(outbox.takeBack(first)).toBe(false);
  });

  test("takes back a large message before its first fragment has left, and sends nothing of its rest", () => {
    const { outbox, frames, send, block } = openOutbox();
    block();
    const large = send(1_000_000);
    expect(outbox.takeBack(large)).toBe(true);
    outbox.drained();
    expect(frames.filter(({ kind, isFirst }) => kind === frame.more || isFirst)).toEqual([]);
  });

  test("begins what waits for room when what stood before it is taken back", () => {
    const { outbox, frames, send, block } = openOutbox();
    outbox.maxMessageBytes = 100_000;
    block();
    // Four times the largest message may be under way at once.
    const begun = [send(100_000), send(100_000), send(100_000), send(100_000)];
    send(90_000);
    expect(outbox.hasWaitingCall).toBe(true);
    for (const place of begun) expect(outbox.takeBack(place)).toBe(true);
    outbox.drained();
    expect(outbox.hasWaitingCall).toBe(false);
    const sent = frames.filter(({ kind, isFirst }) => kind === frame.more || isFirst);
    expect(sent.map(({ isFirst }) => isFirst)).toEqual([true, false]);
  });

  test("counts what did not leave, each kind for itself, whichever part of a batch the channel took", () => {
    const { outbox, channel, send, block } = openOutbox();
    block();
    for (let i = 0; i < 100; i++) send(50_000);
    const unsentBytes = 100 * (50_000 + 4);
    expect(outbox.unsentBytes("call")).toBe(unsentBytes);
    channel.isBlocked = true;
    outbox.drained();
    expect(outbox.unsentBytes("call")).toBeGreaterThan(unsentBytes - 70_000);
    expect(outbox.unsentBytes("call")).toBeLessThan(unsentBytes);
    expect(outbox.unsentBytes("reply") + outbox.unsentBytes("control")).toBe(0);
    expect(outbox.blockedBytes).toBe(0);
  });

  test("asks behind every large frame, and behind the beginnings of large messages", () => {
    const { outbox, frames, pings, send } = openOutbox();
    for (let i = 0; i < 5; i++) send(33_000);
    outbox.flush();
    expect(pings).toEqual([1, 2, 3, 4, 5]);
    for (let i = 0; i < 5; i++) send(70_000);
    outbox.flush();
    const beginnings = frames.flatMap(({ isFirst }, at) => (isFirst ? [at + 1] : []));
    expect(beginnings).toHaveLength(5);
    for (const at of beginnings) expect(pings).toContain(at);
  });

  test("asks at least every 144 KiB, whatever it sends", () => {
    const size = fc.oneof(fc.nat(200), fc.nat(40_000), fc.nat(66_000), fc.constantFrom(70_000, 300_000, 2_000_000));
    const step = fc.record({ size, isFlushed: fc.boolean() });
    const property = fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
      const { outbox, frames, pings, send } = openOutbox();
      for (const { size, isFlushed } of steps) {
        send(size);
        if (isFlushed) outbox.flush();
      }
      outbox.flush();
      for (let answered = 0; answered < pings.length; answered++) outbox.answered();
      let begin = 0;
      for (const end of [...pings, frames.length]) {
        const between = frames.slice(begin, end).reduce((sum, { bytes }) => sum + bytes, 0);
        expect(between).toBeLessThanOrEqual(144 * 1024);
        begin = end;
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("asks every 32 KiB how far the peer has read: one that reads slowly keeps its session", async () => {
    const { clock, outbox, pings, channel, stalls, send, block } = openOutbox();
    outbox.stallTimeoutMs = 1_000;
    block();
    for (let i = 0; i < 100; i++) send(10_000);
    channel.isBlocked = true;
    outbox.drained();
    for (let i = 0; i < 10; i++) {
      clock.advance(900);
      outbox.answered();
    }
    await turns(2);
    expect(stalls).toEqual([]);
    clock.advance(1_000);
    await turns(2);
    expect(stalls).toHaveLength(1);
    channel.isBlocked = false;
    outbox.drained();
    expect(pings).toEqual(Array.from({ length: 25 }, (_, i) => 5 + 4 * i));
  });

  test("reads what has come before it says that the peer takes nothing: it may have been busy itself", async () => {
    const { clock, outbox, channel, stalls, send } = openOutbox();
    outbox.stallTimeoutMs = 1_000;
    channel.isBlocked = true;
    send(1);
    outbox.flush();
    clock.advance(5_000);
    outbox.drained();
    await turns(2);
    expect(stalls).toEqual([]);
  });

  test("keeps no more for large messages that wait than they are", () => {
    const { outbox, memory, send, block } = openOutbox();
    block();
    const places = Array.from({ length: 100 }, () => send(70_000));
    const kept = new Set(places.map(({ large }) => large?.memory));
    const bytes = [...kept].reduce((sum, held) => sum + (held?.length ?? 0), 0);
    expect(kept.size).toBe(100);
    expect(bytes).toBeLessThan(2.2 * 100 * 70_000);
    outbox.drained();
    const written = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(written).toBeLessThan(4.5 * 100 * 70_000);
  });

  test("lets small frames pass between the fragments of large ones", async () => {
    const { outbox, frames, send, channel } = openOutbox();
    channel.isBlocked = true;
    send(1_000_000);
    outbox.flush();
    send(5);
    channel.isBlocked = false;
    outbox.drained();
    await turns(1);
    const small = frames.findIndex(({ bytes }) => bytes === 5);
    expect(small).toBeGreaterThan(0);
    expect(small).toBeLessThan(frames.findIndex(({ kind }) => kind === frame.more));
  });

  test.each([true, false])("uses memory again only when the channel is flushed: %s", (isFlushed) => {
    const { outbox, frames, channel, memory, send } = openOutbox();
    channel.isFlushed = isFlushed;
    for (let i = 0; i < 10; i++) {
      send(40_000);
      outbox.flush();
    }
    expect(frames.map(({ bytes }) => bytes)).toEqual(new Array(10).fill(40_000));
    expect(memory.size).toBe(isFlushed ? 1 : 10);
  });

  test("keeps what a blocked channel has not been given yet, flushed or not", () => {
    const { outbox, frames, channel, send } = openOutbox();
    channel.isBlocked = true;
    channel.isFlushed = true;
    for (let i = 0; i < 10; i++) send(30_000);
    outbox.flush();
    send(7);
    channel.isBlocked = false;
    outbox.drained();
    outbox.flush();
    expect(frames.map(({ bytes }) => bytes)).toEqual([...new Array(10).fill(30_000), 7]);
  });
});
