/** What a peer sends faster than it can be handled waits for its turn: in order, whole, and without a word against it. */
import { describe, expect, test } from "vitest";
import { turns } from "../../../conformance/src/index.ts";
import { firstOfMany, frame, maxFragmentBytes } from "../../src/wire/frames.ts";
import { framed } from "../session/raw-peer.ts";
import { halfFrame, numbered, numbers, openWorld } from "./linked.ts";

/** Long enough for everything these tests send, each turn a slice. */
const manyTurns = 3_000;
/** What a frame takes, in milliseconds: a slice has a few. */
const frameMs = 0.02;

describe("a link", () => {
  test("handles what comes at once when it is little", () => {
    const peer = openWorld().connect("peer", frameMs);
    peer.chunk(numbered(40));
    expect(peer.handled).toEqual(numbers(40));
  });

  test("goes on in later turns with what is much, and keeps its order", async () => {
    const peer = openWorld().connect("peer", frameMs);
    peer.chunk(numbered(1_000));
    expect(peer.handled.length).toBeLessThan(100);
    await turns(manyTurns);
    expect(peer.handled).toEqual(numbers(1_000));
    expect(peer.acts).toEqual([]);
  });

  test("that was ended takes a chunk a turn of what still comes, and handles none of it", async () => {
    const peer = openWorld().connect("peer");
    peer.link.end();
    peer.acts.length = 0;
    peer.chunk(numbered(5));
    expect([peer.acts, peer.givenBack]).toEqual([["pause"], 2]);
    await turns(2);
    expect(peer.acts).toEqual(["pause", "resume"]);
    expect(peer.handled).toEqual([]);
    peer.closed();
    expect(peer.told).toEqual(["closed"]);
  });

  test("gives back each chunk when it is read", () => {
    const peer = openWorld().connect("peer");
    peer.onFrame = () => expect(peer.givenBack).toBe(1);
    peer.chunk(numbered(5));
    expect([peer.handled, peer.givenBack]).toEqual([[0, 1, 2, 3, 4], 2]);
  });

  test("pauses its channel when more comes than it has read, and lets it go on when it has caught up", async () => {
    const peer = openWorld().connect("peer", frameMs);
    peer.chunk(numbered(500));
    expect(peer.acts).toEqual([]);
    peer.chunk(numbered(500, 500));
    expect(peer.acts).toEqual(["pause"]);
    await turns(manyTurns);
    expect(peer.handled).toEqual(numbers(1_000));
    expect(peer.acts).toEqual(["pause", "resume"]);
  });

  test("measures a turn, not a chunk: many small chunks of one turn are one", async () => {
    const peer = openWorld().connect("peer", frameMs);
    for (let i = 0; i < 1_000; i++) peer.chunk(numbered(1, i));
    expect(peer.handled.length).toBeLessThan(200);
    await turns(manyTurns);
    expect(peer.handled).toEqual(numbers(1_000));
  });

  test("counts afresh in every turn", async () => {
    const peer = openWorld().connect("peer", frameMs);
    for (let i = 0; i < 20; i++) {
      peer.chunk(numbered(40, 40 * i));
      expect(peer.handled).toHaveLength(40 * (i + 1));
      await turns(2);
    }
    expect(peer.acts).toEqual([]);
  });

  test("does not keep the chunk that a small message came in", () => {
    const peer = openWorld().connect("peer");
    const views: Uint8Array[] = [];
    peer.onBytes = (bytes) => void views.push(bytes.slice(0, 1));
    const chunk = Buffer.from(numbered(3));
    peer.chunk(chunk);
    expect(views.map(({ buffer }) => buffer === chunk.buffer)).toEqual([false, false, false]);
    expect(views.map(({ buffer }) => buffer.byteLength)).toEqual([1, 1, 1]);
  });

  test("hands over to another handler in the middle of a chunk", async () => {
    const peer = openWorld().connect("peer", frameMs);
    const later: number[] = [];
    peer.onFrame = () => {
      if (peer.handled.length < 3) return;
      peer.link.handler = { ...peer.handler(), message: (_code, reader) => void later.push(reader.u8()) };
    };
    peer.chunk(numbered(50));
    await turns(manyTurns);
    expect([peer.handled, later]).toEqual([numbers(3), numbers(50).slice(3)]);
  });
});

describe("peers who send more than is handled at once", () => {
  test("take turns", async () => {
    const { heard, connect } = openWorld();
    const floods = ["a", "b", "c"].map((name) => connect(name, frameMs));
    for (const peer of floods) peer.chunk(numbered(400));
    await turns(manyTurns);
    for (const peer of floods) expect(peer.handled).toEqual(numbers(400));
    const lead = (end: number) => {
      const counts = ["a", "b", "c"].map((name) => heard.slice(0, end).filter((who) => who === name).length);
      return Math.max(...counts) - Math.min(...counts);
    };
    // The first was alone when it began.
    for (let end = 100; end < 1_000; end += 50) expect(lead(end)).toBeLessThan(100);
  });

  test("let one who sends little pass at once", async () => {
    const { connect } = openWorld();
    const floods = ["a", "b", "c"].map((name) => connect(name, frameMs));
    for (const peer of floods) peer.chunk(numbered(2_000));
    const honest = connect("honest", frameMs);
    for (let i = 0; i < 50; i++) {
      honest.chunk(numbered(2, 2 * i));
      expect(honest.handled).toHaveLength(2 * (i + 1));
      await turns(1);
    }
    expect(floods.every(({ handled }) => handled.length < 2_000)).toBe(true);
  });

  test("are handled in longer slices while nobody else is heard", async () => {
    const { clock, heard, connect } = openWorld();
    const [one, two] = [connect("one", frameMs), connect("two", frameMs)];
    const aFew = async () => {
      const before = heard.length;
      one.chunk(numbered(200));
      const count = heard.length - before;
      await turns(manyTurns);
      return count;
    };
    clock.advance(2_000);
    const alone = await aFew();
    two.chunk(numbered(1));
    const together = await aFew();
    clock.advance(2_000);
    one.chunk(numbered(1));
    clock.advance(2_000);
    expect(alone).toBeGreaterThan(5 * together);
    expect(await aFew()).toBeGreaterThan(5 * together);
  });
});

describe("a link with something unread", () => {
  const behind = (world = openWorld(), count = 500) => {
    const peer = world.connect("peer", frameMs);
    peer.chunk(numbered(count));
    return peer;
  };

  test("that is ended reads nothing more", async () => {
    const peer = behind();
    const count = peer.handled.length;
    peer.link.end();
    await turns(manyTurns);
    expect([peer.handled.length, peer.acts]).toEqual([count, ["end"]]);
    peer.closed();
    expect(peer.told).toEqual(["closed"]);
  });

  test("that is ended by a frame reads nothing behind it", async () => {
    const peer = openWorld().connect("peer", frameMs);
    peer.onFrame = () => {
      if (peer.handled.length === 30) peer.link.destroy();
    };
    peer.chunk(numbered(500));
    await turns(manyTurns);
    expect([peer.handled, peer.acts]).toEqual([numbers(30), ["destroy"]]);
  });

  test("whose channel closes in order handles it first", async () => {
    const peer = behind();
    peer.closed();
    expect(peer.told).toEqual([]);
    await turns(manyTurns);
    expect(peer.handled).toEqual(numbers(500));
    expect(peer.told).toEqual(["closed"]);
    expect(peer.acts).toEqual([]);
  });

  test("whose channel is lost drops it and says so at once", async () => {
    const peer = behind();
    const count = peer.handled.length;
    peer.closed(new Error("lost"));
    expect(peer.told).toEqual(["closed: lost"]);
    await turns(manyTurns);
    expect(peer.handled).toHaveLength(count);
  });

  test("whose channel has closed, ended before it is read, is gone once", async () => {
    const peer = behind();
    const count = peer.handled.length;
    peer.closed();
    peer.link.end();
    expect(peer.told).toEqual([]);
    await turns(manyTurns);
    expect([peer.told, peer.handled.length]).toEqual([["closed"], count]);
  });

  test("fails in a later turn as it would at once", async () => {
    const peer = behind(openWorld(), 100);
    peer.chunk(framed(frame.more, (writer) => writer.varint(7)));
    expect(peer.told).toEqual([]);
    await turns(manyTurns);
    expect(peer.told).toEqual(["protocol"]);
  });

  test("takes what its channel hands out all the same, within the limit for incomplete messages", () => {
    const peer = behind(openWorld({ maxMessageBytes: 20_000 }));
    for (let i = 0; i < 7; i++) peer.chunk(new Uint8Array(10_000));
    expect(peer.told).toEqual([]);
    peer.chunk(new Uint8Array(10_000));
    expect(peer.told).toEqual(["limit-exceeded"]);
  });

  test("answers in one write when it has caught up", async () => {
    const peer = openWorld().connect("peer", frameMs / 10);
    peer.onFrame = () => {
      peer.link.outbox.begin(frame.pong);
      peer.link.outbox.end("control");
    };
    peer.chunk(numbered(400));
    await turns(manyTurns);
    expect(peer.acts).toEqual(["write 1600"]);
  });

  test("lets answers leave that have waited for a while", async () => {
    const world = openWorld();
    const peer = world.connect("peer");
    peer.onFrame = () => {
      peer.link.outbox.begin(frame.pong);
      peer.link.outbox.end("control");
      world.clock.advance(0.1);
    };
    peer.chunk(numbered(100));
    await turns(manyTurns);
    expect(peer.acts.length).toBeGreaterThan(5);
    expect(peer.acts.length).toBeLessThan(15);
  });
});

describe("time in which we do not read", () => {
  const stallTimeoutMs = 100;
  const begun = framed(0x3a | firstOfMany, (writer) => {
    writer.varint(1);
    writer.varint(maxFragmentBytes + 100);
    writer.varint(0); // attachments
    writer.raw(new Uint8Array(100));
  });

  test("is no silence of the peer's", async () => {
    const world = openWorld();
    const peer = world.connect("peer", frameMs);
    peer.chunk(numbered(500));
    world.clock.advance(60_000);
    expect(peer.link.lastReadAt).toBe(world.clock.now());
    await turns(manyTurns);
    expect(world.clock.now() - peer.link.lastReadAt).toBeLessThan(1);
    world.clock.advance(60_000);
    expect(world.clock.now() - peer.link.lastReadAt).toBeGreaterThan(59_999);
  });

  test.each([
    ["a frame", Buffer.concat([numbered(500), halfFrame])],
    ["a message", Buffer.concat([numbered(10), begun, numbered(490)])],
  ])("does not count against a peer in the middle of %s", async (_what, bytes) => {
    const world = openWorld({ stallTimeoutMs });
    const peer = world.connect("peer", frameMs);
    peer.chunk(bytes);
    world.clock.advance(10 * stallTimeoutMs);
    await turns(manyTurns);
    expect(peer.told).toEqual([]);
    world.clock.advance(stallTimeoutMs - 1);
    expect(peer.told).toEqual([]);
    world.clock.advance(2);
    await turns(2);
    expect(peer.told).toEqual(["timeout"]);
  });

  test("is the only time that does not: a peer that goes on with other things is cut off", async () => {
    const world = openWorld({ stallTimeoutMs });
    const peer = world.connect("peer", frameMs);
    peer.chunk(begun);
    for (let i = 0; i < 12 && peer.told.length === 0; i++) {
      peer.chunk(numbered(3));
      world.clock.advance(stallTimeoutMs / 10);
      await turns(2);
    }
    expect(peer.told).toEqual(["timeout"]);
  });
});
