/**
 * Carries over what DRb's suite does with classes that the other side lacks (`DRbCore`, and the sample of a queue): a
 * value of one is a placeholder with its name, which may be passed on to who has the class; an error of one is told by its
 * name, and keeps its class between those who have it. Here a class is registered, by both who are to have it.
 */
import {
  type ConnectOptions,
  connect,
  connectionOf,
  type Remote,
  RemoteError,
  registerError,
  registerValue,
  type ServiceOptions,
  startService,
  UnknownValue,
} from "farref";
import { describe, expect, test } from "vitest";
import { handleWatch } from "../../../conformance/src/index.ts";
import { type Place, places } from "../places.ts";

class Money {
  readonly cents: number;

  constructor(cents: number) {
    this.cents = cents;
  }
}

class Broke extends Error {
  readonly missing: number;

  constructor(message: string, missing: number) {
    super(message);
    this.missing = missing;
  }
}

const types = [
  registerValue(Money, {
    name: "Money",
    pack: ({ cents }: Money) => ({ cents }),
    unpack: (data) => new Money((data as { cents: number }).cents),
  }),
  registerError(Broke, { fields: ["missing"] }),
];

class Queue {
  readonly #values: unknown[] = [];

  push(value: unknown): void {
    this.#values.push(value);
  }

  pop(): unknown {
    return this.#values.shift();
  }

  /** How the values look to who keeps them. */
  kinds(): string[] {
    return this.#values.map((value) => (value instanceof UnknownValue ? `unknown ${value.name}` : typeof value));
  }

  spend(missing: number): never {
    throw new Broke("not enough", missing);
  }

  async run(block: () => unknown): Promise<unknown> {
    return block();
  }
}

/** A queue that has the classes or lacks them, and clients of it. */
async function queue({ at, serving, connecting }: Place, options: ServiceOptions) {
  const watch = handleWatch();
  const service = await startService(at.freshUri(), new Queue(), { ...serving, ...options });
  const clients: Remote<Queue>[] = [];
  return {
    async client(own: ConnectOptions): Promise<Remote<Queue>> {
      const client = await connect<Queue>(service.uri, { ...connecting, ...own });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await connectionOf(client).close();
      await service.close();
      await watch.assertClosed();
    },
  };
}

describe.each(places)("a class that the other side lacks, over $place,", (place) => {
  test("of a value: it is kept under its name, and is itself again where the class is known", async () => {
    await using world = await queue(place, {});
    const [one, other] = [await world.client({ types }), await world.client({ types })];
    await one.push({ price: new Money(250) });
    await one.push(new Money(5));
    expect(await other.kinds()).toEqual(["object", "unknown Money"]);
    const { price } = (await other.pop()) as { price: Money };
    expect(price).toBeInstanceOf(Money);
    expect(price.cents).toBe(250);
    expect(await one.pop()).toEqual(new Money(5));
  });

  test("of a value: who lacks it gets a placeholder, and may pass it on", async () => {
    await using world = await queue(place, { types });
    const [knows, lacks] = [await world.client({ types }), await world.client({})];
    await knows.push(new Money(7));
    const unknown = (await lacks.pop()) as UnknownValue;
    expect(unknown).toBeInstanceOf(UnknownValue);
    expect([unknown.name, unknown.data]).toEqual(["Money", { cents: 7 }]);
    await lacks.push([unknown]);
    expect(await knows.pop()).toEqual([new Money(7)]);
  });

  test("of a value: who has not registered it cannot send it", async () => {
    await using world = await queue(place, { types });
    const lacks = await world.client({});
    const refused = { code: "unsupported-value", outcome: "not-sent", message: expect.stringContaining("register") };
    await expect(lacks.push(new Money(1))).rejects.toMatchObject(refused);
  });

  test("of an error: it is told by its name and its data, and is of its class for who has it", async () => {
    await using world = await queue(place, { types });
    const [knows, lacks] = [await world.client({ types }), await world.client({})];
    const told = await lacks.spend(3).catch((error: unknown) => error);
    expect(told).toBeInstanceOf(RemoteError);
    expect(told).not.toBeInstanceOf(Broke);
    expect(told).toMatchObject({ remoteName: "Broke", message: "not enough" });
    const own = await knows.spend(3).catch((error: unknown) => error);
    expect(own).toBeInstanceOf(Broke);
    expect(own).toMatchObject({ message: "not enough", missing: 3 });
  });

  test("of an error of the client's own, thrown in a block: it comes back as its class through who has it", async () => {
    await using world = await queue(place, { types });
    const client = await world.client({ types });
    const failing = client.run(() => {
      throw new Broke("in the block", 4);
    });
    await expect(failing).rejects.toBeInstanceOf(Broke);
    await expect(failing).rejects.toMatchObject({ message: "in the block", missing: 4 });
  });
});
