import {
  acl,
  ByReference,
  byReference,
  connect,
  connectionOf,
  currentCall,
  isRemote,
  RemoteError,
  RpcError,
  release,
  sameReference,
  startService,
} from "farref";
import { afterEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(closeServices);

class Timer {
  now() {
    return new Date();
  }
}

test("serving and calling", async () => {
  // #region serve
  const service = await startService("tcp://127.0.0.1:8787", new Timer());
  console.log(service.uri); // DRb.uri; there is no thread to join: a service keeps its process alive
  // #endregion
  // #region call
  const timer = await connect<Timer>("tcp://127.0.0.1:8787");
  console.log(await timer.now());
  release(timer);
  // #endregion
  // #region stop
  await service.drain(); // finishes what runs; service.close() does not wait
  // #endregion
  expect(service.sessions.size).toBe(0);
});

test("blocks", async () => {
  // #region block
  class Numbers {
    async each(block: (n: number) => number) {
      const results: number[] = [];
      for (const n of [1, 2, 3]) results.push(await block(n)); // yield n
      return results;
    }
  }
  // #endregion
  await startService("tcp://127.0.0.1:8787", new Numbers());
  using numbers = await connect<Numbers>("tcp://127.0.0.1:8787");
  // #region yield
  const doubled = await numbers.each((n) => n * 2); // [2, 4, 6]; no start_service at the client
  // #endregion
  expect(doubled).toEqual([2, 4, 6]);
});

test("undumped", async () => {
  // #region undumped
  class Counter extends ByReference {
    #value = 0;

    increment() {
      return ++this.#value;
    }
  }
  const single = byReference({ value: () => 1 }); // as `object.extend(DRbUndumped)`
  // #endregion
  class Front {
    isCounter(value: unknown) {
      return isRemote(value);
    }
  }
  await startService("tcp://127.0.0.1:8787", new Front());
  using front = await connect<Front>("tcp://127.0.0.1:8787");
  const both = [new Counter(), single] as const;
  for (const object of both) expect(await front.isCounter(object)).toBe(true);
  expect(sameReference(both[0], both[0])).toBe(true);
});

test("current server and client", async () => {
  // #region current
  class Whence {
    address() {
      const { session } = currentCall(); // Thread.current["DRb"]
      return session.peer.address; // ["client"].peeraddr
    }
  }
  await startService("tcp://127.0.0.1:8787", new Whence(), {
    acl: acl(["deny all", "allow localhost", "allow 192.168.1.*"]), // DRb.install_acl
    limits: { maxMessageBytes: 25 * 1024 * 1024 }, // load_limit
    onError: (error) => console.log(error), // verbose
  });
  // #endregion
  using whence = await connect<Whence>("tcp://127.0.0.1:8787");
  expect(await whence.address()).toBe("127.0.0.1");
});

test("errors", async () => {
  class Sums {
    divide(a: number, b: number) {
      if (b === 0) throw new RangeError("divided by 0");
      return a / b;
    }
  }
  const service = await startService("tcp://127.0.0.1:8787", new Sums());
  const sums = await connect<Sums>("tcp://127.0.0.1:8787");
  const seen: string[] = [];
  // #region errors
  async function divide(a: number, b: number): Promise<number | undefined> {
    try {
      return await sums.divide(a, b);
    } catch (error) {
      if (error instanceof RemoteError) seen.push(`${error.remoteName}: ${error.message}`); // rescue ZeroDivisionError
      if (error instanceof RpcError) seen.push(`${error.code}, ${error.outcome}`); // rescue DRb::DRbConnError
      return undefined;
    }
  }
  // #endregion
  await divide(1, 0);
  await service.close();
  await connectionOf(sums).closed;
  await divide(1, 1);
  expect(seen).toEqual(["RangeError: divided by 0", "closed, not-sent"]);
});
