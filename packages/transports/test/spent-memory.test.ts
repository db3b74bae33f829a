/** What a socket has read is freed when its receiver gives it back, and not before. */
import { acceptAt } from "@farref/conformance";
import type { Channel, Transport } from "@farref/core";
import { tcpTransport } from "@farref/transports";
import { describe, expect, test } from "vitest";
import { freeMemory } from "../src/socket/spent-memory.ts";

const sent = new Uint8Array(1_000_000).map((_, i) => i * 7 + (i >> 8));

/** The chunks in which `sent` came, as they are when all of it has come, and what was in them when they came. */
async function receive(transport: Transport, use: "give back" | "keep") {
  await using acceptor = await acceptAt(transport, "tcp://127.0.0.1:0");
  const near = await transport.dial(acceptor.uri, {});
  const far: Channel = await acceptor.next();
  const chunks: Uint8Array[] = [];
  const seen: Uint8Array[] = [];
  let missing = sent.length;
  await new Promise<void>((resolve) => {
    far.start({
      chunk(bytes) {
        chunks.push(bytes);
        seen.push(Uint8Array.from(bytes));
        missing -= bytes.length;
        if (use === "give back") far.giveBack?.(bytes);
        if (missing === 0) resolve();
      },
      drained: () => {},
      closed: () => {},
    });
    near.start({ chunk: () => {}, drained: () => {}, closed: () => {} });
    near.write(sent);
  });
  near.destroy();
  far.destroy();
  return { chunks, seen: Buffer.concat(seen) };
}

describe("the memory of chunks", () => {
  test("is freed when it is given back, and what was in it was what was sent", async () => {
    const { chunks, seen } = await receive(tcpTransport, "give back");
    expect(seen.equals(sent)).toBe(true);
    expect(chunks.filter(({ buffer }) => buffer.byteLength === 0).length).toBeGreaterThan(0);
  });

  test("stays with a receiver that keeps it", async () => {
    const { chunks } = await receive(tcpTransport, "keep");
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  test("is left alone where it is little, or where others are in it", () => {
    const [little, large] = [new Uint8Array(1_000), new Uint8Array(100_000)];
    const part = large.subarray(0, 99_999);
    for (const bytes of [little, part]) freeMemory(bytes);
    expect([little.length, part.length, large.length]).toEqual([1_000, 99_999, 100_000]);
    const shared = new Uint8Array(new SharedArrayBuffer(100_000));
    freeMemory(shared);
    expect(shared.length).toBe(100_000);
    freeMemory(large);
    expect([large.length, part.length]).toEqual([0, 0]);
  });
});
