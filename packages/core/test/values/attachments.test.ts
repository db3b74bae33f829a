/** Binary that does not fit a frame: it travels beside the body, and is put together where it stays. */
import { describe, expect, test } from "vitest";
import { type LeakCheckedPair, slicingTransport, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { pipeline, registerValue, resolveTypes, withOptions } from "../../src/index.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { maxAttachments, minAttachmentBytes } from "../../src/wire/frames.ts";
import { leakCheckedPair, memory, tcp } from "../session/pairs.ts";
import { failureOf, gate } from "../session/waiting.ts";
import { difference } from "./difference.ts";
import { codec, limits, TestExporter } from "./support.ts";

const mebi = 1024 * 1024;

/** Bytes that differ from those of any other seed, and of any other place. */
function bytesOf(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8) * 7 + (i >> 16) * 3 + seed * 13;
  return bytes;
}

const { buffer } = bytesOf(1_000_000);
const kinds: readonly [string, ArrayBuffer | ArrayBufferView][] = [
  ["Uint8Array", new Uint8Array(buffer)],
  ["Buffer", Buffer.from(buffer)],
  ["ArrayBuffer", buffer],
  ["DataView", new DataView(buffer)],
  ["Int8Array", new Int8Array(buffer)],
  ["Uint8ClampedArray", new Uint8ClampedArray(buffer)],
  ["Int16Array", new Int16Array(buffer)],
  ["Uint16Array", new Uint16Array(buffer)],
  ["Int32Array", new Int32Array(buffer)],
  ["Uint32Array", new Uint32Array(buffer)],
  ["Float32Array", new Float32Array(buffer)],
  ["Float64Array", new Float64Array(buffer)],
  ["BigInt64Array", new BigInt64Array(buffer)],
  ["BigUint64Array", new BigUint64Array(buffer)],
  ["a view of a part", new Uint8Array(buffer, 1_001, 500_003)],
];

class Store {
  readonly kept: unknown[] = [];

  echo(value: unknown): unknown {
    return value;
  }
  length({ length }: Uint8Array): number {
    return length;
  }
  keep(value: unknown): void {
    this.kept.push(value);
  }
  async *chunks(count: number, length: number): AsyncGenerator<{ at: number; bytes: Uint8Array }> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < count; at++) {
      bytes.set(bytesOf(length, at));
      yield { at, bytes };
    }
  }
  async *ending(length: number): AsyncGenerator<number, Uint8Array> {
    yield 1;
    return bytesOf(length, 9);
  }
  async *labelled(count: number, length: number): AsyncGenerator<{ label: () => number; bytes: Uint8Array }> {
    for (let at = 0; at < count; at++) yield { label: () => at, bytes: bytesOf(length, at) };
  }
  async gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return all;
  }
}

/** In pieces that fragments do not end with. */
const sliced = { transport: slicingTransport(memoryTransport, 40_009), freshUri: memory.freshUri };
const places = [
  { place: "memory", at: memory },
  { place: "memory, in pieces", at: sliced },
  { place: "tcp", at: tcp },
];

describe.each(places)("large binary over $place", ({ at }) => {
  const store = (): Promise<LeakCheckedPair<Store>> => leakCheckedPair(new Store(), {}, at);

  test.each(kinds)("of kind %s comes back as it was", async (_name, given) => {
    await using pair = await store();
    const arrived = (await pair.front.echo(given)) as ArrayBuffer | ArrayBufferView;
    expect(difference(arrived, given)).toBeUndefined();
    const memory = ArrayBuffer.isView(arrived) ? arrived.buffer : arrived;
    expect(memory.byteLength).toBe(given.byteLength);
  });

  test.each([
    minAttachmentBytes - 40,
    minAttachmentBytes - 1,
    minAttachmentBytes,
    minAttachmentBytes + 1,
    3 * mebi + 5,
  ])("of %i bytes comes back as it was, among others and with itself", async (length) => {
    await using pair = await store();
    const [one, other] = [bytesOf(length, 1), bytesOf(length, 2)];
    const given = { one, list: ["small", other, bytesOf(100), [one]], again: other, text: "x".repeat(70_000) };
    expect(difference(await pair.front.echo(given), given)).toBeUndefined();
  });

  test("arrives as it was when the call was made", async () => {
    await using pair = await store();
    const bytes = bytesOf(2 * mebi);
    const asked = pair.front.echo(bytes);
    bytes.fill(0);
    expect(difference(await asked, bytesOf(2 * mebi))).toBeUndefined();
  });

  test("is in items of streams, also of a source that uses its memory again", async () => {
    await using pair = await store();
    const seen: number[] = [];
    for await (const { at, bytes } of await pair.front.chunks(12, 300_001)) {
      expect(difference(bytes, bytesOf(300_001, at))).toBeUndefined();
      seen.push(at);
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, at) => at));
  });

  test("is in items of streams that nobody reads", async () => {
    await using pair = await store();
    const chunks = await pair.front.chunks(1_000, 300_001);
    const first = await chunks.next();
    expect(first.value?.at).toBe(0);
    await chunks.return?.(undefined);
  });

  test("is what a generator returns", async () => {
    await using pair = await store();
    const ending = await pair.front.ending(mebi);
    await ending.next();
    const { value } = await ending.next();
    expect(difference(value, bytesOf(mebi, 9))).toBeUndefined();
  });

  test("is in items that bring functions too, which are read before anybody asks for them", async () => {
    await using pair = await store();
    const labelled = await pair.front.labelled(5, 100_000);
    for (let at = 0; at < 5; at++) {
      const { value } = await labelled.next();
      expect(difference(value?.bytes, bytesOf(100_000, at))).toBeUndefined();
      using label = value?.label;
      expect(await label?.()).toBe(at);
    }
    expect((await labelled.next()).done).toBe(true);
  });

  test("is a result that a further call takes before it is here", async () => {
    await using pair = await store();
    const { echo, length } = pipeline(pair.front);
    const given = bytesOf(2 * mebi);
    const kept = echo(given);
    expect(await length(kept as never)).toBe(2 * mebi);
    expect(difference(await kept, given)).toBeUndefined();
  });

  test("of a call that is given up half way is the caller's own, and arrives as it was if at all", async () => {
    const given = new Store();
    await using pair = await leakCheckedPair(given, {}, at);
    const bytes = bytesOf(3 * mebi);
    for (const turnsWaited of [0, 1, 2, 5]) {
      const giving = new AbortController();
      const kept = failureOf(withOptions(pair.front, { signal: giving.signal }).keep(bytes));
      await turns(turnsWaited);
      giving.abort();
      bytes.fill(0);
      expect(await kept).toMatchObject({ code: "cancelled" });
      bytes.set(bytesOf(3 * mebi));
    }
    expect(await pair.front.length(bytes)).toBe(3 * mebi);
    for (const arrived of given.kept) expect(difference(arrived, bytes)).toBeUndefined();
  });

  test("is in streams that are arguments", async () => {
    await using pair = await store();
    const given = [bytesOf(mebi, 1), bytesOf(10, 2), bytesOf(100_000, 3)];
    async function* chunks() {
      yield* given;
    }
    expect(difference(await pair.front.gather(chunks()), given)).toBeUndefined();
  });

  test("is the caller's own again while calls wait for others, at either side", async () => {
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 2 };
    const held = gate();
    const front = {
      async sum(bytes: Uint8Array) {
        await held.opened;
        return bytes.reduce((a, b) => a + b, 0);
      },
    };
    await using pair = await leakCheckedPair(front, { service: { limits } }, at);
    const bytes = new Uint8Array(100_000);
    const sums = Array.from({ length: 8 }, (_, i) => {
      bytes.fill(i);
      return pair.front.sum(bytes);
    });
    bytes.fill(99);
    held.open();
    expect(await Promise.all(sums)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => i * 100_000));
  });
});

describe("large binary", () => {
  test("goes into the body where there is more of it than may stand beside", async () => {
    const limits = { maxMessageBytes: 64 * mebi };
    await using pair = await leakCheckedPair(new Store(), { service: { limits }, connection: { limits } }, tcp);
    const given = Array.from({ length: maxAttachments + 3 }, (_, i) => bytesOf(minAttachmentBytes, i));
    expect(difference(await pair.front.echo(given), given)).toBeUndefined();
  });

  test("is what it was when it was met, whatever classes do to it that are packed behind it", async () => {
    const scratch = bytesOf(200_000);
    class Image {
      readonly shade: number;
      constructor(shade: number) {
        this.shade = shade;
      }
    }
    class Thief {
      readonly victim: ArrayBuffer;
      constructor(victim: ArrayBuffer) {
        this.victim = victim;
      }
    }
    const types = resolveTypes([
      registerValue(Image, {
        name: "image",
        pack: ({ shade }) => scratch.fill(shade).subarray(0, 100_000),
        unpack: (data) => new Image((data as Uint8Array)[99_999] as number),
      }),
      registerValue(Thief, {
        name: "thief",
        pack: ({ victim }) => structuredClone(victim, { transfer: [victim] }).byteLength,
        unpack: () => new Thief(new ArrayBuffer(0)),
      }),
    ]);
    await using pair = await leakCheckedPair(new Store(), { service: { types }, connection: { types } });
    const bytes = bytesOf(mebi);
    const given = [scratch, new Image(1), new Image(2), bytes, new Thief(bytes.buffer), new Image(3)];
    const [first, one, two, stolen, , three] = (await pair.front.echo(given)) as unknown[];
    expect(difference(first, bytesOf(200_000))).toBeUndefined();
    expect([one, two, three]).toEqual([new Image(1), new Image(2), new Image(3)]);
    expect(difference(stolen, bytesOf(mebi))).toBeUndefined();
  });

  test("whose buffer goes elsewhere while the message is written is refused, and nothing is sent", async () => {
    await using pair = await leakCheckedPair(new Store());
    const bytes = bytesOf(mebi);
    const thief = new Proxy(
      {},
      {
        ownKeys() {
          if (bytes.length > 0) structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
          return [];
        },
      },
    );
    const { bytesOut } = pair.connection.stats();
    expect(await failureOf(pair.front.keep([bytes, thief]))).toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
      detail: expect.stringContaining("buffer was changed while it was being sent"),
    });
    expect(pair.connection.stats().bytesOut - bytesOut).toBeLessThan(100);
    expect(await pair.front.length(bytesOf(mebi))).toBe(mebi);
  });
});

describe("large binary that is too much", () => {
  test("is refused before any of it is copied", async () => {
    await using pair = await leakCheckedPair(new Store(), { service: { limits: { maxMessageBytes: mebi } } });
    const given = Array.from({ length: 100 }, () => new Uint8Array(1_000_000_000));
    const before = process.memoryUsage().rss;
    expect(await failureOf(pair.front.keep(given))).toMatchObject({
      code: "limit-exceeded",
      outcome: "not-sent",
      detail: expect.stringContaining("args[0][0]: 1000000000 bytes and more, the peer takes 1048576"),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * mebi);
  });
});

describe("a typed array that names itself", () => {
  test.each(["Float64Array", "anything"])("%s is what the engine says it is", async (name) => {
    await using pair = await leakCheckedPair(new Store());
    const numbers = new Uint16Array(8).fill(3);
    Object.defineProperty(numbers, Symbol.toStringTag, { value: name, enumerable: false });
    const arrived = await pair.front.echo(numbers);
    expect(arrived).toBeInstanceOf(Uint16Array);
    expect([...(arrived as Uint16Array)]).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
  });
});

describe("a body whose attachments are not what it says", () => {
  const place = (kind: number) => Uint8Array.of(0xd4, 0x16, kind);
  const uint8Array = 0x10;
  const whole = bytesOf(minAttachmentBytes);

  test("is a value where they are", () => {
    const { value } = codec.decode(place(uint8Array), 0, 3, limits, [whole]);
    expect(value).toBe(whole);
  });

  test.each([
    ["has a place and no attachment", place(uint8Array), [], "an attachment that did not come"],
    ["has an attachment and no place", Uint8Array.of(5), [whole], "more attachments than the value has"],
    ["has one place for two", place(uint8Array), [whole, whole], "more attachments than the value has"],
    ["has two places for one", Uint8Array.of(0x92, ...place(0x10), ...place(0x10)), [whole], "that did not come"],
    ["names a kind that is none", place(0x0d), [whole], "unknown element kind"],
    ["names another", place(0xff), [whole], "unknown element kind"],
    ["has no whole number of elements", place(9), [bytesOf(minAttachmentBytes)], `${minAttachmentBytes} bytes for a`],
  ] as const)("and %s", (_what, body, attachments, detail) => {
    const refused = expect.objectContaining({ code: "protocol", detail: expect.stringContaining(detail) });
    expect(() => codec.decode(body, 0, body.length, limits, attachments)).toThrow(refused);
    expect(() => codec.decode(place(uint8Array), 0, 3, limits, [whole])).not.toThrow();
  });

  test("is written only where binary may go behind it", () => {
    const writer = new ByteWriter(new Uint8Array(16));
    const inBody = codec.encode(writer, whole, new TestExporter(), limits, "result");
    expect([writer.length, inBody]).toEqual([5 + whole.length, undefined]);
    writer.position = 0;
    const behind = codec.encode(writer, whole, new TestExporter(), limits, "result", "behind");
    expect([writer.length, behind]).toEqual([3 + whole.length, [whole.length]]);
  });
});
