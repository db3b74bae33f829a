/** Many streams on one session, and calls beside them. */
import { describe, expect, test } from "vitest";
import { leakCheckedPair, memory, tcp } from "../session/pairs.ts";
import { counting, readAll, upTo, watched } from "./support.ts";

const places = [
  { place: "memory", at: memory },
  { place: "tcp", at: tcp },
];

describe.each(places)("over $place", ({ at }) => {
  test("many streams go on side by side: none is done while another has hardly begun", async () => {
    const front = { many: (count: number, items: number) => upTo(count).map(() => counting(items)) };
    await using pair = await leakCheckedPair(front, {}, at);
    const items = 1_000;
    const read = new Array<number>(100).fill(0);
    let fewestAtFirstEnd = -1;
    const streams = await pair.front.many(read.length, items);
    await Promise.all(
      streams.map(async (stream, i) => {
        for await (const _ of stream) read[i] = (read[i] as number) + 1;
        if (fewestAtFirstEnd < 0) fewestAtFirstEnd = Math.min(...read);
      }),
    );
    expect(read.every((count) => count === items)).toBe(true);
    // The first have begun a few turns before the last.
    expect(fewestAtFirstEnd).toBeGreaterThan(0.5 * items);
  });

  test("a stream of large items leaves room for one of small ones", async () => {
    const large = new Uint8Array(300_000);
    const front = { both: () => ({ large: watched(() => large), small: counting(2_000) }) };
    await using pair = await leakCheckedPair(front, {}, at);
    const { large: bulk, small } = await pair.front.both();
    let isDone = false;
    let bulks = 0;
    const bulkRead = (async () => {
      for await (const _ of bulk) {
        bulks++;
        if (isDone) break;
      }
    })();
    await readAll(small);
    isDone = true;
    await bulkRead;
    expect(bulks).toBeLessThan(200);
  });

  test("a call made while streams run is answered within few of their items", async () => {
    let made = 0;
    const front = {
      endless: () =>
        upTo(8).map(() =>
          watched(() => {
            made++;
            return new Uint8Array(1_000);
          }),
        ),
      made: () => made,
    };
    await using pair = await leakCheckedPair(front, {}, at);
    let isDone = false;
    const reading = (await pair.front.endless()).map(async (stream) => {
      for await (const _ of stream) if (isDone) break;
    });
    for (let i = 0; i < 5; i++) {
      const before = made;
      const during = await pair.front.made();
      expect(during - before).toBeLessThan(5_000);
    }
    isDone = true;
    await Promise.all(reading);
  });
});

test("large items that wait for the channel hold up no call, and are no reason to end the session", async () => {
  const large = new Uint8Array(3_000_000);
  const front = { endless: () => upTo(8).map(() => watched(() => large)), add: (a: number, b: number) => a + b };
  const limits = { maxSendBufferBytes: 2_000_000 };
  await using pair = await leakCheckedPair(front, { service: { limits } }, tcp);
  let isDone = false;
  const reading = (await pair.front.endless()).map(async (stream) => {
    for await (const _ of stream) if (isDone) break;
  });
  for (let i = 0; i < 10; i++) expect(await pair.front.add(i, 1)).toBe(i + 1);
  isDone = true;
  await Promise.all(reading);
  expect(pair.connection.state).toBe("open");
});
