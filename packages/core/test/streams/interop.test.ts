/** The streaming cases that every RPC is tried with, under their own names, over each transport. */
import { describe, expect, test } from "vitest";
import { withOptions } from "../../src/index.ts";
import { leakCheckedPair, places } from "../session/pairs.ts";
import { failureOf, until } from "../session/waiting.ts";
import { counting, readAll, watched } from "./support.ts";

const requestSizes = [27_182, 8, 1_828, 45_904];
const responseSizes = [31_415, 9, 2_653, 58_979];

async function* ofSizes(sizes: readonly number[]) {
  for (const size of sizes) yield new Uint8Array(size);
}

describe.each(places)("over $place", ({ at }) => {
  test("client_streaming: the sum of 27182, 8, 1828 and 45904 bytes is 74922", async () => {
    const front = {
      async aggregate(payloads: AsyncIterable<Uint8Array>) {
        let bytes = 0;
        for await (const payload of payloads) bytes += payload.length;
        return bytes;
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    expect(await pair.front.aggregate(ofSizes(requestSizes))).toBe(74_922);
  });

  test("server_streaming: 31415, 9, 2653 and 58979 bytes in their order", async () => {
    const front = { stream: (sizes: readonly number[]) => ofSizes(sizes) };
    await using pair = await leakCheckedPair(front, {}, at);
    const { items } = await readAll(await pair.front.stream(responseSizes));
    expect(items.map(({ length }) => length)).toEqual(responseSizes);
  });

  test("ping_pong: each item is answered before the next is sent", async () => {
    const front = {
      async *pong(pings: AsyncIterable<{ readonly size: number; readonly payload: Uint8Array }>) {
        for await (const { size } of pings) yield new Uint8Array(size);
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    const answered: number[] = [];
    let answer = () => {};
    async function* pings() {
      for (const [i, size] of responseSizes.entries()) {
        const pong = new Promise<void>((resolve) => {
          answer = resolve;
        });
        yield { size, payload: new Uint8Array(requestSizes[i] as number) };
        await pong;
      }
    }
    for await (const { length } of await pair.front.pong(pings())) {
      answered.push(length);
      answer();
    }
    expect(answered).toEqual(responseSizes);
  });

  test("empty_stream: nothing one way and nothing the other", async () => {
    const front = {
      async *echo(items: AsyncIterable<number>) {
        yield* items;
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    expect((await readAll(await pair.front.echo(counting(0)))).items).toEqual([]);
    const left = await pair.front.echo(counting(0));
    expect(await left.return?.()).toMatchObject({ done: true });
  });

  test("cancel_after_begin: cancelled before the first item, and nothing was begun", async () => {
    const source = watched((i) => i);
    await using pair = await leakCheckedPair({ stream: () => source }, {}, at);
    const controller = new AbortController();
    controller.abort();
    await expect(withOptions(pair.front, { signal: controller.signal }).stream()).rejects.toMatchObject({
      code: "cancelled",
      outcome: "not-sent",
    });
    expect(source.begun).toBe(0);
  });

  test("cancel_after_first_response: finally has run, and no item comes any more", async () => {
    const source = watched((i) => new Uint8Array(31_415).fill(i));
    await using pair = await leakCheckedPair({ stream: () => source }, {}, at);
    const controller = new AbortController();
    const stream = (await withOptions(pair.front, {
      signal: controller.signal,
    }).stream()) as AsyncIterableIterator<Uint8Array>;
    expect((await stream.next()).value).toHaveLength(31_415);
    controller.abort();
    expect(await failureOf(stream.next())).toMatchObject({ code: "cancelled" });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    await until(() => source.ended === 1);
  });

  test("status_code_and_message, special_status_message: an error of a stream arrives to the letter", async () => {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    const front = {
      // biome-ignore lint/correctness/useYield: it only throws.
      async *fail() {
        throw Object.assign(new Error(message), { code: 2 });
      },
    };
    await using pair = await leakCheckedPair(front, {}, at);
    expect(await failureOf((await pair.front.fail()).next())).toMatchObject({ message, code: 2 });
  });
});
