import { describe, expect, test } from "vitest";
import { createAnswerer } from "../src/floor/answerer.ts";
import { createCaller } from "../src/floor/caller.ts";
import { FrameReader, FrameWriter } from "../src/floor/frames.ts";
import { floorTcp } from "../src/floor/tcp.ts";
import { floorWebSocket } from "../src/floor/websocket.ts";
import { rows } from "../src/records.ts";
import { service } from "../src/service.ts";

describe("frames", () => {
  function written(append: (writer: FrameWriter) => void): Buffer {
    const batches: Buffer[] = [];
    const writer = new FrameWriter((batch) => batches.push(Buffer.from(batch)) > 0);
    append(writer);
    writer.flush();
    return Buffer.concat(batches);
  }
  function read(chunks: readonly Buffer[]): unknown[] {
    const frames: unknown[] = [];
    const reader = new FrameReader((...frame) => frames.push(frame));
    for (const chunk of chunks) reader.receive(chunk);
    return frames;
  }

  test("arrive whole however they are cut", () => {
    const bytes = written((writer) => {
      writer.append(1, 0, [5, 3]);
      writer.append(2, 1, "x".repeat(100));
    });
    const expected = [
      [1, 0, [5, 3]],
      [2, 1, "x".repeat(100)],
    ];
    expect(read([bytes])).toEqual(expected);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
    }
  });

  test("a shape is sent once", () => {
    const one = written((writer) => writer.append(1, 0, { longFieldName: 1 }));
    const two = written((writer) => {
      writer.append(1, 0, { longFieldName: 1 });
      writer.append(2, 0, { longFieldName: 2 });
    });
    expect(two.length - one.length).toBeLessThan(16);
    expect(read([two])).toEqual([
      [1, 0, { longFieldName: 1 }],
      [2, 0, { longFieldName: 2 }],
    ]);
  });

  test("one larger than the batch leaves by itself", () => {
    const large = Buffer.alloc(1024 * 1024, 7);
    const frames = read([
      written((writer) => {
        writer.append(1, 0, 1);
        writer.append(2, 0, large);
        writer.append(3, 0, 3);
      }),
    ]);
    const [first, second, third] = frames as [number, number, unknown][];
    expect([first, second?.slice(0, 2), third]).toEqual([
      [1, 0, 1],
      [2, 0],
      [3, 0, 3],
    ]);
    // Compared by hand: a mebibyte takes `toEqual` seconds.
    expect(large.equals(second?.[2] as Buffer)).toBe(true);
  });
});

describe("calls", () => {
  test("of one turn leave in one write, and are answered in one", async () => {
    const writes = { caller: 0, answerer: 0 };
    const answerer = createAnswerer(service, (batch) => {
      writes.answerer++;
      caller.receive(Buffer.from(batch));
      return true;
    });
    const caller = createCaller((batch) => {
      writes.caller++;
      answerer(Buffer.from(batch));
      return true;
    });
    const sums = await Promise.all([caller.add(1, 2), caller.add(3, 4), caller.add(0.5, 1e300)]);
    expect(sums).toEqual([3, 7, 1e300]);
    expect(writes).toEqual({ caller: 1, answerer: 1 });
  });

  test("that throw are rejected", async () => {
    const broken = {
      ...service,
      add(): number {
        throw new Error("no sum");
      },
    };
    const answerer = createAnswerer(broken, (batch) => {
      caller.receive(Buffer.from(batch));
      return true;
    });
    const caller = createCaller((batch) => {
      answerer(Buffer.from(batch));
      return true;
    });
    await expect(caller.add(1, 2)).rejects.toThrow("no sum");
  });

  test("echo records and bytes, use objects of their own, follow chains and read streams", async () => {
    // Not at once: large bytes leave in the middle of a call, and must not be back before it is made.
    const later = (receive: (chunk: Buffer) => void) => (batch: Buffer) => {
      setImmediate(receive, Buffer.from(batch));
      return true;
    };
    const answerer = createAnswerer(
      service,
      later((chunk) => caller.receive(chunk)),
    );
    const caller = createCaller(later(answerer));
    expect(await caller.echo(rows)).toEqual(rows);
    const bytes = new Uint8Array(300_000).fill(7);
    expect(Buffer.compare((await caller.echo(bytes)) as Uint8Array, bytes)).toBe(0);
    expect(await Promise.all([caller.useFresh(1), caller.useFresh(2)])).toEqual([2, 3]);
    const before = await caller.chain(0);
    expect(await caller.chain(4)).toBe(before + 4);
    expect(await caller.sumItems(1_000)).toBe(3 * ((255 * 256) / 2) + (231 * 232) / 2);
  });

  test.each([floorTcp, floorWebSocket])("over $transport give right sums", async (contender) => {
    const server = await contender.serve();
    const client = await contender.connect(server.address);
    const sums = await Promise.all(Array.from({ length: 5000 }, (_, n) => client.add(n, 3)));
    await client.close();
    await server.close();
    expect(sums).toEqual(Array.from({ length: 5000 }, (_, n) => n + 3));
  });
});
