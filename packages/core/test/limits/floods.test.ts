/** Floods of every kind against a service in its own process: it stays within its memory, and honest clients go on. */
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { turnsUntil } from "../../../conformance/src/index.ts";
import { defaultLimits } from "../../src/index.ts";
import { firstOfMany, frame, optional, preamble } from "../../src/wire/frames.ts";
import { callPayload, framed, helloFrame } from "../session/raw-peer.ts";
import { type Attacker, type Flooded, flooded } from "./flooded.ts";

const mebi = 1024 * 1024;
const call = (attacker: Attacker, method: string, args: readonly unknown[] = []) =>
  framed(frame.call, callPayload(attacker.nextId(), 0, method, args));
const withNumber = (code: number, number: number) => framed(code, (writer) => writer.varint(number));

/** The honest client's calls go on while `task` does, none of them slow. */
async function whileHonestGoOn<T>({ honest }: Flooded, task: Promise<T>): Promise<T> {
  let isDone = false;
  const end = () => {
    isDone = true;
  };
  void task.then(end, end);
  let slowestMs = 0;
  do {
    const startedAt = performance.now();
    expect(await honest.add(5, 3)).toBe(8);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  } while (!isDone);
  expect(slowestMs).toBeLessThan(2_000);
  return await task;
}

/** Waits until the victim says so; the last word on it otherwise. */
async function eventually(isMet: () => Promise<boolean>, boundMs = 10_000): Promise<void> {
  const giveUpAt = performance.now() + boundMs;
  while (!(await isMet())) {
    if (performance.now() > giveUpAt) throw new Error("the victim never comes to the state the test waits for");
  }
}

/** What stays of a flood: what is on its way, or waits for a collection, is gone after a while. */
async function heldBelow(victim: Flooded, bytes: number): Promise<void> {
  let last = 0;
  await eventually(async () => {
    last = (await victim.growth()).heldBytes;
    return last < bytes;
  }).catch(() => expect(last).toBeLessThan(bytes));
}

describe("a flood of", { timeout: 40_000 }, () => {
  test("20,000 calls cancelled at once never runs more methods than limits.maxRunningCalls, though they go on", async () => {
    await using victim = await flooded();
    const attacker = await victim.attacker();
    const pairs = (i: number) => (i % 2 === 0 ? call(attacker, "stubborn") : withNumber(frame.cancel, (i + 1) / 2));
    expect(await whileHonestGoOn(victim, attacker.flood(40_000, pairs))).toBe(40_000);
    await eventually(async () => (await victim.growth()).calls.includes(20_000));
    const { mostRunning, heldBytes, ends } = await victim.growth();
    expect(mostRunning).toBe(defaultLimits.maxRunningCalls);
    expect(heldBytes).toBeLessThan(16 * mebi);
    expect(ends).toEqual([]);
  });

  test("objects that are never released stops at limits.maxExports", async () => {
    await using victim = await flooded({ maxExports: 20_000 });
    const attacker = await victim.attacker();
    await whileHonestGoOn(
      victim,
      attacker.flood(60_000, () => call(attacker, "thing")),
    );
    const { heldBytes, rssBytes, ends } = await victim.growth();
    expect(ends).toEqual([]);
    expect(heldBytes).toBeLessThan(24 * mebi);
    expect(rssBytes).toBeLessThan(96 * mebi);
    attacker.socket.destroy();
    await eventually(async () => (await victim.growth()).sessions === 1);
    await heldBelow(victim, 8 * mebi);
  });

  test("messages that begin and never end is cut off before it holds four of the largest", async () => {
    await using victim = await flooded();
    const attacker = await victim.attacker();
    const begin = (i: number) =>
      framed(0x3a | optional | firstOfMany, (writer) => {
        writer.varint(i + 1);
        writer.varint(65_537);
        writer.varint(0); // attachments
        writer.raw(new Uint8Array(16));
      });
    await whileHonestGoOn(victim, attacker.flood(5_000, begin));
    await eventually(async () => (await victim.growth()).ends.length === 1);
    const { ends } = await victim.growth();
    expect(ends).toEqual(["limit-exceeded"]);
    await heldBelow(victim, 8 * mebi);
  });

  test("largest messages that begin and stay holds four of them for each peer, and no more", async () => {
    await using victim = await flooded();
    const begin = (i: number) =>
      framed(0x3a | optional | firstOfMany, (writer) => {
        writer.varint(i + 1);
        writer.varint(16 * mebi);
        writer.varint(0); // attachments
        writer.raw(new Uint8Array(60_000));
      });
    const attacker = await victim.attacker();
    await whileHonestGoOn(victim, attacker.flood(4, begin));
    // Announced, set aside and never touched: no page of it is resident.
    expect((await victim.growth()).rssBytes).toBeLessThan(24 * mebi);
    await attacker.flood(1, () => begin(4));
    await eventually(async () => (await victim.growth()).ends.includes("limit-exceeded"));
    await heldBelow(victim, 8 * mebi);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["the preamble", preamble],
    ["half a hello", Buffer.concat([preamble, helloFrame().subarray(0, 60)])],
    ["a hello that is refused", Buffer.concat([preamble, helloFrame({ versions: [99] })])],
  ])("500 connections that say %s is gone when limits.handshakeTimeoutMs is over", async (_what, bytes) => {
    await using victim = await flooded({ handshakeTimeoutMs: 500 });
    const crowd: Socket[] = [];
    const arrive = async () => {
      for (let i = 0; i < 500; i++) {
        const socket = await victim.silent();
        crowd.push(socket.resume());
        if (bytes.length > 0) socket.write(bytes);
      }
    };
    await whileHonestGoOn(victim, arrive());
    const { heldBytes, rssBytes } = await victim.growth();
    expect(heldBytes).toBeLessThan(500 * 24 * 1024);
    expect(rssBytes).toBeLessThan(48 * mebi);
    expect(await turnsUntil(() => crowd.every((socket) => socket.closed), 5_000)).toBe(true);
    expect((await victim.growth()).sessions).toBe(1);
    expect(await victim.honest.add(5, 3)).toBe(8);
  });

  test("half frames from 200 sessions holds a frame for each, until limits.stallTimeoutMs", async () => {
    await using victim = await flooded({ stallTimeoutMs: 700 });
    const crowd = await Promise.all(Array.from({ length: 200 }, () => victim.attacker()));
    // The header of the largest frame there is, and its first bytes.
    for (const { socket } of crowd) socket.write(Uint8Array.of(frame.call, 1, 0, 0, 1, 2, 3));
    await whileHonestGoOn(
      victim,
      turnsUntil(() => crowd.every(({ isOver }) => isOver), 5_000),
    );
    await eventually(async () => (await victim.growth()).ends.length === 200);
    const { ends } = await victim.growth();
    expect(new Set(ends)).toEqual(new Set(["timeout"]));
    await heldBelow(victim, 8 * mebi);
  });

  const ping = framed(frame.ping, () => {});
  const unknown = framed(0x3e, () => {});
  const inputs: readonly (readonly [what: string, make: (attacker: Attacker) => Uint8Array])[] = [
    ["pings", () => ping],
    ["frames nobody knows", () => unknown],
    [
      "lookups of names that are not there",
      (attacker) =>
        framed(frame.lookup, (writer) => {
          writer.varint(attacker.nextId());
          writer.raw(Uint8Array.of(1, 0x78));
        }),
    ],
    ["calls of methods that are not there", (attacker) => call(attacker, "nowhere")],
    [
      "calls of objects that are not there",
      (attacker) => framed(frame.call, callPayload(attacker.nextId(), 77, "x", [])),
    ],
  ];

  test.each(inputs)("%s, the answers unread, ends in limit-exceeded", async (_what, make) => {
    await using victim = await flooded({ maxSendBufferBytes: mebi });
    const attacker = await victim.attacker();
    attacker.stopReading();
    const batches = Array.from({ length: 512 }, () => make(attacker));
    const fresh =
      make === inputs[0]?.[1] || make === inputs[1]?.[1] ? () => Buffer.concat(batches) : () => make(attacker);
    await whileHonestGoOn(victim, attacker.flood(400_000, fresh));
    await eventually(async () => (await victim.growth()).ends.length === 1, 15_000);
    const { ends, rssBytes } = await victim.growth();
    expect(ends).toEqual(["limit-exceeded"]);
    expect(rssBytes).toBeLessThan(64 * mebi);
    await heldBelow(victim, 8 * mebi);
  });

  test.each(inputs)("%s, the answers read, costs nothing that stays", async (_what, make) => {
    await using victim = await flooded();
    const attacker = await victim.attacker();
    expect(
      await whileHonestGoOn(
        victim,
        attacker.flood(100_000, () => make(attacker)),
      ),
    ).toBe(100_000);
    const { ends } = await victim.growth();
    expect(ends).toEqual([]);
    await heldBelow(victim, 8 * mebi);
  });

  test.each([
    // More questions than may wait: each is refused, and the refusals are not read either.
    ["a kibibyte", 1024, 64, "limit-exceeded", {}],
    // None is run while so much is unread; the peer has its time to read on.
    ["a mebibyte", mebi, 48, "timeout", { stallTimeoutMs: 1_000 }],
  ])(
    "questions with answers of %s each, unread, ends the session before the service has grown much",
    async (_what, bytes, mostMebi, code, limits) => {
      await using victim = await flooded(limits);
      const attacker = await victim.attacker();
      attacker.stopReading();
      let mostBytes = 0;
      let isOver = false;
      const watch = async () => {
        while (!isOver) mostBytes = Math.max(mostBytes, (await victim.growth()).rssBytes);
      };
      const watching = watch();
      // A gibibyte in all.
      await whileHonestGoOn(
        victim,
        attacker.flood(1024 * (mebi / bytes), () => call(attacker, "give", [bytes])),
      );
      await eventually(async () => (await victim.growth()).ends.length === 1, 15_000);
      isOver = true;
      await watching;
      expect((await victim.growth()).ends).toEqual([code]);
      expect(mostBytes).toBeLessThan(mostMebi * mebi);
    },
  );

  test.each<readonly [string, string, (i: number) => Uint8Array]>([
    [
      "method names",
      "protocol",
      (i) => framed(frame.method, (writer) => writer.raw(Buffer.from(`\u0006n${10_000 + i}`))),
    ],
    ["releases", "protocol", (i) => framed(frame.release, (writer) => writer.raw(Uint8Array.of(1 + (i & 63), 1)))],
    [
      "results nobody awaits",
      "protocol",
      (i) => framed(frame.result, (writer) => writer.raw(Uint8Array.of(1 + (i & 63), 5))),
    ],
  ])("%s ends its session at once", async (_what, code, make) => {
    await using victim = await flooded();
    const attacker = await victim.attacker();
    await whileHonestGoOn(victim, attacker.flood(50_000, make));
    await eventually(async () => (await victim.growth()).ends.length === 1);
    const { ends } = await victim.growth();
    expect(ends).toEqual([code]);
    await heldBelow(victim, 8 * mebi);
  });

  test("cancels of nothing, signs of life and skipped frames leaves nothing", async () => {
    await using victim = await flooded();
    const attacker = await victim.attacker();
    const kinds = [
      withNumber(frame.cancel, 5),
      framed(frame.pong, () => {}),
      framed(frame.void, () => {}),
      framed(0x3d | optional, () => {}),
    ];
    await whileHonestGoOn(
      victim,
      attacker.flood(400_000, (i) => kinds[i % kinds.length] as Uint8Array),
    );
    const { ends } = await victim.growth();
    expect(ends).toEqual([]);
    await heldBelow(victim, 8 * mebi);
  });
});
