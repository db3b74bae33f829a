import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { ByReference, connect, currentCall, startService, withOptions } from "farref";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

const log = vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
beforeEach(() => void log.mockClear());
afterEach(closeServices);

interface Row {
  readonly id: number;
  readonly name: string;
}

class Account extends ByReference {
  readonly #balance: number;
  constructor(balance: number) {
    super();
    this.#balance = balance;
  }
  balance() {
    return this.#balance;
  }
}

const closed: string[] = [];

// #region serve
class Table {
  readonly #rows = ["Ada", "Grace", "Barbara"];

  /** Rows, one after the other. */
  async *rows() {
    for (const [id, name] of this.#rows.entries()) yield { id, name };
    return this.#rows.length;
  }

  /** Takes rows in, as fast as it can store them. */
  async add(rows: AsyncIterable<Row>) {
    for await (const { name } of rows) this.#rows.push(name);
    return this.#rows.length;
  }
}

await startService("tcp://127.0.0.1:8787", new Table());
// #endregion

class More {
  // #region context
  async *changes(table: string) {
    const { signal, principal } = currentCall(); // in the generator, before its first await
    for (let version = 1; ; version++) {
      await nextChange(signal); // ends with the stream
      yield { table, version, by: principal?.id };
    }
  }
  // #endregion

  // #region node
  download(name: string): AsyncIterable<Uint8Array> {
    return createReadStream(fileURLToPath(new URL(name, import.meta.url)));
  }
  // #endregion

  async *accounts() {
    yield new Account(5);
    yield new Account(7);
  }

  async *doubled(numbers: AsyncIterable<number>) {
    for await (const n of numbers) yield 2 * n;
  }

  async *failing() {
    yield 1;
    throw new RangeError("the disk is full");
  }
}

function nextChange(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 5);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      closed.push("changes");
      reject(signal.reason);
    });
  });
}

async function served() {
  closed.length = 0;
  await startService("tcp://127.0.0.1:8787", new Table());
  await startService("tcp://127.0.0.1:8788", new More());
  return connect<More>("tcp://127.0.0.1:8788");
}

test("read and write", async () => {
  await served();
  // #region read
  using table = await connect<Table>("tcp://127.0.0.1:8787");
  for await (const row of await table.rows()) console.log(row.name); // Ada, Grace, Barbara
  // #endregion
  expect(log.mock.calls).toEqual([["Ada"], ["Grace"], ["Barbara"]]);
  // #region write
  async function* rows() {
    yield { id: 3, name: "Radia" };
    yield { id: 4, name: "Shafi" };
  }
  console.log(await table.add(rows())); // 5
  // #endregion
  expect(log.mock.lastCall).toEqual([5]);
});

test("by hand", async () => {
  await served();
  using table = await connect<Table>("tcp://127.0.0.1:8787");
  // #region by-hand
  const rows = await table.rows();
  const first = await rows.next(); // { done: false, value: { id: 0, name: "Ada" } }
  await rows.return?.();
  // #endregion
  expect(first).toEqual({ done: false, value: { id: 0, name: "Ada" } });
});

test("both ways", async () => {
  using more = await served();
  // #region both
  async function* numbers() {
    for (let n = 1; n <= 3; n++) yield n;
  }
  for await (const n of await more.doubled(numbers())) console.log(n); // 2, 4, 6
  // #endregion
  expect(log.mock.calls).toEqual([[2], [4], [6]]);
});

test("break", async () => {
  using more = await served();
  // #region break
  for await (const { version } of await more.changes("accounts")) {
    if (version === 3) break; // the generator's finally has run when the loop is left
  }
  // #endregion
  await vi.waitUntil(() => closed.includes("changes"));
});

test("signal", async () => {
  using more = await served();
  const controller = new AbortController();
  // #region signal
  const changes = await withOptions(more, { signal: controller.signal }).changes("accounts");
  // #endregion
  await changes.next();
  controller.abort();
  await expect(
    (async () => {
      for await (const _ of changes);
    })(),
  ).rejects.toMatchObject({ code: "cancelled" });
  await vi.waitUntil(() => closed.includes("changes"));
});

test("references", async () => {
  using more = await served();
  // #region references
  for await (const account of await more.accounts()) {
    using each = account; // given back at the end of its turn
    console.log(await each.balance()); // 5, 7
  }
  // #endregion
  expect(log.mock.calls).toEqual([[5], [7]]);
});

test("errors", async () => {
  using more = await served();
  // #region errors
  try {
    for await (const n of await more.failing()) console.log(n); // 1
  } catch (error) {
    console.log(String(error)); // RemoteError: the disk is full
  }
  // #endregion
  expect(log.mock.calls).toEqual([[1], ["RemoteError: the disk is full"]]);
});

test("node", async () => {
  using more = await served();
  // #region download
  let bytes = 0;
  for await (const chunk of await more.download("streams.test.ts")) bytes += chunk.length;
  // #endregion
  expect(bytes).toBeGreaterThan(1_000);
});
