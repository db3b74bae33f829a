/** A stub handed on between processes: C owns a document, A is this process, and B is given the document by A. */
import { type Connection, connect, connectionOf, type Down, monitor, type Remote, release } from "farref";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HandleWatch, handleWatch, turnsUntil } from "../../conformance/src/index.ts";
import { openDirectory } from "./directory.ts";
import type { Doc, DocumentOwner } from "./fixtures/document-owner.ts";
import type { DocumentReader } from "./fixtures/document-reader.ts";
import { type Program, startProgram } from "./program.ts";

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

interface World extends AsyncDisposable {
  readonly owner: Program;
  readonly reader: Program;
  readonly c: Remote<DocumentOwner>;
  readonly b: Remote<DocumentReader>;
  readonly doc: Remote<Doc>;
  readonly toC: Connection;
  readonly toB: Connection;
}

async function three(at: (name: string) => string = () => "tcp://127.0.0.1:0"): Promise<World> {
  const owner = await startProgram("document-owner", at("owner"));
  const reader = await startProgram("document-reader", at("reader"));
  const c = await connect<DocumentOwner>(await owner.line());
  const b = await connect<DocumentReader>(await reader.line());
  const doc = await c.doc();
  await b.take(doc);
  const [toC, toB] = [connectionOf(c), connectionOf(b)];
  const end = async () => {
    await Promise.all([toC.close(), toB.close()]);
    await owner[Symbol.asyncDispose]();
    await reader[Symbol.asyncDispose]();
  };
  return { owner, reader, c, b, doc, toC, toB, [Symbol.asyncDispose]: end };
}

describe.each(["tcp://127.0.0.1:0", "ws://127.0.0.1:0", "unix:"] as const)("three processes over %s", (place) => {
  test("B reaches C's document through A, in order; given up by both, it is given back", async () => {
    await using directory = await openDirectory();
    const at = (name: string) => (place === "unix:" ? `unix:${directory.path}/${name}.sock` : place);
    await using world = await three(at);
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
    expect(await world.b.addAll(lines)).toEqual(lines.map((_, i) => i + 1));
    expect(await world.doc.lines()).toEqual(lines.map((line) => `somebody: ${line}`));
    expect(await world.c.isDoc(world.doc)).toBe(true);
    await world.b.drop();
    await turnsUntil(() => world.toB.stats().exports === 0, 5_000);
    expect(world.toB.stats().exports).toBe(0);
    expect(await world.doc.add("by A")).toBe(101);
    release(world.doc);
    const asked = await connect<DocumentOwner>(world.toC.uri);
    const giveUpAt = performance.now() + 5_000;
    while ((await asked.exports()) > 0 && performance.now() < giveUpAt);
    expect(await asked.exports()).toBe(0);
    await connectionOf(asked).close();
  });
});

describe("of three processes", () => {
  test("C is killed: B's call is unknown, its monitor says `session-lost`, A's too, and B and A go on", async () => {
    await using world = await three();
    const down = new Promise<Down>((resolve) => void monitor(world.doc, resolve));
    const hanging = world.b.hang();
    await world.b.add("sent behind it");
    world.owner.kill("SIGKILL");
    expect(await hanging).toBe("closed, unknown");
    expect(await world.b.down()).toBe("session-lost");
    expect(await down).toMatchObject({ reason: "session-lost", error: { code: "closed" } });
    expect(await world.b.add("too late")).toBe("closed, not-sent");
    expect(world.toB.state).toBe("open");
  });

  test("C ends in order: everybody hears `closed`", async () => {
    await using world = await three();
    const hanging = world.b.hang();
    await world.b.add("sent behind it");
    world.owner.endInput();
    expect(await hanging).toBe("closed, unknown");
    expect(await world.b.down()).toBe("closed");
    expect(await world.owner.exited).toEqual({ code: 0, signal: null });
  });

  test("B is killed: C's document is given back when A gives it up, and A's stub is as it was", async () => {
    await using world = await three();
    const down = new Promise<Down>((resolve) => void monitor(world.b, resolve));
    world.b.hang().catch(() => {});
    await world.b.add("sent behind it");
    world.reader.kill("SIGKILL");
    expect(await down).toMatchObject({ reason: "session-lost" });
    expect(world.toB.stats().exports).toBe(0);
    expect(await world.doc.lines()).toEqual(["somebody: sent behind it"]);
  });

  test("C revokes its document: B's is stale, and its monitor says `disposed`", async () => {
    await using world = await three();
    await world.c.revoke();
    expect(await world.b.down()).toBe("disposed");
    expect(await world.b.add("too late")).toBe("stale-reference, not-sent");
    await expect(world.doc.add("too late")).rejects.toMatchObject({ code: "stale-reference", outcome: "not-sent" });
  });
});
