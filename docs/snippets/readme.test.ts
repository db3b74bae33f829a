import { ByReference, connect, release, startService } from "farref";
import { afterAll, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterAll(closeServices);

// #region counter
class Counter extends ByReference {
  #value = 0;

  increment(by = 1) {
    this.#value += by;
    return this.#value;
  }
}

class Counters {
  create() {
    return new Counter(); // stays here; the caller gets a stub
  }

  async countTo(limit: number, onProgress: (done: number) => void) {
    for (let done = 1; done <= limit; done++) await onProgress(done);
  }
}
// #endregion

test("objects and callbacks", async () => {
  await startService("tcp://127.0.0.1:8787", new Counters());
  const log = vi.spyOn(console, "log").mockImplementation(() => {});

  // #region counting
  const counters = await connect<Counters>("tcp://127.0.0.1:8787");

  const counter = await counters.create();
  await counter.increment();
  console.log(await counter.increment(10)); // 11, and the number lives in the other process

  await counters.countTo(3, (done) => console.log(`${done} of 3`)); // called back from there
  // #endregion

  release(counters);
  expect(log.mock.calls.flat()).toEqual([11, "1 of 3", "2 of 3", "3 of 3"]);
});
