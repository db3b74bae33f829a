/** `maxMessageBytes`, `maxDepth` and `maxNodes`, reached and passed by one, at either end, by honest peers and others. */
import { describe, expect, test } from "vitest";
import { firstOfMany, frame } from "../../src/wire/frames.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { callPayload, framed } from "../session/raw-peer.ts";
import { rawClient, rawServer } from "./worlds.ts";

const echoing = { echo: (value: unknown) => value, length: (text: string) => text.length };
const maxMessageBytes = 1_000;

/** Bytes of a call of `length` with a text of so many characters, as a raw peer sends it. */
const callBytes = (characters: number) => framed(frame.call, callPayload(1, 0, "length", ["x".repeat(characters)]));
/** Characters that fill a message to so many bytes. */
const filling = (bytes: number) => bytes - (callBytes(500).length - 4 - 500);

describe("limits.maxMessageBytes", () => {
  test("of the service lets a message of just that size pass; a caller refuses one byte more itself", async () => {
    await using pair = await leakCheckedPair(echoing, { service: { limits: { maxMessageBytes } } });
    const pass = (characters: number) => pair.front.length("x".repeat(characters));
    let largest = 900;
    // The header is a few bytes; the last text that passes is the one before the first that does not.
    for (; ; largest++) {
      const failure = await pass(largest + 1).catch((error: unknown) => error);
      if (typeof failure === "number") continue;
      expect(failure).toMatchObject({
        code: "limit-exceeded",
        outcome: "not-sent",
        message: expect.stringContaining("a message of 1001 bytes, the peer takes 1000 (limits.maxMessageBytes)"),
      });
      break;
    }
    expect(await pass(largest)).toBe(largest);
    expect(pair.session.stats().callsIn).toBe(largest - 900 + 1);
  });

  test("of the service takes it from a peer that does not ask, and ends its session for one byte more", async () => {
    await using world = await rawClient(echoing, { limits: { maxMessageBytes } });
    const characters = filling(maxMessageBytes);
    expect(callBytes(characters)).toHaveLength(4 + maxMessageBytes);
    world.raw.call(1, 0, "length", ["x".repeat(characters)]);
    expect(await world.raw.nextResult()).toMatchObject({ callId: 1, value: characters });
    world.raw.call(2, 0, "length", ["x".repeat(characters + 1)]);
    expect(await world.raw.goodbye()).toMatchObject({
      code: "limit-exceeded",
      message: expect.stringContaining("a message of 1001 bytes, limits.maxMessageBytes is 1000"),
    });
    await world.raw.closed();
    expect(await world.othersAreWell()).toBe(true);
  });

  test.each([
    [100_000, "callId"],
    [100_001, "goodbye"],
  ])("of the service is looked at in a message of %i bytes before there is memory for it", async (bytes, then) => {
    await using world = await rawClient(echoing, { limits: { maxMessageBytes: 100_000 } });
    const whole = framed(frame.call, callPayload(1, 0, "length", ["x".repeat(60_000)])).subarray(4);
    world.raw.send(frame.call | firstOfMany, (writer) => {
      writer.varint(1);
      writer.varint(bytes);
      writer.varint(0); // attachments
      writer.raw(whole);
    });
    if (then === "goodbye") {
      expect(await world.raw.goodbye()).toMatchObject({ code: "limit-exceeded" });
    } else {
      world.raw.send(frame.more, (writer) => {
        writer.varint(1);
        writer.raw(new Uint8Array(bytes - whole.length));
      });
      // The rest means nothing, which concerns the call alone.
      expect(await world.raw.nextError()).toMatchObject({
        callId: 1,
        parts: ["protocol", expect.any(String), "not-executed"],
      });
    }
    expect(await world.othersAreWell()).toBe(true);
  });

  test("of the client takes an answer of just that size, and ends the session for one byte more", async () => {
    await using world = await rawServer<typeof echoing>({ limits: { maxMessageBytes } });
    // A call number of one byte, a text with a header of three.
    const fits = maxMessageBytes - 4;
    const answered = world.remote.echo(1);
    world.raw.result((await world.raw.nextCall()).id, "x".repeat(fits));
    expect(await answered).toHaveLength(fits);
    const failed = expect(world.remote.echo(2)).rejects.toMatchObject({ code: "limit-exceeded", outcome: "unknown" });
    world.raw.result((await world.raw.nextCall()).id, "x".repeat(fits + 1));
    await failed;
    expect(await world.connection.closed).toMatchObject({ code: "limit-exceeded", by: "us" });
    expect(await world.raw.goodbye()).toMatchObject({ code: "limit-exceeded" });
    expect(await world.othersAreWell()).toBe(true);
  });

  test("of the client is kept to by the service: one byte more was executed, and the session goes on", async () => {
    const give = { give: (characters: number) => "x".repeat(characters) };
    await using pair = await leakCheckedPair(give, { connection: { limits: { maxMessageBytes } } });
    expect(await pair.front.give(maxMessageBytes - 4)).toHaveLength(maxMessageBytes - 4);
    await expect(pair.front.give(maxMessageBytes - 3)).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "executed",
      message: expect.stringContaining("1001 bytes"),
    });
    expect(await pair.front.give(1)).toBe("x");
  });

  test("smaller than what a session says on its own does not end the session", async () => {
    await using pair = await leakCheckedPair(
      { call: (f: () => number) => f(), fail: () => Promise.reject(new Error("x".repeat(2_000))) },
      { service: { limits: { maxMessageBytes: 60 } }, connection: { limits: { maxMessageBytes: 60 } } },
    );
    for (let i = 0; i < 30; i++) expect(await pair.front.call(() => i)).toBe(i);
    await expect(pair.front.fail()).rejects.toMatchObject({ code: "limit-exceeded", outcome: "executed" });
    expect(await pair.front.call(() => 5)).toBe(5);
  });
});

/** A value of so many containers, one in another. */
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}
const listOf = (nodes: number): unknown => Array.from({ length: nodes - 1 }, () => 0);

describe.each([
  { name: "maxDepth", limits: { maxDepth: 8 }, make: nested, most: 8 },
  { name: "maxNodes", limits: { maxNodes: 100 }, make: listOf, most: 100 },
])("limits.$name", ({ name, limits, make, most }) => {
  test("of the service: the caller refuses one more itself, by the path", async () => {
    await using pair = await leakCheckedPair(echoing, { service: { limits } });
    expect(await pair.front.echo(make(most))).toEqual(make(most));
    await expect(pair.front.echo(make(most + 1))).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "not-sent",
      message: expect.stringMatching(new RegExp(`args\\[0\\].*${name}`)),
    });
    expect(pair.session.stats().callsIn).toBe(1);
  });

  test("of the service: one more from a peer that does not ask fails that call, not-executed", async () => {
    let runs = 0;
    const counting = {
      echo(value: unknown) {
        runs++;
        return value;
      },
    };
    await using world = await rawClient(counting, { limits });
    world.raw.call(1, 0, "echo", [make(most)]);
    expect(await world.raw.nextResult()).toMatchObject({ callId: 1, value: make(most) });
    world.raw.call(2, 0, "echo", [make(most + 1)]);
    expect(await world.raw.nextError()).toMatchObject({
      callId: 2,
      parts: ["limit-exceeded", expect.stringContaining(name), "not-executed"],
    });
    expect(runs).toBe(1);
    world.raw.call(3, 0, "echo", [1]);
    expect(await world.raw.nextResult()).toMatchObject({ callId: 3, value: 1 });
    expect(await world.othersAreWell()).toBe(true);
  });

  test("of the client: the service refuses one more itself, executed", async () => {
    const made = { make };
    await using pair = await leakCheckedPair(made, { connection: { limits } });
    expect(await pair.front.make(most)).toEqual(make(most));
    await expect(pair.front.make(most + 1)).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "executed",
      message: expect.stringContaining(name),
    });
    expect(await pair.front.make(1)).toEqual(make(1));
  });

  test("of the client: one more from a server that does not ask fails that call, executed", async () => {
    await using world = await rawServer<typeof echoing>({ limits });
    const answered = world.remote.echo(1);
    world.raw.result((await world.raw.nextCall()).id, make(most));
    expect(await answered).toEqual(make(most));
    const refused = expect(world.remote.echo(2)).rejects.toMatchObject({
      code: "limit-exceeded",
      outcome: "executed",
      message: expect.stringContaining(name),
    });
    world.raw.result((await world.raw.nextCall()).id, make(most + 1));
    await refused;
    const again = world.remote.echo(3);
    world.raw.result((await world.raw.nextCall()).id, 3);
    expect(await again).toBe(3);
    expect(await world.othersAreWell()).toBe(true);
  });
});
