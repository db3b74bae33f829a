import {
  ByReference,
  connect,
  defineContract,
  implement,
  isRemote,
  method,
  type Remote,
  RemoteError,
  registerError,
  registerValue,
  startService,
  UnknownValue,
} from "farref";
import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { closeServices } from "./free-ports.ts";

vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(closeServices);

// #region register
class Temperature {
  readonly #kelvin: number;

  constructor(kelvin: number) {
    if (!(kelvin >= 0)) throw new RangeError(`${kelvin} K: nothing is that cold`);
    this.#kelvin = kelvin;
  }

  get kelvin() {
    return this.#kelvin;
  }

  get celsius() {
    return this.#kelvin - 273.15;
  }
}

const temperature = registerValue(Temperature, {
  name: "temperature",
  pack: ({ kelvin }) => kelvin,
  unpack: (data) => new Temperature(Number(data)),
});
// #endregion

// #region augment
declare module "farref" {
  interface RegisteredValues {
    temperature: Temperature;
  }
}
// #endregion

// #region error
class OutOfRange extends Error {
  override readonly name = "OutOfRange";
  readonly limit: Temperature;

  constructor(limit: Temperature) {
    super(`beyond ${limit.kelvin} K`);
    this.limit = limit;
  }
}

const outOfRange = registerError(OutOfRange, { fields: ["limit"] });
// #endregion

class Oven {
  #set = new Temperature(293.15);

  heat(to: Temperature) {
    const limit = new Temperature(573.15);
    if (to.kelvin > limit.kelvin) throw new OutOfRange(limit);
    this.#set = to;
  }

  temperature() {
    return this.#set;
  }

  history(): ReadonlyMap<Temperature, Date> {
    return new Map([[this.#set, new Date()]]);
  }

  log(_entry: unknown) {}
}

test("classes", async () => {
  // #region use
  await startService("tcp://127.0.0.1:8787", new Oven(), { types: [temperature, outOfRange] });

  await using oven = await connect<Oven>("tcp://127.0.0.1:8787", { types: [temperature, outOfRange] });
  await oven.heat(new Temperature(453.15));
  const { celsius } = await oven.temperature(); // a Temperature, as it is over there
  // #endregion
  expect(celsius).toBeCloseTo(180);

  // #region caught
  try {
    await oven.heat(new Temperature(1_000));
  } catch (error) {
    if (error instanceof OutOfRange) await oven.heat(error.limit);
    else throw error;
  }
  // #endregion
  expect((await oven.temperature()).kelvin).toBe(573.15);
  expect([...(await oven.history()).keys()][0]).toBeInstanceOf(Temperature);

  // #region refused
  const nonsense = new UnknownValue("temperature", -5);
  await oven.log({ outside: nonsense }).catch((error) => {
    console.log(error.code, error.outcome); // invalid-argument not-executed
    console.log(error.message); // … temperature at [0].outside can't be unpacked: RangeError: -5 K: nothing is that cold
  });
  // #endregion
  await expect(oven.log({ outside: nonsense })).rejects.toMatchObject({
    code: "invalid-argument",
    outcome: "not-executed",
    message: expect.stringMatching(
      /temperature at \[0\]\.outside can't be unpacked: RangeError: -5 K: nothing is that cold$/,
    ),
  });
});

test("those who lack them", async () => {
  await startService("tcp://127.0.0.1:8787", new Oven(), { types: [temperature, outOfRange] });
  // #region unknown
  await using oven = await connect<Oven>("tcp://127.0.0.1:8787"); // without types
  const now: unknown = await oven.temperature();
  if (now instanceof UnknownValue) {
    console.log(now.name, now.data); // temperature 293.15
    await oven.log({ now }); // at home it is a Temperature again
  }
  // #endregion
  expect(now).toEqual(new UnknownValue("temperature", 293.15));
  const hot = new UnknownValue("temperature", 1_000) as unknown as Temperature;
  const failure = await oven.heat(hot).catch((error) => error);
  expect(failure).toBeInstanceOf(RemoteError);
  expect(failure).toMatchObject({ remoteName: "OutOfRange", data: { limit: new UnknownValue("temperature", 573.15) } });
});

test("references", async () => {
  // #region references
  class Sensor extends ByReference {
    read() {
      return new Temperature(300);
    }
  }
  class Reading {
    readonly at: Date;
    readonly by: Sensor | Remote<Sensor>;

    constructor(at: Date, by: Reading["by"]) {
      this.at = at;
      this.by = by;
    }
  }
  const reading = registerValue(Reading, {
    name: "reading",
    pack: ({ at, by }) => ({ at, by }), // anything that can be sent: dates, references, other registered values
    unpack: (data) => {
      const { at, by } = data as { at: Date; by: Remote<Sensor> };
      return new Reading(at, by); // `by` is a stub here
    },
  });
  // #endregion
  const front = { latest: () => new Reading(new Date(5), new Sensor()) };
  await startService("tcp://127.0.0.1:8787", front, { types: [reading, temperature] });
  await using remote = await connect<typeof front>("tcp://127.0.0.1:8787", { types: [reading, temperature] });
  const latest = (await remote.latest()) as unknown as Reading;
  expect(latest).toBeInstanceOf(Reading);
  using sensor = latest.by as Remote<Sensor>;
  expect(isRemote(sensor)).toBe(true);
  expect((await sensor.read()).kelvin).toBe(300);
});

test("contracts", async () => {
  // #region contract
  const oven = defineContract({
    heat: method([z.instanceof(Temperature)]),
    temperature: method([], z.instanceof(Temperature)),
  });
  // #endregion
  await startService("tcp://127.0.0.1:8787", implement(oven, new Oven()), { types: [temperature] });
  await using remote = await connect("tcp://127.0.0.1:8787", { contract: oven, types: [temperature] });
  await remote.heat(new Temperature(300));
  expect((await remote.temperature()).kelvin).toBe(300);
  await expect(remote.heat(300 as never)).rejects.toMatchObject({ code: "invalid-argument" });
});
