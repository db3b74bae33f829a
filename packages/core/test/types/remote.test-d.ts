import { describe, expectTypeOf, test } from "vitest";
import type { MethodName, Remote, remoteOf, Stub } from "../../src/types/remote.ts";
import { ByReference, type ByReferenceMark } from "../../src/values/marks.ts";

class Account extends ByReference {
  #balance = 0;
  deposit(amount: number): number {
    this.#balance += amount;
    return this.#balance;
  }
}

interface Order {
  id: number;
  placed: Date;
  lines: { article: string; amount: number }[];
  parent?: Order;
}

class Money {
  #cents = 0n;
  get cents() {
    return this.#cents;
  }
}
declare module "../../src/types/remote.ts" {
  interface RegisteredValues {
    money: Money;
  }
}

/** The program text here is only compiled. */
function given<T>(): T {
  return undefined as T;
}

describe("what is offered", () => {
  class Clock {
    zone = "UTC";
    static made = 0;
    readonly [Symbol.toStringTag] = "Clock";
    private secret() {}
    protected inner() {}
    _internal() {}
    now(): number {
      this.secret();
      return Clock.made;
    }
    get ticks(): number {
      return 0;
    }
    set ticks(_value: number) {}
    toString() {
      return "clock";
    }
    optional?(): void;
    // biome-ignore lint/suspicious/noThenProperty: what such a class looks like from afar is asked here.
    then(): void {}
    [Symbol.iterator]() {}
  }
  type Far = Remote<Clock>;

  test("only public methods are left", () => {
    expectTypeOf<MethodName<Clock>>().toEqualTypeOf<"now" | "optional">();
    expectTypeOf<keyof Far>().toEqualTypeOf<"now" | "optional" | typeof remoteOf | typeof Symbol.dispose>();
  });

  test("private, protected, hidden and local names are gone", () => {
    const clock = given<Far>();
    // @ts-expect-error private
    void clock.secret;
    // @ts-expect-error protected
    void clock.inner;
    // @ts-expect-error begins with an underscore
    void clock._internal;
    // @ts-expect-error a field
    void clock.zone;
    // @ts-expect-error an accessor
    void clock.ticks;
    // @ts-expect-error never a thenable
    void clock.then;
    expectTypeOf(clock.toString).toEqualTypeOf<() => string>();
  });

  test("nothing can be assigned", () => {
    const clock = given<Far>();
    // @ts-expect-error no setter travels
    clock.ticks = 1;
    // @ts-expect-error methods are read-only
    clock.now = async () => 1;
    // @ts-expect-error nothing can be added
    clock.x = 1;
  });

  test("methods of built-in classes can be named", () => {
    expectTypeOf<"get" | "set" | "has">().toExtend<MethodName<Map<string, number>>>();
    // @ts-expect-error an accessor
    expectTypeOf<"size">().toExtend<MethodName<Map<string, number>>>();
    function pick<T extends object, M extends MethodName<T>>(object: T, _names: readonly M[]): Pick<T, M> {
      return object;
    }
    expectTypeOf(pick(new Map<string, number>(), ["get"])).toEqualTypeOf<Pick<Map<string, number>, "get">>();
  });

  test("an index signature of functions offers any name", () => {
    expectTypeOf(given<Remote<Record<string, () => number>>>()["anything"]).toEqualTypeOf<
      (() => Promise<number>) | undefined
    >();
  });
});

describe("stubs", () => {
  test("a remote is a stub and can be disposed", () => {
    expectTypeOf<Remote<Account>>().toExtend<Stub<Account>>();
    expectTypeOf<Remote<Account>>().toExtend<Stub<unknown>>();
    expectTypeOf<Remote<Account>>().toExtend<Disposable>();
    expectTypeOf<Remote<() => void>>().toExtend<Stub<unknown>>();
  });

  test("what it stands for is inferred", () => {
    function original<T>(_remote: Remote<T>): T {
      return given<T>();
    }
    expectTypeOf(original(given<Remote<Account>>())).toEqualTypeOf<Account>();
    expectTypeOf(original(given<Remote<(a: number) => string>>())).toEqualTypeOf<(a: number) => string>();
  });

  test("a remote of a remote is the remote", () => {
    expectTypeOf<Remote<Remote<Account>>>().toEqualTypeOf<Remote<Account>>();
    expectTypeOf<Remote<Remote<() => number>>>().toEqualTypeOf<Remote<() => number>>();
  });

  test("awaiting a remote gives the remote", async () => {
    expectTypeOf(await given<Remote<Account>>()).toEqualTypeOf<Remote<Account>>();
  });

  test("a remote of a subclass is a remote of its base", () => {
    class Savings extends Account {
      rate(): number {
        return 1;
      }
    }
    expectTypeOf<Remote<Savings>>().toExtend<Remote<Account>>();
    expectTypeOf<Remote<Account>>().not.toExtend<Remote<Savings>>();
  });

  test("a remote is not the object", () => {
    expectTypeOf<Remote<Account>>().not.toExtend<Account>();
    expectTypeOf<Account>().not.toExtend<Remote<Account>>();
  });

  test("a function from afar is called, bound and applied", () => {
    const length = given<Remote<(text: string) => number>>();
    expectTypeOf(length("a")).toEqualTypeOf<Promise<number>>();
    expectTypeOf(length.call(undefined, "a")).toEqualTypeOf<Promise<number>>();
    expectTypeOf(length.name).toEqualTypeOf<string>();
  });
});

describe("signatures", () => {
  interface Service {
    add(a: number, b: number): number;
    later(): Promise<string>;
    nested(): Promise<Promise<string>>;
    maybe(): number | Promise<string>;
    nothing(): void;
    optional(a: string, b?: number): void;
    rest(a: string, ...numbers: number[]): void;
    field: (a: number) => number;
    overloaded(a: string): string;
    overloaded(a: number, b: boolean): Date;
    shorter(a: string, b: number): void;
    shorter(a: string): void;
    four(a: 1): "1";
    four(a: 2): Account;
    four(a: 3): "3";
    four(a: 4): "4";
    echo<T>(value: T): Promise<T>;
    choose<K extends keyof Order>(key: K): Promise<Order[K]>;
    plain<T>(value: T): T;
    // biome-ignore lint/suspicious/noExplicitAny: programs have it.
    any(): any;
    unknown(value: unknown): unknown;
    literal(kind: "a" | "b" | null): true | 1;
  }
  const service = given<Remote<Service>>();

  test("each method returns one promise", () => {
    expectTypeOf(service.add).toEqualTypeOf<(a: number, b: number) => Promise<number>>();
    expectTypeOf(service.later).toEqualTypeOf<() => Promise<string>>();
    expectTypeOf(service.nested).toEqualTypeOf<() => Promise<string>>();
    expectTypeOf(service.maybe).toEqualTypeOf<() => Promise<string | number>>();
    expectTypeOf(service.nothing).toEqualTypeOf<() => Promise<void>>();
    expectTypeOf(service.field).toEqualTypeOf<(a: number) => Promise<number>>();
    expectTypeOf(service.literal).toEqualTypeOf<(kind: "a" | "b" | null) => Promise<true | 1>>();
  });

  test("optional and rest parameters stay", () => {
    expectTypeOf(service.optional).toEqualTypeOf<(a: string, b?: number) => Promise<void>>();
    expectTypeOf(service.rest).toEqualTypeOf<(a: string, ...numbers: number[]) => Promise<void>>();
  });

  test("up to four overloads stay", () => {
    expectTypeOf(service.overloaded("a")).toEqualTypeOf<Promise<string>>();
    expectTypeOf(service.overloaded(1, true)).toEqualTypeOf<Promise<Date>>();
    // @ts-expect-error no such overload
    void service.overloaded(true);
    expectTypeOf(service.four(1)).toEqualTypeOf<Promise<"1">>();
    expectTypeOf(service.four(2)).toEqualTypeOf<Promise<Remote<Account>>>();
    expectTypeOf(service.four(3)).toEqualTypeOf<Promise<"3">>();
    expectTypeOf(service.four(4)).toEqualTypeOf<Promise<"4">>();
  });

  test("an overload with fewer parameters does not hide one with more", () => {
    expectTypeOf(service.shorter("a", 1)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(service.shorter("a")).toEqualTypeOf<Promise<void>>();
  });

  test("an asynchronous method of data keeps its type parameters", () => {
    expectTypeOf(service.echo({ a: 1 })).toEqualTypeOf<Promise<{ a: number }>>();
    expectTypeOf(service.choose("placed")).toEqualTypeOf<Promise<Date>>();
    expectTypeOf(service.plain(1)).toEqualTypeOf<Promise<unknown>>();
  });

  test("unknown and any stay what they are", () => {
    expectTypeOf(service.any).returns.resolves.toBeAny();
    expectTypeOf(service.unknown).toEqualTypeOf<(value: unknown) => Promise<unknown>>();
  });
});

describe("results", () => {
  interface Tree {
    value: number;
    children: Tree[];
    index?: Map<string, Tree>;
  }
  interface Service {
    order(): Order;
    tree(): Promise<Tree>;
    bytes(): Uint8Array;
    money(): Money;
    failure(): Error;
    built(): [Date, RegExp, URL, ArrayBuffer, bigint, Set<string>, ReadonlyMap<number, Order>];
    account(): Account;
    found(): Account | undefined;
    list(): readonly Account[];
    pair(): [first: Account, second?: number];
    byName(): Map<string, Account>;
    members(): Set<Account>;
    inside(): { readonly main: Account; extra?: { accounts: Account[] }; order: Order };
    either(): { kind: "account"; account: Account } | { kind: "none" };
    marked(): { now(): number } & ByReferenceMark;
    relayed(): Remote<Account>;
    unsubscribe(): () => void;
    form(): { id: number; onSave(text: string): boolean };
    orders(): AsyncGenerator<Order>;
    accounts(): AsyncIterable<Account>;
    bodies(): Promise<ReadableStream<Uint8Array>>;
    streams(): { rows: AsyncGenerator<number> };
  }
  const service = given<Remote<Service>>();

  test("data keeps its type, recursive or not", () => {
    expectTypeOf(service.order).returns.toEqualTypeOf<Promise<Order>>();
    expectTypeOf(service.tree).returns.toEqualTypeOf<Promise<Tree>>();
    expectTypeOf(service.bytes).returns.toEqualTypeOf<Promise<Uint8Array>>();
    expectTypeOf(service.money).returns.toEqualTypeOf<Promise<Money>>();
    expectTypeOf(service.failure).returns.toEqualTypeOf<Promise<Error>>();
    expectTypeOf(service.built).returns.toEqualTypeOf<Promise<ReturnType<Service["built"]>>>();
  });

  test("marked objects are remotes wherever they stand", () => {
    type Far = Remote<Account>;
    expectTypeOf(service.account).returns.toEqualTypeOf<Promise<Far>>();
    expectTypeOf(service.found).returns.toEqualTypeOf<Promise<Far | undefined>>();
    expectTypeOf(service.list).returns.toEqualTypeOf<Promise<readonly Far[]>>();
    expectTypeOf(service.pair).returns.toEqualTypeOf<Promise<[first: Far, second?: number]>>();
    expectTypeOf(service.byName).returns.toEqualTypeOf<Promise<Map<string, Far>>>();
    expectTypeOf(service.members).returns.toEqualTypeOf<Promise<Set<Far>>>();
    expectTypeOf(service.inside).returns.toEqualTypeOf<
      Promise<{ readonly main: Far; extra?: { accounts: Far[] }; order: Order }>
    >();
    expectTypeOf(service.either).returns.toEqualTypeOf<Promise<{ kind: "account"; account: Far } | { kind: "none" }>>();
    expectTypeOf(service.marked).returns.resolves.toHaveProperty("now").returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(service.relayed).returns.toEqualTypeOf<Promise<Far>>();
  });

  test("functions are remotes, inside data too", async () => {
    expectTypeOf(service.unsubscribe).returns.toEqualTypeOf<Promise<Remote<() => void>>>();
    const form = await service.form();
    expectTypeOf(form.id).toEqualTypeOf<number>();
    expectTypeOf(form.onSave("a")).toEqualTypeOf<Promise<boolean>>();
  });

  test("streams are streams of what arrives", () => {
    expectTypeOf(service.orders).returns.toEqualTypeOf<Promise<AsyncIterableIterator<Order>>>();
    expectTypeOf(service.accounts).returns.toEqualTypeOf<Promise<AsyncIterableIterator<Remote<Account>>>>();
    expectTypeOf(service.bodies).returns.toEqualTypeOf<Promise<ReadableStream<Uint8Array>>>();
    expectTypeOf(service.streams).returns.toEqualTypeOf<Promise<{ rows: AsyncIterableIterator<number> }>>();
  });
});

describe("arguments", () => {
  interface Service {
    close(account: Account): void;
    closeAll(accounts: Account[], options: { main?: Account }): void;
    far(account: Remote<Account>): void;
    subscribe(listener: (order: Order) => void): void;
    farListener(listener: Remote<(order: Order) => void>): void;
    filter(keep: (value: number) => boolean): number;
    visit(visitor: (account: Account) => Account): void;
    watch(handlers: { changed(key: string): void; failed?: (error: Error) => number }): void;
    upload(rows: AsyncIterable<number>, body: ReadableStream<Uint8Array>, signal: AbortSignal): void;
    generate(rows: AsyncGenerator<Account>): void;
  }
  const service = given<Remote<Service>>();
  const local = new (class extends Account {})();
  const far = given<Remote<Account>>();

  test("an object of a marked class is given itself or as a remote", () => {
    void service.close(local);
    void service.close(far);
    void service.closeAll([local, far], { main: far });
    void service.far(local);
    void service.far(far);
    // @ts-expect-error something else
    void service.close({});
    // @ts-expect-error a remote of something else
    void service.close(given<Remote<Service>>());
  });

  test("a callback may be synchronous, asynchronous or a remote", () => {
    void service.filter((value) => value > 1);
    void service.filter(async (value) => value > 1);
    void service.filter(given<Remote<(value: number) => boolean>>());
    void service.filter(given<Remote<(value: number) => Promise<boolean>>>());
    // @ts-expect-error another result
    void service.filter(() => "yes");
    // @ts-expect-error another parameter
    void service.filter((value: string) => value === "");
  });

  test("nobody waits for the value of a callback without one", () => {
    const seen: Order[] = [];
    void service.subscribe((order) => seen.push(order));
    void service.subscribe(async (order) => {
      seen.push(order);
    });
    void service.farListener((order) => seen.push(order));
    void service.farListener(given<Remote<(order: Order) => void>>());
  });

  test("a callback takes what arrives and returns what may be given", () => {
    void service.visit((account) => {
      expectTypeOf(account).toEqualTypeOf<Remote<Account>>();
      return account;
    });
    void service.visit(() => local);
    void service.visit(async () => local);
    // @ts-expect-error what arrives is not the object
    void service.visit((account: Account) => account);
    void service.watch({ changed() {}, failed: async () => 1 });
  });

  test("streams and signals", () => {
    async function* rows() {
      yield 1;
    }
    async function* accounts() {
      yield local;
      yield far;
    }
    void service.upload(rows(), given<ReadableStream<Uint8Array>>(), AbortSignal.timeout(1));
    void service.generate(accounts());
    // @ts-expect-error other items
    void service.generate(rows());
  });
});
