/** Streams between a page and a service in Node. */
import { type Connection, connect, connectionOf, type Remote, RemoteError } from "farref";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import type { BrowserService } from "../../../test/browser-service.ts";
import type { BrowserStreams } from "../../../test/browser-streams.ts";

let connection: Connection;
let streams: Remote<BrowserStreams>;

beforeEach(async () => {
  const service = await connect<BrowserService>(inject("browserServiceUri"));
  connection = connectionOf(service);
  streams = await service.streams();
});

afterEach(async () => {
  await until(async () => connection.stats().openStreams + (await streams.state()).open === 0);
  await connection.close();
});

async function until(isMet: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 5_000;
  while (!(await isMet())) {
    if (performance.now() > giveUpAt) throw new Error("what the test waits for does not happen");
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

test("a generator in Node is read in the page", async () => {
  const counted = await streams.count(3_000);
  const items: number[] = [];
  for await (const item of counted) items.push(item);
  expect(items).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
});

test("a ReadableStream arrives as one, and may be the body of a Response", async () => {
  const stream = await streams.readable(20);
  expect(stream).toBeInstanceOf(ReadableStream);
  const body = new Uint8Array(await new Response(stream).arrayBuffer());
  expect(body.length).toBe(200_000);
  expect(body[199_999]).toBe(19);
});

test("the page's Blobs and generators are read in Node", async () => {
  const blob = new Blob([new Uint8Array(300_000)]);
  expect(await streams.bytesOf(blob.stream() as unknown as AsyncIterable<Uint8Array>)).toBe(300_000);
  let ended = 0;
  async function* numbers() {
    try {
      for (let i = 7; ; i++) yield i;
    } finally {
      ended++;
    }
  }
  expect(await streams.first(numbers())).toBe(7);
  expect(ended).toBe(1);
});

test("a page that stalls stops the producer, and breaking off ends it", async () => {
  const kilobytes = await streams.kilobytes();
  await kilobytes.next();
  let { asked } = await streams.state();
  await until(async () => {
    const before = asked;
    ({ asked } = await streams.state());
    return asked === before && asked > 100;
  });
  expect(asked).toBeLessThanOrEqual(513);
  await kilobytes.return?.();
  expect(await streams.state()).toMatchObject({ ended: 1, open: 0 });
});

test("an error arrives behind the items before it", async () => {
  const items: number[] = [];
  const failing = async () => {
    for await (const item of await streams.fail(5)) items.push(item);
  };
  await expect(failing()).rejects.toMatchObject({ remoteName: "RangeError", message: "too far", data: { by: 7 } });
  await expect(failing()).rejects.toBeInstanceOf(RemoteError);
  expect(items).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
});

test("a cancelled ReadableStream ends where it comes from", async () => {
  const reader = (await streams.readable(1_000_000)).getReader();
  await reader.read();
  await reader.cancel("enough");
  expect(await streams.state()).toMatchObject({ open: 0 });
});
