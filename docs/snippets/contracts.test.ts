import {
  type Api,
  ByReference,
  callback,
  connect,
  defineContract,
  type Implementation,
  implement,
  method,
  perSession,
  type Remote,
  type RpcError,
  reference,
  type Session,
  startService,
  stream,
  withOptions,
} from "farref";
import * as v from "valibot";
import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { closeServices } from "./free-ports.ts";

const log = vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(async () => {
  await closeServices();
  log.mockClear();
});

// #region define
const item = z.strictObject({
  title: z.string().min(1).max(100),
  due: z.date().optional(),
});

const todo = defineContract({
  add: method([item], z.int()), // takes an item, returns a number
  items: method([], z.array(item)),
  remove: method([z.int()]), // returns nothing
});
// #endregion

// #region implement
type Item = z.infer<typeof item>;

class TodoList {
  readonly #items = new Map<number, Item>();
  #last = 0;

  add(item: Item) {
    this.#items.set(++this.#last, item);
    return this.#last;
  }

  items() {
    return [...this.#items.values()];
  }

  remove(number: number) {
    this.#items.delete(number);
  }

  save() {} // not in the contract: not-exposed
}
// #endregion

// #region api
type Todo = Api<typeof todo>;
// { add: (item: Item) => number; items: () => Item[]; remove: (number: number) => void }
// #endregion

test("serving and calling", async () => {
  // #region serve
  await startService("tcp://127.0.0.1:8787", implement(todo, new TodoList()));
  // #endregion
  // #region connect
  using list = await connect("tcp://127.0.0.1:8787", { contract: todo });
  const number = await list.add({ title: "Write it down" });
  // #endregion
  expect(number).toBe(1);
  const same: Todo["items"] = () => [{ title: "Write it down" }];
  expect(await list.items()).toEqual(same());

  // #region refused
  using stranger = await connect<Record<"add" | "save", (...args: unknown[]) => unknown>>("tcp://127.0.0.1:8787");
  await stranger.add({ title: "", priority: 1 }).catch((error: RpcError) => console.log(error.detail, error.outcome));
  // add of [remote TodoList tcp://127.0.0.1:8787]: args[0].title: Too small: expected string to have >=1 characters;
  // args[0]: Unrecognized key: "priority" not-executed
  // #endregion
  expect(log.mock.calls[0]).toEqual([
    expect.stringContaining(
      'args[0].title: Too small: expected string to have >=1 characters; args[0]: Unrecognized key: "priority"',
    ),
    "not-executed",
  ]);
  await expect(stranger.save()).rejects.toMatchObject({ code: "not-exposed" });
});

test("references and callbacks", async () => {
  // #region references
  const account = defineContract({
    deposit: method([z.number().positive()], z.number()),
    owner: method([], z.string()),
  });

  const bank = defineContract({
    open: method([z.string()], reference(account)),
    merge: method([reference(account), reference(account)], z.number()),
    watch: method([callback([z.string(), z.number()])]),
  });
  // #endregion

  // #region bank
  type AnAccount = Remote<Api<typeof account>>;

  class Account extends ByReference {
    readonly #owner: string;
    #balance = 0;

    constructor(owner: string) {
      super();
      this.#owner = owner;
    }

    deposit(amount: number) {
      this.#balance += amount;
      return this.#balance;
    }

    owner() {
      return this.#owner;
    }

    drop() {} // not in the contract
  }

  class Bank {
    #watchers = new Set<(owner: string, balance: number) => unknown>();

    open(owner: string) {
      return new Account(owner); // under the contract, wherever it goes from here
    }

    async merge(one: AnAccount, other: AnAccount) {
      return (await one.deposit(1)) + (await other.deposit(1));
    }

    watch(watcher: (owner: string, balance: number) => unknown) {
      this.#watchers.add(watcher);
    }
  }
  // #endregion
  await startService("tcp://127.0.0.1:8787", implement(bank, new Bank()));
  using stub = await connect("tcp://127.0.0.1:8787", { contract: bank });
  // #region give
  using ann = await stub.open("ann");
  await ann.deposit(5);
  await stub.merge(ann, new Account("bob")); // one lives there, the other here: both are accounts
  await stub.watch((owner, balance) => console.log(`${owner} has ${balance}`));
  // #endregion
  expect(await ann.owner()).toBe("ann");
  const any = ann as unknown as Record<string, () => Promise<void>>;
  await expect(any["drop"]?.()).rejects.toMatchObject({ code: "not-exposed", outcome: "not-sent" });
  await expect(stub.merge(ann, { deposit: () => 1 } as never)).rejects.toMatchObject({
    code: "invalid-argument",
    outcome: "not-sent",
  });
  await expect(ann.deposit(-1)).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-executed" });
});

test("recursive contracts", async () => {
  // #region recursive
  const folder = defineContract({
    name: method([], z.string()),
    get child() {
      return method(
        [z.string()],
        reference(() => folder),
      );
    },
  });
  // #endregion
  class Folder extends ByReference {
    readonly #name: string;
    constructor(name: string) {
      super();
      this.#name = name;
    }
    name() {
      return this.#name;
    }
    child(name: string) {
      return new Folder(`${this.#name}/${name}`);
    }
  }
  await startService("tcp://127.0.0.1:8787", implement(folder, new Folder("root")));
  using root = await connect("tcp://127.0.0.1:8787", { contract: folder });
  const child = await root.child("a");
  expect(await (await child.child("b")).name()).toBe("root/a/b");
});

test("the other direction", async () => {
  // #region front
  const player = defineContract({ yourTurn: method([z.int()], z.string().max(20)) });
  const table = defineContract({ join: method([reference(player)], z.string()) });

  await startService(
    "tcp://127.0.0.1:8787",
    implement(table, { join: async (player) => `you said ${await player.yourTurn(1)}` }),
  );

  using seat = await connect("tcp://127.0.0.1:8787", { contract: table });
  const said = await seat.join(implement(player, { yourTurn: (move) => `move ${move}` }));
  // #endregion
  expect(said).toBe("you said move 1");

  const fronted = await startService(
    "memory:fronted",
    perSession((session) => ({ play: () => session.front<{ yourTurn(move: unknown): string }>().yourTurn("first") })),
  );
  const front = implement(player, { yourTurn: (move) => `move ${move}` });
  using hall = await connect<{ play(): Promise<string> }>(fronted.uri, { front });
  await expect(hall.play()).rejects.toMatchObject({ remoteName: "RpcError", code: "invalid-argument" });
});

test("a front per session", async () => {
  // #region per-session
  const greeter = defineContract({ greet: method([], z.string()) });
  const greetingOf = ({ peer }: Session) => ({ greet: () => `hello, ${peer.transport}` });

  await startService(
    "tcp://127.0.0.1:8787",
    perSession((session) => implement(greeter, greetingOf(session))),
  );
  // #endregion
  using stub = await connect("tcp://127.0.0.1:8787", { contract: greeter });
  expect(await stub.greet()).toBe("hello, tcp");
});

test("transforms", async () => {
  // #region transforms
  const orders = defineContract({
    place: method(
      [z.string().trim(), z.coerce.number().int(), z.boolean().default(false)],
      z.date().transform((date) => date.toISOString()),
    ),
  });

  const orderDesk: Implementation<typeof orders> = {
    place: (title, count, isUrgent) => {
      console.log([title, count, isUrgent]); // [ 'Tea', 2, false ]
      return new Date(0);
    },
  };
  await startService("tcp://127.0.0.1:8787", implement(orders, orderDesk));

  using desk = await connect("tcp://127.0.0.1:8787", { contract: orders });
  console.log(await desk.place("  Tea ", "2")); // 1970-01-01T00:00:00.000Z
  // #endregion
  expect(log.mock.calls.flat()).toEqual([["Tea", 2, false], "1970-01-01T00:00:00.000Z"]);
});

test("options", async () => {
  // #region options
  const reports = defineContract({
    make: method([z.string()], z.string(), { timeoutMs: 5_000, scope: "reports" }),
    total: method([], z.number(), { idempotent: true }),
  });
  // #endregion
  await startService("tcp://127.0.0.1:8787", implement(reports, { make: (name) => name, total: () => 1 }), {
    authorize: ({ scope }) => scope === "reports",
  });
  using stub = await connect("tcp://127.0.0.1:8787", { contract: reports });
  // #region views
  const patient = withOptions(stub, { timeoutMs: 60_000 });
  const report = await patient.make("May");
  // #endregion
  expect(report).toBe("May");
  await expect(stub.total()).rejects.toMatchObject({ code: "denied" });
});

test("streams", async () => {
  // #region streams
  const reading = z.object({ at: z.date(), celsius: z.number().min(-90).max(60) });
  const station = defineContract({
    record: method([stream(reading)], z.int()),
    readings: method([], stream(reading)),
  });
  // #endregion
  const recorded: z.infer<typeof reading>[] = [];
  const weather: Implementation<typeof station> = {
    async record(readings) {
      for await (const one of readings) recorded.push(one);
      return recorded.length;
    },
    async *readings() {
      yield* recorded;
    },
  };
  await startService("tcp://127.0.0.1:8787", implement(station, weather));
  using stub = await connect("tcp://127.0.0.1:8787", { contract: station });
  async function* made(...degrees: number[]) {
    for (const celsius of degrees) yield { at: new Date(), celsius };
  }
  expect(await stub.record(made(20, 21))).toBe(2);
  for await (const { celsius } of await stub.readings()) expect([20, 21]).toContain(celsius);
  await expect(stub.record(made(22, 1_000))).rejects.toMatchObject({ code: "invalid-argument" });
  expect(recorded).toHaveLength(3);
});

test("valibot", async () => {
  // #region valibot
  const geometry = defineContract({
    distance: method([v.strictObject({ x: v.number(), y: v.number() })], v.number()),
  });
  // #endregion
  await startService("tcp://127.0.0.1:8787", implement(geometry, { distance: ({ x, y }) => Math.hypot(x, y) }));
  using stub = await connect("tcp://127.0.0.1:8787", { contract: geometry });
  expect(await stub.distance({ x: 3, y: 4 })).toBe(5);
});
