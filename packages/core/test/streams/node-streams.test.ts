/** Node's own streams, which iterate asynchronously and live before anybody iterates them. */
import { EventEmitter, on } from "node:events";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { turns } from "../../../conformance/src/index.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { failureOf, until } from "../session/waiting.ts";
import { readAll } from "./support.ts";

const thisFile = fileURLToPath(import.meta.url);

/** What a service may return that TypeScript takes for more than a stream. */
const streamed = (stream: AsyncIterable<unknown>) => stream as AsyncIterable<Uint8Array>;

describe("a Readable", () => {
  test("of a file arrives chunk by chunk", async () => {
    const front = { read: () => streamed(createReadStream(thisFile, { highWaterMark: 100 })) };
    await using pair = await leakCheckedPair(front);
    const { items } = await readAll((await pair.front.read()) as AsyncIterableIterator<Uint8Array>);
    expect(Buffer.concat(items).toString()).toContain("arrives chunk by chunk");
  });

  test("that fails before anybody reads it fails its stream, and nothing else", async () => {
    const front = { read: () => streamed(createReadStream("/nowhere/to/be/found")) };
    await using pair = await leakCheckedPair(front);
    const stream = (await pair.front.read()) as AsyncIterableIterator<Uint8Array>;
    await turns(20);
    expect(await failureOf(stream.next())).toMatchObject({ code: "ENOENT", remoteName: "Error" });
  });

  test("that is never read is destroyed", async () => {
    const file = createReadStream(thisFile);
    await using pair = await leakCheckedPair({ read: () => streamed(file) });
    await ((await pair.front.read()) as AsyncIterableIterator<Uint8Array>).return?.();
    await until(() => file.destroyed);
  });

  test("that is read in part is destroyed when the reader breaks off", async () => {
    const source = new PassThrough({ objectMode: true });
    source.write({ line: 1 });
    await using pair = await leakCheckedPair({ read: () => streamed(source) });
    for await (const item of await pair.front.read()) {
      expect(item).toEqual({ line: 1 });
      break;
    }
    await until(() => source.destroyed);
  });

  test("in a message that is refused is its owner's as it was", async () => {
    const source = Readable.from([1, 2, 3]);
    await using pair = await leakCheckedPair({ take: (..._: unknown[]) => {} });
    await expect(pair.front.take(source, Symbol("no"))).rejects.toMatchObject({ code: "unsupported-value" });
    expect(source.listenerCount("error")).toBe(0);
    expect(source.destroyed).toBe(false);
    expect(await source.toArray()).toEqual([1, 2, 3]);
  });

  test("is not sent a second time while it is being sent", async () => {
    const source = Readable.from([1, 2, 3]);
    await using pair = await leakCheckedPair({ read: () => streamed(source) });
    const stream = (await pair.front.read()) as AsyncIterableIterator<unknown>;
    await expect(pair.front.read()).rejects.toMatchObject({ code: "unsupported-value" });
    expect((await readAll(stream)).items).toEqual([1, 2, 3]);
  });

  test("arrives as a stream of lines by way of readline", async () => {
    const front = {
      lines: () => createInterface({ input: Readable.from(["one\ntwo\nth", "ree\n"]) }) as AsyncIterable<string>,
    };
    await using pair = await leakCheckedPair(front);
    const { items } = await readAll((await pair.front.lines()) as AsyncIterableIterator<string>);
    expect(items).toEqual(["one", "two", "three"]);
  });
});

test("events arrive as a stream, and are listened to no longer when it ends", async () => {
  const emitter = new EventEmitter();
  await using pair = await leakCheckedPair({ events: () => on(emitter, "tick") as AsyncIterable<[number]> });
  const events = (await pair.front.events()) as AsyncIterableIterator<[number]>;
  emitter.emit("tick", 1);
  emitter.emit("tick", 2);
  expect((await events.next()).value).toEqual([1]);
  await events.return?.();
  expect(emitter.listenerCount("tick")).toBe(0);
});
