import { describe, expect, test } from "vitest";
import { ByReference } from "../../src/index.ts";
import { leakCheckedPair, memory, places, tcp } from "./pairs.ts";
import { gate, until } from "./waiting.ts";

class Journal {
  readonly #entries: string[] = [];

  note(entry: string): number {
    return this.#entries.push(entry);
  }

  async noteLater(entry: string): Promise<number> {
    this.#entries.push(entry);
    await Promise.resolve();
    return this.#entries.length;
  }

  store(bytes: Uint8Array): void {
    this.#entries.push(`${bytes.length} bytes`);
  }

  entries(): readonly string[] {
    return this.#entries;
  }
}

describe.each(places)("calls over $place", ({ at }) => {
  test("to one target run in the order they were made", async () => {
    await using pair = await leakCheckedPair(new Journal(), {}, at);
    const words = Array.from({ length: 200 }, (_, i) => `word ${i}`);
    await Promise.all(words.map((word, i) => (i % 3 === 0 ? pair.front.noteLater(word) : pair.front.note(word))));
    expect(await pair.front.entries()).toEqual(words);
  });

  test("of different turns run in the order they were made", async () => {
    await using pair = await leakCheckedPair(new Journal(), {}, at);
    const calls: Promise<number>[] = [];
    for (let i = 0; i < 20; i++) {
      calls.push(pair.front.note(`word ${i}`));
      await null;
    }
    await Promise.all(calls);
    expect(await pair.front.entries()).toEqual(Array.from({ length: 20 }, (_, i) => `word ${i}`));
  });

  test("run side by side: a method that waits keeps no other from its answer", async () => {
    const door = gate<string>();
    await using pair = await leakCheckedPair({ wait: () => door.opened, now: () => "now" }, {}, at);
    const waiting = pair.front.wait();
    expect(await pair.front.now()).toBe("now");
    door.open("later");
    expect(await waiting).toBe("later");
  });

  test("are answered in the order their methods finish", async () => {
    const doors = [gate(), gate(), gate()];
    await using pair = await leakCheckedPair({ wait: (i: number) => doors[i]?.opened }, {}, at);
    const answered: number[] = [];
    const calls = [0, 1, 2].map((i) => pair.front.wait(i).then(() => answered.push(i)));
    for (const i of [2, 0, 1]) {
      doors[i]?.open();
      await until(() => answered.includes(i));
    }
    await Promise.all(calls);
    expect(answered).toEqual([2, 0, 1]);
  });
});

describe.each([
  { place: "memory", at: memory },
  { place: "tcp", at: tcp },
])("a large call over $place", ({ at }) => {
  test("keeps its place before the small ones made after it: its first fragment counts", async () => {
    await using pair = await leakCheckedPair(new Journal(), {}, at);
    await Promise.all([
      pair.front.store(new Uint8Array(1024 * 1024)),
      pair.front.note("small"),
      pair.front.noteLater("smaller"),
    ]);
    expect(await pair.front.entries()).toEqual(["1048576 bytes", "small", "smaller"]);
  });

  test("lets calls on other targets overtake it", async () => {
    const seen: string[] = [];
    class Other extends ByReference {
      note(entry: string): void {
        seen.push(entry);
      }
    }
    await using pair = await leakCheckedPair(
      { other: () => new Other(), store: (bytes: Uint8Array) => void seen.push(`${bytes.length} bytes`) },
      {},
      at,
    );
    using other = await pair.front.other();
    await Promise.all([pair.front.store(new Uint8Array(8 * 1024 * 1024)), other.note("overtook")]);
    expect(seen).toEqual(["overtook", "8388608 bytes"]);
  });

  test("and others as large as it, mixed with small ones, all keep their order and their bytes", async () => {
    const sizes = [300_000, 1, 70_000, 65_536, 65_537, 2, 500_000, 3];
    const seen: number[] = [];
    await using pair = await leakCheckedPair(
      {
        store(bytes: Uint8Array): number {
          seen.push(bytes.length);
          return bytes.reduce((sum, byte) => sum + byte, 0);
        },
      },
      {},
      at,
    );
    const sums = await Promise.all(sizes.map((size, i) => pair.front.store(new Uint8Array(size).fill(i + 1))));
    expect(seen).toEqual(sizes);
    expect(sums).toEqual(sizes.map((size, i) => size * (i + 1)));
  });
});

describe("large calls, more than the far side can put together at once,", () => {
  test("keep their order with a small one behind them", async () => {
    await using pair = await leakCheckedPair(new Journal(), { service: { limits: { maxMessageBytes: 100_000 } } });
    const calls: Promise<unknown>[] = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => pair.front.store(new Uint8Array(90_000 + n)));
    calls.push(pair.front.note("small"));
    await Promise.all(calls);
    expect(await pair.front.entries()).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `${90_000 + n} bytes`),
      "small",
    ]);
  });
});

describe("a call that has to wait for somebody's decision", () => {
  test("keeps later calls on its target behind it, and nobody else's", async () => {
    const seen: string[] = [];
    const door = gate<boolean>();
    const other = { note: (entry: string) => void seen.push(`other: ${entry}`) };
    await using pair = await leakCheckedPair(
      { ask: () => void seen.push("asked"), note: (entry: string) => void seen.push(entry) },
      {
        published: { other },
        service: { authorize: [({ method }) => (method === "ask" ? door.opened : true)] },
      },
    );
    using published = await pair.connection.lookup<typeof other>("other");
    const calls = [pair.front.ask(), pair.front.note("behind")];
    await published.note("free");
    expect(seen).toEqual(["other: free"]);
    door.open(true);
    await Promise.all(calls);
    expect(seen).toEqual(["other: free", "asked", "behind"]);
  });

  test("lets those behind it pass when it is refused", async () => {
    const door = gate<boolean>();
    await using pair = await leakCheckedPair(
      { ask: () => "asked", note: () => "noted" },
      { service: { authorize: [({ method }) => (method === "ask" ? door.opened : true)] } },
    );
    const asked = pair.front.ask();
    const noted = pair.front.note();
    door.open(false);
    await expect(asked).rejects.toMatchObject({ code: "denied", outcome: "not-executed" });
    expect(await noted).toBe("noted");
  });
});
