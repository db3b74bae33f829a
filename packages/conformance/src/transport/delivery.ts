/** Bytes arrive whole and in order, not before they are wanted and no faster than they are read. */
import type { Channel } from "@farref/core";
import { describe, expect, test } from "vitest";
import { turns } from "../turns.ts";
import { probe } from "./channel-probe.ts";
import type { TransportSetUp } from "./describe-transport.ts";
import { openPair } from "./pair.ts";

const mebibyte = 1024 * 1024;
const sizes = [0, 1, 2, 1_000, 64 * 1024, 64 * 1024 + 1, 300_000];
/** A channel that takes this much for a reader who reads nothing has no bound. */
const unboundedBytes = 64 * mebibyte;

export function testDelivery({ transport, freshUri, largestBytes = 5 * mebibyte }: TransportSetUp): void {
  describe("delivery", () => {
    test("bytes arrive whole and in order, both ways at once", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      const lengths = [...sizes, largestBytes, 0, 3];
      const [there, back] = [patterned(lengths, 1), patterned(lengths, 7)];
      for (const bytes of there) pair.near.write(bytes.slice());
      for (const bytes of back) pair.far.write(bytes.slice());
      expect(isSame(await far.bytes(total(there)), there)).toBe(true);
      expect(isSame(await near.bytes(total(back)), back)).toBe(true);
    });

    test("many small writes of one turn arrive in order", async () => {
      await using pair = await openPair(transport, freshUri());
      const far = probe(pair.far);
      probe(pair.near);
      const parts = patterned(new Array<number>(2_000).fill(13), 3);
      for (const part of parts) pair.near.write(part.slice());
      expect(isSame(await far.bytes(total(parts)), parts)).toBe(true);
    });

    test("what comes before start is kept for it, and start calls nothing back at once", async () => {
      await using pair = await openPair(transport, freshUri());
      probe(pair.near);
      pair.near.write(Uint8Array.of(1, 2, 3));
      await turns(20);
      const far = probe(pair.far);
      expect(far.chunks).toBe(0);
      expect([...(await far.bytes(3))]).toEqual([1, 2, 3]);
    });

    test("a message can be answered from inside the chunk callback", async () => {
      await using pair = await openPair(transport, freshUri());
      const near = probe(pair.near);
      probe(pair.far, (bytes) => void pair.far.write(bytes.slice()));
      pair.near.write(Uint8Array.of(1, 2, 3));
      expect([...(await near.bytes(3))]).toEqual([1, 2, 3]);
    });

    test("a writer is asked to wait for a slow reader, and told when there is room", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      pair.far.pause();
      const sentBytes = await writeUntilFull(pair.near);
      expect(sentBytes).toBeLessThan(unboundedBytes);
      await turns(5);
      expect(near.drains).toBe(0);
      pair.far.resume();
      await near.drained();
      await far.bytes(sentBytes);
      expect(near.drains).toBe(1);
    });

    test("memory may be written over as soon as a channel says that it is flushed", async () => {
      await using pair = await openPair(transport, freshUri());
      const far = probe(pair.far);
      probe(pair.near);
      const parts = patterned(new Array<number>(Math.floor(largestBytes / 40_000)).fill(40_000), 5);
      let memory = new Uint8Array(40_000);
      pair.far.pause();
      for (const [index, part] of parts.entries()) {
        if (pair.near.isFlushed !== true) memory = new Uint8Array(40_000);
        memory.set(part);
        pair.near.write(memory);
        if (index === parts.length >> 1) pair.far.resume();
        if (index % 10 === 0) await turns(1);
      }
      expect(isSame(await far.bytes(total(parts)), parts)).toBe(true);
    });

    test("small writes drain nothing", async () => {
      await using pair = await openPair(transport, freshUri());
      const [near, far] = [probe(pair.near), probe(pair.far)];
      expect(pair.near.write(new Uint8Array(10))).toBe(true);
      await far.bytes(10);
      await turns(5);
      expect(near.drains).toBe(0);
    });

    test("nothing is delivered during a pause, and all of it afterwards", async () => {
      await using pair = await openPair(transport, freshUri());
      const far = probe(pair.far);
      probe(pair.near);
      pair.far.pause();
      pair.near.write(Uint8Array.of(1, 2, 3));
      await turns(20);
      expect(far.chunks).toBe(0);
      pair.far.resume();
      expect([...(await far.bytes(3))]).toEqual([1, 2, 3]);
    });

    test("a pause inside the chunk callback holds from there on", async () => {
      await using pair = await openPair(transport, freshUri());
      const far = probe(pair.far, () => pair.far.pause());
      probe(pair.near);
      for (let i = 0; i < 3; i++) pair.near.write(Uint8Array.of(i));
      await far.bytes(1);
      await turns(20);
      expect(far.chunks).toBe(1);
      while (far.received.length < 3) {
        pair.far.resume();
        await turns(1);
      }
      expect([...far.received]).toEqual([0, 1, 2]);
    });
  });
}

/** Writes 64 KiB at a time until told to wait; a turn between writes lets the platform send what it can. */
export async function writeUntilFull(channel: Channel): Promise<number> {
  let sentBytes = 0;
  while (sentBytes < unboundedBytes) {
    sentBytes += 64 * 1024;
    if (!channel.write(new Uint8Array(64 * 1024))) return sentBytes;
    await turns(1);
  }
  return sentBytes;
}

type Parts = readonly Uint8Array[];

function patterned(lengths: readonly number[], seed: number): Parts {
  let state = seed;
  return lengths.map((length) =>
    new Uint8Array(length).map(() => {
      state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
      return state >>> 16;
    }),
  );
}

function total(parts: Parts): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** A matcher would take seconds to compare megabytes. */
function isSame(received: Uint8Array, parts: Parts): boolean {
  return Buffer.concat(parts).equals(received);
}
