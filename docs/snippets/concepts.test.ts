import {
  ByReference,
  byReference,
  connect,
  connectionOf,
  currentCall,
  expose,
  isRemote,
  perSession,
  type Remote,
  RemoteError,
  RpcError,
  release,
  type Session,
  startService,
  withOptions,
} from "farref";
import { afterEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(closeServices);

class Calculator {
  add(a: number, b: number) {
    return a + b;
  }
}

test("names", async () => {
  class Clock {
    now() {
      return new Date();
    }
  }
  // #region publish
  const service = await startService("tcp://127.0.0.1:8787", new Calculator());
  service.publish("clock", new Clock());

  const clock = await connect<Clock>("tcp://127.0.0.1:8787#clock");
  const same = await connectionOf(clock).lookup<Clock>("clock"); // over the connection that is there already
  // #endregion
  expect(await clock.now()).toBeInstanceOf(Date);
  expect(same).toBe(clock);
  release(clock);
});

// #region marks
class Document extends ByReference {
  #text = "";

  append(line: string) {
    this.#text += `${line}\n`;
  }

  text() {
    return this.#text;
  }
}

class Store {
  readonly #documents = new Map<string, Document>();

  open(name: string) {
    const document = this.#documents.get(name) ?? new Document();
    this.#documents.set(name, document);
    return document;
  }

  isMine(document: Document) {
    return [...this.#documents.values()].includes(document);
  }

  /** Calls back whenever something is said. */
  async watch(listener: { changed(name: string): void }) {
    await listener.changed("notes");
  }
}
// #endregion

test("identity", async () => {
  await startService("tcp://127.0.0.1:8787", new Store());
  // #region identity
  using store = await connect<Store>("tcp://127.0.0.1:8787");
  const notes = await store.open("notes");
  await notes.append("a line");

  const again = await store.open("notes");
  console.assert(again === notes); // the same object is the same stub
  console.assert(await store.isMine(notes)); // at home it is the object itself

  const changes: string[] = [];
  await store.watch(byReference({ changed: (name: string) => changes.push(name) }));
  // #endregion
  expect(again).toBe(notes);
  expect(await store.isMine(notes)).toBe(true);
  expect(changes).toEqual(["notes"]);
});

test("stubs are honest", async () => {
  await startService("tcp://127.0.0.1:8787", new Store());
  using store = await connect<Store>("tcp://127.0.0.1:8787");
  const notes = await store.open("notes");
  const before = connectionOf(store).stats().callsOut;
  // #region honest
  await notes; // not a promise, so this is the stub itself
  console.log(`${notes}`, isRemote(notes)); // [remote Document tcp://127.0.0.1:8787 #1] true
  JSON.stringify({ notes }); // {"notes":{"$remote":"[remote Document …]"}}
  const { append } = notes; // a method taken off still knows its object
  await append("another line"); // the only call on this page
  // #endregion
  expect(connectionOf(store).stats().callsOut - before).toBe(1);
  expect(`${notes}`).toMatch(/^\[remote Document tcp:\/\/127\.0\.0\.1:\d+ #1\]$/);
  expect(JSON.stringify({ notes })).toMatch(/^\{"notes":\{"\$remote":"\[remote Document/);
});

test("lifetime", async () => {
  const disposed = vi.fn();
  // #region lifetime
  class Upload extends ByReference {
    [Symbol.dispose]() {
      disposed(); // nobody holds it any more: close files, forget parts
    }
  }
  class Uploads {
    begin() {
      return new Upload();
    }
  }
  await startService("tcp://127.0.0.1:8787", new Uploads());

  using uploads = await connect<Uploads>("tcp://127.0.0.1:8787"); // the connection closes at the end of the block
  {
    using upload = await uploads.begin(); // given up at the end of this one
    console.log(upload);
  }
  // #endregion
  await vi.waitFor(() => expect(disposed).toHaveBeenCalledOnce());
});

test("outcomes", async () => {
  const retried = vi.fn();
  const service = await startService("tcp://127.0.0.1:8787", new Calculator());
  const calculator = await connect<Calculator>("tcp://127.0.0.1:8787");
  await service.close();
  await connectionOf(calculator).closed;
  const retryLater = retried;
  const askSomebody = () => {};
  // #region outcomes
  try {
    await calculator.add(5, 3);
  } catch (error) {
    if (error instanceof RemoteError) {
      console.log(`the method threw ${error.remoteName}: ${error.message}`, error.data);
    } else if (error instanceof RpcError) {
      const didNotRun = error.outcome === "not-sent" || error.outcome === "not-executed";
      if (didNotRun) retryLater(error.code);
      else askSomebody(); // it may have run: trying again may do it twice
    }
  }
  // #endregion
  expect(retried).toHaveBeenCalledWith("closed");
});

test("call options and the current call", async () => {
  // #region current
  class Reports {
    async make(month: string) {
      const { signal, context, session } = currentCall(); // before the first await
      for (let page = 1; page <= 100; page++) {
        signal.throwIfAborted(); // the caller has given up, or is gone
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return `${month} for ${context["tenant"]} by ${session.peer.transport}`;
    }
  }
  // #endregion
  await startService("tcp://127.0.0.1:8787", new Reports());
  using reports = await connect<Reports>("tcp://127.0.0.1:8787");
  // #region options
  const controller = new AbortController();
  const patient = withOptions(reports, {
    timeoutMs: 30_000, // the call fails with "timeout" after that, and the far signal fires
    signal: controller.signal, // aborting fails it with "cancelled"
    context: { tenant: "acme" }, // arrives as currentCall().context
  });
  const report = await patient.make("May");
  // #endregion
  expect(report).toBe("May for acme by tcp");
  const cancelled = patient.make("June");
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: "cancelled", outcome: "unknown" });
});

test("a front for each session, and calls back to the client", async () => {
  // #region per-session
  interface Player {
    yourTurn(move: number): string;
  }

  class Seat {
    readonly #player: Remote<Player>;
    #moves = 0;

    constructor(session: Session) {
      this.#player = session.front<Player>(); // what the client offers
    }

    async play() {
      return this.#player.yourTurn(++this.#moves);
    }

    [Symbol.dispose]() {
      // the session is over, in whatever way
    }
  }

  await startService(
    "tcp://127.0.0.1:8787",
    perSession((session) => new Seat(session)),
  );

  const player: Player = { yourTurn: (move) => `move ${move}` };
  using seat = await connect<Seat>("tcp://127.0.0.1:8787", { front: player });
  const answer = await seat.play();
  // #endregion
  expect(answer).toBe("move 1");
});

test("drain", async () => {
  class Slow {
    async work() {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return "done";
    }
  }
  const service = await startService("tcp://127.0.0.1:8787", new Slow());
  const slow = await connect<Slow>("tcp://127.0.0.1:8787");
  const states: string[] = [];
  connectionOf(slow).on("state", (state) => states.push(state));
  const work = slow.work();
  await new Promise((resolve) => setTimeout(resolve, 10));
  // #region drain
  await service.drain({ timeoutMs: 10_000 }); // running calls finish, new ones are refused as not-executed
  // #endregion
  expect(await work).toBe("done");
  await connectionOf(slow).closed;
  expect(states).toEqual(["draining", "closed"]);
});

test("limits and an allowlist", async () => {
  // #region expose
  const settings = new Map<string, string>();
  await startService("tcp://127.0.0.1:8787", expose(settings, ["get", "set"]), {
    limits: { maxMessageBytes: 64 * 1024, maxRunningCalls: 8 },
    onError: (error) => console.error(error),
  });
  // #endregion
  using remote = await connect<Map<string, string>>("tcp://127.0.0.1:8787");
  await remote.set("colour", "blue");
  expect(settings.get("colour")).toBe("blue");
  await expect(remote.clear()).rejects.toMatchObject({ code: "not-exposed", outcome: "not-executed" });
  await expect(remote.set("colour", "x".repeat(100_000))).rejects.toMatchObject({
    code: "limit-exceeded",
    outcome: "not-sent",
  });
});
