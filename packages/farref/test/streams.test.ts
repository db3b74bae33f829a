/** Streams between two processes, over each transport that joins them. */
import { connect, connectionOf, type Remote } from "farref";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HandleWatch, handleWatch, turnsUntil } from "../../conformance/src/index.ts";
import { openDirectory } from "./directory.ts";
import type { Streams } from "./fixtures/streams.ts";
import { type Program, startProgram } from "./program.ts";

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

async function until(isMet: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!(await isMet())) {
    if (performance.now() > giveUpAt) throw new Error("what the test waits for does not happen");
    await turnsUntil(() => true, 0);
  }
}

const mebibyte = 1_024 * 1_024;

interface World extends AsyncDisposable {
  readonly program: Program;
  readonly remote: Remote<Streams>;
}

async function world(place: string): Promise<World> {
  const directory = await openDirectory();
  const where = place === "unix:" ? `unix:${directory.path}/streams.sock` : place;
  const program = await startProgram("streams", where);
  const remote = await connect<Streams>(await program.line());
  return {
    program,
    remote,
    async [Symbol.asyncDispose]() {
      await connectionOf(remote).close();
      await program[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

describe.each(["tcp://127.0.0.1:0", "ws://127.0.0.1:0", "unix:"])("two processes over %s", (place) => {
  test("stream both ways, at once, and leave nothing open", async () => {
    await using here = await world(place);
    const { remote } = here;
    async function* numbers() {
      for (let i = 0; i < 5_000; i++) yield i;
    }
    const doubled: number[] = [];
    for await (const n of await remote.doubled(numbers())) doubled.push(n);
    expect(doubled).toEqual(Array.from({ length: 5_000 }, (_, i) => 2 * i));
    await until(async () => (await remote.state()).open + connectionOf(remote).stats().openStreams === 0);
  });

  test("each chunk arrives as it was when it was yielded, though its buffer is used again", async () => {
    await using here = await world(place);
    let i = 0;
    for await (const chunk of await here.remote.chunks(300, 20_000)) {
      if (chunk.length !== 20_000 || chunk.some((byte) => byte !== i % 256)) throw new Error(`chunk ${i} is spoilt`);
      i++;
    }
    expect(i).toBe(300);
  });

  test("a ReadableStream of many chunk sizes arrives whole", async () => {
    await using here = await world(place);
    let sum = 0;
    let bytes = 0;
    let made = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (made === 60) return controller.close();
        const chunk = Uint8Array.from({ length: 1 + made ** 3 }, (_, i) => made * i);
        made++;
        for (const byte of chunk) sum = (sum * 31 + byte) % 1_000_003;
        bytes += chunk.length;
        controller.enqueue(chunk);
      },
    });
    expect(await here.remote.digest(stream)).toBe(`${bytes} ${sum}`);
  });

  test("a producer whose consumer stalls is suspended, and ended when that breaks off", async () => {
    await using here = await world(place);
    const { remote } = here;
    const chunks = await remote.chunks(1_000_000, 10_000);
    await chunks.next();
    let { asked } = await remote.state();
    await until(async () => {
      const before = asked;
      ({ asked } = await remote.state());
      return asked === before && asked > 40;
    });
    expect(asked).toBeLessThanOrEqual(54);
    await chunks.return?.();
    expect(await remote.state()).toMatchObject({ ended: 1, open: 0 });
  });

  test("a killed producer fails its streams behind what had come", async () => {
    await using here = await world(place);
    const counted = await here.remote.count(1_000_000);
    expect(await counted.next()).toEqual({ done: false, value: 0 });
    here.program.kill("SIGKILL");
    let next = 1;
    const reading = async () => {
      for await (const n of counted) expect(n).toBe(next++);
    };
    await expect(reading()).rejects.toMatchObject({ code: "closed", outcome: "unknown" });
    expect(await counted.next()).toEqual({ done: true, value: undefined });
  });
});

test("what goes through is more than either end ever holds", { timeout: 60_000 }, async () => {
  await using here = await world("tcp://127.0.0.1:0");
  const { remote } = here;
  const read = async (count: number) => {
    let bytes = 0;
    for await (const chunk of await remote.chunks(count, 64 * 1_024)) bytes += chunk.length;
    return bytes;
  };
  await read(256);
  const before = { there: await remote.residentBytes(), here: process.memoryUsage().rss };
  expect(await read(2_560)).toBe(160 * mebibyte);
  expect((await remote.residentBytes()) - before.there).toBeLessThan(64 * mebibyte);
  expect(process.memoryUsage().rss - before.here).toBeLessThan(80 * mebibyte);
});
