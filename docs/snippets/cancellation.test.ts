import { connect, currentCall, type Remote, RpcError, startService, withOptions } from "farref";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

const log = vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
beforeEach(() => void log.mockClear());
afterEach(closeServices);

const aborted = (signal: AbortSignal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

class Archive {
  readonly stopped: string[] = [];
  // #region method
  async search(words: string) {
    const { signal } = currentCall(); // before the first await
    signal.addEventListener("abort", () => this.stopped.push(words));
    return await this.#scan(words, signal); // hand it on to whatever takes one: fetch, timers, streams
  }
  // #endregion

  async #scan(words: string, signal: AbortSignal): Promise<string[]> {
    if (words === "slow") await aborted(signal);
    return [words];
  }
}

async function served() {
  const archive = new Archive();
  await startService("tcp://127.0.0.1:8787", archive);
  return { archive, remote: await connect<Archive>("tcp://127.0.0.1:8787") };
}

test("cancel", async () => {
  const { archive, remote } = await served();
  const controller = new AbortController();
  // #region cancel
  const patient = withOptions(remote, { signal: controller.signal });
  const found = patient.search("slow");
  // #endregion
  setImmediate(() => {
    // #region abort
    controller.abort(new Error("the user went away"));
    // #endregion
  });
  await expect(found).rejects.toMatchObject({ code: "cancelled", cause: { message: "the user went away" } });
  await vi.waitUntil(() => archive.stopped.length === 1);
  remote[Symbol.dispose]();
});

test("timeout", async () => {
  const { remote } = await served();
  // #region timeout
  try {
    await withOptions(remote, { timeoutMs: 200 }).search("slow");
  } catch (error) {
    if (error instanceof RpcError && error.code === "timeout") console.log("too slow:", error.outcome); // unknown
  }
  // #endregion
  expect(log.mock.calls).toEqual([["too slow:", "unknown"]]);
  remote[Symbol.dispose]();
});

test("a service's own limit", async () => {
  // #region service
  await startService("tcp://127.0.0.1:8787", new Archive(), { callTimeoutMs: 300 });
  // #endregion
  const remote = await connect<Archive>("tcp://127.0.0.1:8787");
  await expect(remote.search("slow")).rejects.toMatchObject({ code: "timeout", outcome: "unknown" });
  remote[Symbol.dispose]();
});

test("nested", async () => {
  class Library {
    readonly #archive: Remote<Archive>;

    constructor(archive: Remote<Archive>) {
      this.#archive = archive;
    }

    // #region nested
    async search(words: string) {
      const { signal, deadline } = currentCall();
      const timeoutMs = deadline === undefined ? undefined : deadline - performance.now();
      return await withOptions(this.#archive, { signal, timeoutMs }).search(words);
    }
    // #endregion
  }
  const { archive, remote } = await served();
  await startService("tcp://127.0.0.1:8788", new Library(remote));
  const library = await connect<Library>("tcp://127.0.0.1:8788");
  const controller = new AbortController();
  const found = withOptions(library, { signal: controller.signal }).search("slow");
  setTimeout(() => controller.abort(), 50);
  await expect(found).rejects.toMatchObject({ code: "cancelled" });
  await vi.waitUntil(() => archive.stopped.length === 1);
  library[Symbol.dispose]();
  remote[Symbol.dispose]();
});

test("a signal as an argument", async () => {
  // #region argument
  class Jobs {
    #done = 0;

    /** Returns at once; the job goes on until it is done, or `stop` aborts. */
    start(job: { readonly name: string; readonly stop: AbortSignal }) {
      job.stop.addEventListener("abort", () => console.log(`${job.name} stops: ${job.stop.reason}`));
      return ++this.#done;
    }
  }
  // #endregion
  await startService("tcp://127.0.0.1:8787", new Jobs());
  const jobs = await connect<Jobs>("tcp://127.0.0.1:8787");
  // #region stop
  const stop = new AbortController();
  await jobs.start({ name: "sweep", stop: stop.signal });
  stop.abort("it is clean"); // over there: sweep stops: it is clean
  // #endregion
  await vi.waitUntil(() => log.mock.calls.length === 1);
  expect(log.mock.calls).toEqual([["sweep stops: it is clean"]]);
  jobs[Symbol.dispose]();
});
