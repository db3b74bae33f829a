import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { ByReference } from "../../src/index.ts";
import type { ByteWriter } from "../../src/wire/byte-writer.ts";
import { firstOfMany, frame, minAttachmentBytes, optional, preamble } from "../../src/wire/frames.ts";
import { leakCheckedPair } from "./pairs.ts";
import { callPayload, helloFrame, helloLimits, RawPeer, RawReference } from "./raw-peer.ts";
import { until } from "./waiting.ts";

const calculator = { add: (a: number, b: number) => a + b };

/** An honest client of a service and, beside it, a peer that does as the test likes. */
async function besideHonest<F extends object>(front: F, options: Parameters<typeof leakCheckedPair>[1] = {}) {
  const pair = await leakCheckedPair(front, options);
  const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
  return {
    ...pair,
    raw,
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await until(() => pair.service.sessions.size <= 1);
      await pair[Symbol.asyncDispose]();
    },
  };
}

describe("a peer that speaks the protocol frame by frame", () => {
  test("is answered", async () => {
    await using world = await besideHonest(calculator);
    world.raw.call(1, 0, "add", [5, 3]);
    expect(await world.raw.nextResult()).toEqual({ callId: 1, value: 8, references: [] });
  });

  test("may give method names a number", async () => {
    await using world = await besideHonest(calculator);
    const number = world.raw.announce("add");
    world.raw.send(frame.call, (writer) => {
      writer.varint(1);
      writer.varint(0);
      writer.varint(number);
      writer.u8(0);
      writer.raw(Uint8Array.of(0x92, 5, 3));
    });
    expect(await world.raw.nextResult()).toMatchObject({ callId: 1, value: 8 });
  });

  test("may leave out call numbers", async () => {
    await using world = await besideHonest(calculator);
    world.raw.call(7, 0, "add", [1, 2]);
    world.raw.call(1_000_000, 0, "add", [3, 4]);
    expect(await world.raw.nextResult()).toMatchObject({ callId: 7, value: 3 });
    expect(await world.raw.nextResult()).toMatchObject({ callId: 1_000_000, value: 7 });
  });

  test("may ask for a sign of life", async () => {
    await using world = await besideHonest(calculator);
    world.raw.send(frame.ping);
    expect((await world.raw.next(frame.pong)).payload).toHaveLength(0);
  });
});

describe("frames of a later version", () => {
  const later = [0x09, 0x23, 0x30, 0x3e];
  const laterCalls = [0x15, 0x18, 0x19, 0x1f];

  test.each([...later, ...laterCalls])("of kind 0x%i that may be skipped are skipped", async (kind) => {
    await using world = await besideHonest(calculator);
    world.raw.send(kind | optional, (writer) => writer.raw(Uint8Array.of(1, 2, 3)));
    world.raw.call(1, 0, "add", [5, 3]);
    expect(await world.raw.nextResult()).toMatchObject({ value: 8 });
    expect(world.raw.frames).toEqual([]);
  });

  test.each(later)("of kind 0x%i that may not be skipped are answered: not known here", async (kind) => {
    await using world = await besideHonest(calculator);
    world.raw.send(kind, (writer) => writer.raw(Uint8Array.of(1, 2, 3)));
    expect((await world.raw.next(frame.unimplemented)).payload).toEqual(Uint8Array.of(kind));
    world.raw.call(1, 0, "add", [5, 3]);
    expect(await world.raw.nextResult()).toMatchObject({ value: 8 });
  });

  test.each(laterCalls)("of kind 0x%i that are calls fail as unimplemented, not-executed", async (kind) => {
    await using world = await besideHonest(calculator);
    world.raw.send(kind, (writer) => writer.varint(1));
    expect(await world.raw.nextError()).toMatchObject({
      callId: 1,
      areArgumentsUntouched: true,
      parts: ["unimplemented", expect.any(String), "not-executed"],
    });
    world.raw.call(2, 0, "add", [5, 3]);
    expect(await world.raw.nextResult()).toMatchObject({ value: 8 });
  });

  const { shape, monitor, revoked, handoff, resume, resumed, acknowledge } = frame;
  test.each(Object.entries({ shape, monitor, revoked, handoff, resume, resumed, acknowledge }))(
    "reserved kind %s is answered until it is spoken",
    async (_name, kind) => {
      await using world = await besideHonest(calculator);
      world.raw.send(kind, (writer) => writer.raw(Uint8Array.of(1, 1)));
      expect((await world.raw.next(frame.unimplemented)).payload).toEqual(Uint8Array.of(kind));
    },
  );

  test("that a peer does not know are told to onError", async () => {
    await using world = await besideHonest(calculator);
    world.raw.send(frame.unimplemented | optional, (writer) => writer.u8(0x3a));
    await until(() => world.reported.service.length > 0);
    expect(world.takeReported().service).toEqual([
      expect.objectContaining({ code: "unimplemented", outcome: "not-executed" }),
    ]);
  });
});

describe("a call that can't be run fails alone", () => {
  test.each([
    ["on an object that was never held", 77, "add", "stale-reference"],
    ["of a method that is not there", 0, "multiply", "not-exposed"],
    ["without a method's name", 0, "", "not-exposed"],
  ])("%s", async (_what, target, method, code) => {
    await using world = await besideHonest(calculator);
    world.raw.call(1, target, method, [1]);
    expect(await world.raw.nextError()).toMatchObject({
      callId: 1,
      isThrown: false,
      parts: [code, expect.any(String), "not-executed"],
    });
    world.raw.call(2, 0, "add", [5, 3]);
    expect(await world.raw.nextResult()).toMatchObject({ value: 8 });
  });

  test.each([
    ["is cut off", Uint8Array.of(0x92, 5)],
    ["has something behind it", Uint8Array.of(0x92, 5, 3, 0)],
    ["is no list", Uint8Array.of(0x05)],
    ["holds a byte that means nothing", Uint8Array.of(0x91, 0xc1)],
    ["holds an extension nobody knows", Uint8Array.of(0x91, 0xd4, 0x7f, 0)],
    ["announces more than there is", Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ["is missing", new Uint8Array(0)],
  ])("whose body %s", async (_what, body) => {
    await using world = await besideHonest(calculator);
    const number = world.raw.announce("add");
    world.raw.send(frame.call, (writer) => {
      writer.varint(1);
      writer.varint(0);
      writer.varint(number);
      writer.u8(0);
      writer.raw(body);
    });
    const { callId, parts } = await world.raw.nextError();
    expect(callId).toBe(1);
    expect(parts[0]).toMatch(/^(protocol|limit-exceeded)$/);
    expect(parts[2]).toBe("not-executed");
    world.raw.call(2, 0, "add", [5, 3]);
    expect(await world.raw.nextResult()).toMatchObject({ value: 8 });
    expect(await world.front.add(1, 1)).toBe(2);
  });
});

type Violation = readonly [what: string, code: string, commit: (raw: RawPeer) => void];
const header = (id: number, target: number, method: number, flags: number) => (writer: ByteWriter) => {
  writer.varint(id);
  writer.varint(target);
  writer.varint(method);
  writer.u8(flags);
};
const fragment = (number: number, total: number, length: number) => (writer: ByteWriter) => {
  writer.varint(number);
  writer.varint(total);
  writer.varint(0); // attachments
  writer.raw(new Uint8Array(length));
};

/** The beginning of a message with attachments. */
const attaching = (total: number, lengths: readonly number[]) => (writer: ByteWriter) => {
  writer.varint(1);
  writer.varint(total);
  writer.varint(lengths.length);
  for (const length of lengths) writer.varint(length);
  writer.raw(new Uint8Array(100));
};

const violations: readonly Violation[] = [
  ["a result nobody waits for", "protocol", (raw) => raw.result(1, 5)],
  [
    "an error nobody waits for",
    "protocol",
    (raw) => raw.send(frame.error, (writer) => writer.raw(Uint8Array.of(9, 0, 0x90))),
  ],
  ["a release of holds it never had", "protocol", (raw) => raw.release(5, 1)],
  ["a release of the front", "protocol", (raw) => raw.release(0, 1)],
  ["a release of no holds at all", "protocol", (raw) => raw.release(5, 0)],
  ["a release without a count", "protocol", (raw) => raw.send(frame.release, (writer) => writer.varint(1))],
  ["a method number that was never announced", "protocol", (raw) => raw.send(frame.call, header(1, 0, 3, 0))],
  ["method number 0 without a name", "protocol", (raw) => raw.send(frame.call, header(1, 0, 0, 0))],
  ["a call without a target", "protocol", (raw) => raw.send(frame.call, (writer) => writer.varint(1))],
  ["an empty call", "protocol", (raw) => raw.send(frame.call)],
  ["call number 0", "protocol", (raw) => raw.call(0, 0, "add", [1, 2])],
  [
    "an integer of nine bytes",
    "protocol",
    (raw) => raw.send(frame.call, (writer) => writer.raw(new Uint8Array(9).fill(0x80))),
  ],
  [
    "an integer above 2^53 - 1",
    "protocol",
    (raw) =>
      raw.send(frame.cancel, (writer) => writer.raw(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f))),
  ],
  ["a method name of 257 bytes", "protocol", (raw) => raw.announce("x".repeat(257))],
  [
    "a method name that is not UTF-8",
    "protocol",
    (raw) => raw.send(frame.method, (writer) => writer.raw(Uint8Array.of(2, 0xc3, 0x28))),
  ],
  [
    "the same call number twice",
    "protocol",
    (raw) => {
      raw.call(3, 0, "add", [1, 2]);
      raw.call(3, 0, "add", [1, 2]);
    },
  ],
  [
    "a call number that runs backwards",
    "protocol",
    (raw) => {
      raw.call(3, 0, "add", [1, 2]);
      raw.call(2, 0, "add", [1, 2]);
    },
  ],
  ["4,097 method names", "protocol", (raw) => Array.from({ length: 4_097 }, (_, i) => raw.announce(`m${i}`))],
  [
    "a fragment of a message that never began",
    "protocol",
    (raw) => raw.send(frame.more, (writer) => writer.raw(Uint8Array.of(1, 2, 3))),
  ],
  [
    "a fragmented message that is not large",
    "protocol",
    (raw) => raw.send(frame.call | firstOfMany, fragment(1, 100, 50)),
  ],
  [
    "two messages of one number",
    "protocol",
    (raw) => {
      for (let i = 0; i < 2; i++) raw.send(0x3a | optional | firstOfMany, fragment(1, 100_000, 50));
    },
  ],
  [
    "a fragment longer than what is missing",
    "protocol",
    (raw) => {
      raw.send(0x3a | optional | firstOfMany, fragment(1, 65_537, 65_530));
      raw.send(frame.more, (writer) => writer.raw(new Uint8Array(100).fill(1)));
    },
  ],
  [
    "more attachments than there may be",
    "protocol",
    (raw) => raw.send(frame.call | firstOfMany, attaching(1_000_000, new Array(257).fill(minAttachmentBytes))),
  ],
  [
    "a message that begins and ends with its first fragment",
    "protocol",
    (raw) => raw.send(frame.call | firstOfMany, fragment(1, 65_540, 65_540)),
  ],
  [
    "attachments where no data is",
    "protocol",
    (raw) => raw.send(frame.error | firstOfMany, attaching(1_000_000, [minAttachmentBytes])),
  ],
  [
    "an attachment that a frame holds",
    "protocol",
    (raw) => raw.send(frame.call | firstOfMany, attaching(1_000_000, [minAttachmentBytes - 1])),
  ],
  [
    "attachments that leave no room for the body",
    "protocol",
    (raw) => raw.send(frame.call | firstOfMany, attaching(200_000, [100_000, 100_000])),
  ],
  [
    "attachments longer than their message",
    "protocol",
    (raw) => raw.send(frame.call | firstOfMany, attaching(200_000, [2 ** 52])),
  ],
  [
    "a call whose arguments are attachments and nothing else",
    "protocol",
    (raw) => raw.send(frame.call | firstOfMany, attaching(200_001, [200_000])),
  ],
  [
    "a message larger than limits.maxMessageBytes",
    "limit-exceeded",
    (raw) => raw.send(frame.call | firstOfMany, fragment(1, 17 * 1024 * 1024, 50)),
  ],
  [
    "more unfinished messages than memory is set aside for",
    "limit-exceeded",
    (raw) => {
      for (let i = 1; i <= 5; i++) raw.send(0x3a | optional | firstOfMany, fragment(i, 16 * 1024 * 1024, 50));
    },
  ],
  ["a frame longer than frames are", "protocol", (raw) => raw.write(Uint8Array.of(frame.call, 0xff, 0xff, 0xff))],
];

describe("a peer that breaks the protocol loses its session, and nobody else's", () => {
  test.each(violations)("%s", async (_what, code, commit) => {
    await using world = await besideHonest(calculator);
    commit(world.raw);
    expect(await world.raw.goodbye()).toMatchObject({ code });
    await world.raw.closed();
    await until(() => world.service.sessions.size === 1);
    expect(await world.front.add(5, 3)).toBe(8);
  });

  test("a hold given back twice", async () => {
    class Thing extends ByReference {}
    await using world = await besideHonest({ thing: () => new Thing() });
    world.raw.call(1, 0, "thing");
    const { references } = await world.raw.nextResult();
    world.raw.release(references[0] as number, 1);
    world.raw.release(references[0] as number, 1);
    expect(await world.raw.goodbye()).toMatchObject({ code: "protocol" });
  });

  test("its session tells why it ended", async () => {
    await using world = await besideHonest(calculator);
    const session = [...world.service.sessions].find((candidate) => candidate !== world.session);
    world.raw.result(1, 5);
    expect(await session?.closed).toMatchObject({
      code: "protocol",
      by: "us",
      message: expect.stringContaining("call 1"),
    });
  });
});

describe("a reference that is none of the peer's own", () => {
  test("sent home under a number that was never given out fails the call", async () => {
    await using world = await besideHonest({ take: (_thing: unknown) => "taken" });
    world.raw.call(1, 0, "take", [new RawReference("home", 99)]);
    expect(await world.raw.nextError()).toMatchObject({
      parts: ["stale-reference", expect.any(String), "not-executed"],
    });
  });

  test("of another session means nothing in this one", async () => {
    class Secret extends ByReference {
      tell(): string {
        return "secret";
      }
    }
    const secret = new Secret();
    await using world = await besideHonest({ secret: () => secret, take: (thing: unknown) => thing === secret });
    using held = await world.front.secret();
    expect(await held.tell()).toBe("secret");
    for (let id = 1; id <= 20; id++) {
      world.raw.call(2 * id, id, "tell");
      expect((await world.raw.nextError()).parts[0]).toBe("stale-reference");
      world.raw.call(2 * id + 1, 0, "take", [new RawReference("home", id)]);
      expect((await world.raw.nextError()).parts[0]).toBe("stale-reference");
    }
  });

  test("the name of a type that a peer makes up is shown and means nothing", async () => {
    await using world = await besideHonest({ print: (thing: unknown) => String(thing) });
    world.raw.call(1, 0, "print", [new RawReference("object", 5, "Promise")]);
    expect((await world.raw.nextResult()).value).toMatch(/^\[remote Promise .*#5\]$/);
  });
});

describe("shaking hands", () => {
  const clock = () => new ManualClock();

  test.each([
    ["HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["one wrong byte", "\u0093farreg\n"],
  ])("a peer that speaks something else (%s) is closed without a word", async (_what, bytes) => {
    await using pair = await leakCheckedPair(calculator, { clock: clock() });
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    raw.write(bytes);
    await raw.closed();
    expect(raw.frames).toEqual([]);
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ code: "protocol" })]);
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("a peer that says nothing is closed when limits.handshakeTimeoutMs is over", async () => {
    const time = clock();
    await using pair = await leakCheckedPair(calculator, {
      clock: time,
      service: { limits: { handshakeTimeoutMs: 2_000 } },
    });
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    await until(() => time.pendingTimers === 3);
    time.advance(1_999);
    expect(raw.closing).toBeUndefined();
    time.advance(1);
    await raw.closed();
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ code: "timeout", outcome: "not-sent" })]);
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("dribbling bytes does not buy time", async () => {
    const time = clock();
    await using pair = await leakCheckedPair(calculator, { clock: time });
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    await until(() => time.pendingTimers === 3);
    for (const byte of preamble) {
      raw.write(Uint8Array.of(byte));
      time.advance(624);
      await Promise.resolve();
    }
    expect(raw.closing).toBeUndefined();
    time.advance(8);
    await raw.closed();
    pair.takeReported();
  });

  test.each([
    ["no version we speak", { versions: [2, 3] }],
    ["versions that are no list", { versions: 1 }],
    ["no limits", { limits: null }],
    ["a limit of nothing", { limits: helloLimits({ maxNodes: 0 }) }],
    ["a limit that is no integer", { limits: helloLimits({ maxMessageBytes: Number.NaN }) }],
    ["a heartbeat without time", { heartbeatMs: 0 }],
    ["a short nonce", { nonce: new Uint8Array(8) }],
    ["features that are no names", { features: [1] }],
  ])("a hello with %s is refused by name", async (_what, changes) => {
    await using pair = await leakCheckedPair(calculator);
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    raw.write(preamble);
    raw.hello(changes);
    expect(await raw.goodbye()).toMatchObject({ code: "protocol" });
    await raw.closed();
    expect(pair.takeReported().service).toEqual([expect.objectContaining({ code: "protocol" })]);
  });

  test.each([
    ["a call", (raw: RawPeer) => raw.call(1, 0, "add", [5, 3])],
    ["a fragment", (raw: RawPeer) => raw.send(frame.hello | firstOfMany, fragment(1, 100_000, 50))],
    ["a hello of 5,000 bytes", (raw: RawPeer) => raw.hello({ features: ["x".repeat(5_000)] })],
    ["a hello that is no object", (raw: RawPeer) => raw.send(frame.hello, (writer) => writer.u8(5))],
    ["two hellos at once", (raw: RawPeer) => raw.write(Buffer.concat([helloFrame(), helloFrame()]))],
  ])("%s before the session ends it", async (_what, commit) => {
    await using pair = await leakCheckedPair(calculator);
    await using raw = await RawPeer.dial(memoryTransport, pair.service.uri);
    raw.write(preamble);
    commit(raw);
    expect(await raw.goodbye()).toMatchObject({ code: "protocol" });
    await raw.closed();
    pair.takeReported();
    expect(await pair.front.add(5, 3)).toBe(8);
  });
});

/** A service that waits 4 s for the rest of what has begun, and a peer to begin something. */
async function stalling() {
  const time = new ManualClock();
  const pair = await leakCheckedPair(calculator, { clock: time, service: { limits: { stallTimeoutMs: 4_000 } } });
  const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
  const session = [...pair.service.sessions].find((candidate) => candidate !== pair.session);
  return {
    time,
    pair,
    raw,
    session,
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
}

describe("a message that stands half received", () => {
  test.each([
    ["in the middle of a frame's header", (raw: RawPeer) => raw.write(Uint8Array.of(frame.call, 0))],
    ["in the middle of a frame", (raw: RawPeer) => raw.write(Uint8Array.of(frame.call, 0, 0, 9, 1))],
    [
      "between its fragments",
      (raw: RawPeer) =>
        raw.send(frame.call | firstOfMany, (writer) => {
          writer.varint(1);
          writer.varint(100_000);
          writer.varint(0); // attachments
          callPayload(1, 0, "add", ["x".repeat(60_000)])(writer);
        }),
    ],
  ])("%s ends the session after limits.stallTimeoutMs", async (_where, begin) => {
    await using world = await stalling();
    const { time, pair, raw, session } = world;
    const before = time.pendingTimers;
    begin(raw);
    await until(() => time.pendingTimers > before);
    time.advance(3_999);
    expect(session?.state).toBe("open");
    time.advance(1);
    expect(await session?.closed).toMatchObject({ code: "timeout", by: "network" });
    await raw.closed();
    expect(await pair.front.add(5, 3)).toBe(8);
  });

  test("and begins others meanwhile, has not stopped", async () => {
    await using world = await stalling();
    const { time, raw, session } = world;
    for (let id = 1; id <= 5; id++) {
      const { bytesIn } = session?.stats() ?? { bytesIn: 0 };
      raw.beginCall(id, 0, "add", ["x".repeat(100_000)]);
      await until(() => (session?.stats().bytesIn ?? 0) > bytesIn);
      time.advance(3_000);
      await turns(2);
      expect(session?.state).toBe("open");
    }
    time.advance(1_000);
    expect(await session?.closed).toMatchObject({ code: "timeout", by: "network" });
    await raw.closed();
  });

  test("and goes on in time, does not", async () => {
    await using world = await stalling();
    const { time, raw, session } = world;
    const frameBytes = Uint8Array.of(frame.ping | optional, 0, 0, 3, 1, 2, 3);
    for (const byte of frameBytes) {
      const received = session?.stats().bytesIn ?? 0;
      raw.write(Uint8Array.of(byte));
      await until(() => (session?.stats().bytesIn ?? 0) > received);
      time.advance(3_000);
    }
    expect(session?.state).toBe("open");
    await raw.next(frame.pong);
  });
});
