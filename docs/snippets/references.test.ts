import {
  ByReference,
  connect,
  connectionOf,
  type Down,
  expose,
  monitor,
  type Remote,
  type RpcError,
  release,
  revoke,
  sameReference,
  startService,
} from "farref";
import { afterEach, expect, test, vi } from "vitest";
import { closeServices } from "./free-ports.ts";

vi.spyOn(console, "log").mockImplementation(() => {});
vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
afterEach(closeServices);

const told: string[] = [];
/** Waits until something was told. */
const heard = (what: string) => vi.waitFor(() => expect(told).toContain(what));

// #region upload
class Upload extends ByReference {
  readonly #parts: Uint8Array[] = [];

  add(part: Uint8Array) {
    return this.#parts.push(part);
  }

  /** Nobody far away holds it any more: by release, collection or the end of a session, or because it was revoked. */
  [Symbol.dispose]() {
    this.#parts.length = 0;
    closed();
  }
}
// #endregion

let closed = () => {};

class Uploads {
  readonly #uploads = new Map<string, Upload>();

  open(name: string) {
    const upload = this.#uploads.get(name) ?? new Upload();
    this.#uploads.set(name, upload);
    return upload;
  }

  isMine(upload: Upload) {
    return [...this.#uploads.values()].includes(upload);
  }

  // #region revoke
  close(name: string) {
    const upload = this.#uploads.get(name);
    if (upload) revoke(upload); // whoever holds it, in whatever session
    this.#uploads.delete(name);
  }
  // #endregion
}

test("giving up, and identity", async () => {
  closed = vi.fn();
  await startService("tcp://127.0.0.1:8787", new Uploads());
  using uploads = await connect<Uploads>("tcp://127.0.0.1:8787");
  // #region giving-up
  {
    using upload = await uploads.open("photos"); // given up at the end of the block
    await upload.add(new Uint8Array(1_000));
  }
  const upload = await uploads.open("photos");
  const last = upload.add(new Uint8Array(1_000));
  release(upload); // given up now: what was called before is still done
  await last;
  // #endregion
  await expect(upload.add(new Uint8Array(1))).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
  // #region identity
  const photos = await uploads.open("photos");
  console.assert((await uploads.open("photos")) === photos); // the same object is the same stub, while it is held
  console.assert(await uploads.isMine(photos)); // at home it is the object itself
  console.assert(photos !== upload && !sameReference(photos, upload)); // after a release it is a new stub
  // #endregion
  expect(await uploads.open("photos")).toBe(photos);
  expect(await uploads.isMine(photos)).toBe(true);
  expect(sameReference(photos, upload)).toBe(false);
  release(photos);
  await vi.waitFor(() => expect(closed).toHaveBeenCalled());
});

test("monitors and revoking", async () => {
  told.length = 0;
  await startService("tcp://127.0.0.1:8787", new Uploads());
  using uploads = await connect<Uploads>("tcp://127.0.0.1:8787");
  const upload = await uploads.open("photos");
  const show = (text: string) => void told.push(text);
  // #region monitor
  const stop = monitor(upload, ({ reason, error }) => {
    show(`photos: ${reason} ${error?.message ?? ""}`); // once, and not before monitor has returned
  });
  // #endregion
  // #region every-reason
  const because: Record<Down["reason"], string> = {
    released: "this process gave it up: release, using, or nobody here referred to it any more",
    disposed: "its owner revoked it, or whoever passed it on no longer does",
    closed: "a session on the way to it was closed, by either side",
    "session-lost": "the channel of such a session died; the object itself may live on",
  };
  // #endregion
  expect(because.closed).toContain("closed");
  await uploads.close("photos");
  await heard("photos: disposed ");
  await expect(upload.add(new Uint8Array(1))).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
  stop();
  // #region connection
  monitor(uploads, ({ reason }) => show(`the connection: ${reason}`)); // a front goes with its session
  // #endregion
  await connectionOf(uploads).close();
  await heard("the connection: closed");
});

test("handing on", async () => {
  told.length = 0;
  const archive = new Uploads();
  await startService("tcp://127.0.0.1:8787", archive);
  const show = (text: string) => void told.push(text);
  class Desk {
    receive(upload: Upload) {
      monitor(upload, ({ reason }) => show(`desk: ${reason}`));
      kept.push(upload);
    }

    async add(part: Uint8Array) {
      return kept[0]?.add(part);
    }
  }
  const kept: Upload[] = [];
  await startService("tcp://127.0.0.1:8788", new Desk());
  // #region handing-on
  using uploads = await connect<Uploads>("tcp://127.0.0.1:8787");
  using desk = await connect<Desk>("tcp://127.0.0.1:8788");

  const upload = await uploads.open("photos");
  await desk.receive(upload); // the desk calls it through us, as us, for as long as both connections last
  // #endregion
  expect(await desk.add(new Uint8Array(1))).toBe(1);
  await connectionOf(uploads).close();
  await heard("desk: closed");
  const failure = (await desk.add(new Uint8Array(1)).catch((error: unknown) => error)) as RpcError;
  expect(failure.message).toContain("closed");
});

test("a facet that can be taken back alone", async () => {
  class Ledger {
    readonly #lines = ["opened"];
    lines() {
      return this.#lines;
    }
    erase() {
      this.#lines.length = 0;
    }
  }
  const ledger = new Ledger();
  // #region facet
  class Reading extends ByReference {
    lines() {
      return ledger.lines();
    }
  }
  const forAuditors = new Reading(); // an object of its own: revoking it leaves the ledger to everybody else
  // #endregion
  await startService("tcp://127.0.0.1:8787", {
    audit: () => forAuditors,
    keep: () => expose(ledger, ["lines", "erase"]),
  });
  using office = await connect<{ audit(): Reading; keep(): Remote<Ledger> }>("tcp://127.0.0.1:8787");
  const [reading, keeping] = [await office.audit(), await office.keep()];
  expect(await reading.lines()).toEqual(["opened"]);
  revoke(forAuditors);
  await expect(reading.lines()).rejects.toMatchObject({ code: "stale-reference" });
  expect(await keeping.lines()).toEqual(["opened"]);
  release(keeping as never);
});
