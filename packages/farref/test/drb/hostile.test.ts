/**
 * What DRb's suite leaves untested and DRb is known for: a peer that calls by names which every object has, and values nested
 * so deep that whoever reads or writes them gives up. Each costs its own call, and says so; nobody waits for ever.
 */
import { ByReference, byReference, expose } from "farref";
import { describe, expect, test } from "vitest";
import { frame } from "../../../core/src/wire/frames.ts";
import { RawPeer } from "../../../core/test/session/raw-peer.ts";
import { until } from "../../../core/test/session/waiting.ts";
import { leakCheckedPair, places } from "../places.ts";

/** What attackers of DRb call, what JavaScript gives every object, and what only looks like a name. */
const names = [
  ...["send", "__send__", "instance_eval", "eval", "syscall", "method", "exit!", "__id__", "respond_to?", "inspect"],
  ...[
    "constructor",
    "__proto__",
    "prototype",
    "__defineGetter__",
    "__lookupSetter__",
    "hasOwnProperty",
    "isPrototypeOf",
  ],
  ...["toString", "toLocaleString", "valueOf", "toJSON", "call", "apply", "bind", "caller", "callee", "arguments"],
  ...["then", "catch", "finally", "next", "return", "throw", "length", "name", "at", "get", "set", "push", "exec"],
  ...["Symbol(Symbol.iterator)", "@@iterator", "constructor.constructor", "constructor()", "hello()", "this.hello"],
  ...["", " ", "hello ", " hello", "Hello", "hello\u0000", "\u0000", "_", "_hidden", "#secret", "0", "-1", "NaN"],
];

class Front extends ByReference {
  #secret = 1;
  field = () => "field";

  hello(): string {
    return "hello";
  }

  _hidden(): number {
    return this.#secret;
  }
}

const targets: readonly (readonly [what: string, make: () => object])[] = [
  ["an object of a class", () => new Front()],
  ["a plain object", () => byReference({ hello: () => "hello" })],
  ["an object with an allowlist", () => expose(new Map<string, number>(), ["has"])],
  ["a list", () => byReference([1, 2, 3])],
];

describe.each(places)("a name, over $place,", ({ at }) => {
  test.each(targets)("that %s does not offer is not exposed, however it reads", async (_what, make) => {
    await using pair = await leakCheckedPair(at, { hello: () => "hello", target: make });
    {
      await using raw = await RawPeer.connect(at.transport, pair.service.uri);
      raw.call(1, 0, "target");
      const [target = 0] = (await raw.nextResult()).references;
      for (const [i, name] of names.entries()) {
        raw.call(2 + i, target, name, ["process.exit()"]);
        const { callId, parts } = await raw.nextError();
        expect([callId, name, parts[0], parts[2]]).toEqual([2 + i, name, "not-exposed", "not-executed"]);
      }
    }
    expect(await pair.front.hello()).toBe("hello");
    await until(() => pair.service.sessions.size === 1);
  });
});

/** So many lists, one in another. */
function nested(levels: number): unknown[] {
  let list: unknown[] = [];
  for (let i = 1; i < levels; i++) list = [list];
  return list;
}

/** The bytes of so many containers, one in another, each with the length of what is in it. */
function bomb(containers: number, enclose: (bytes: number) => readonly number[]): Uint8Array {
  const headers: (readonly number[])[] = [];
  let bytes = 1;
  for (let i = 0; i < containers; i++) {
    const header = enclose(bytes);
    headers.unshift(header);
    bytes += header.length;
  }
  return Uint8Array.from([...headers.flat(), 0xc0]);
}

class Deep {
  hello(): string {
    return "hello";
  }

  take(value: unknown): boolean {
    return Array.isArray(value);
  }

  give(levels: number): unknown {
    return nested(levels);
  }

  fail(levels: number): never {
    throw Object.assign(new Error("deep"), { deep: nested(levels), flat: [1] });
  }

  async ask(block: (value: unknown) => unknown, levels: number): Promise<unknown> {
    return block(nested(levels));
  }
}

const levels = 100_000;
const tooDeep = (outcome: string) => ({
  code: "limit-exceeded",
  outcome,
  message: expect.stringContaining("maxDepth"),
});

describe.each(places)("a value nested too deep, over $place,", ({ at }) => {
  test("is refused by who would send it: as an argument, as a result, as a block's argument and its answer", async () => {
    await using pair = await leakCheckedPair(at, new Deep());
    await expect(pair.front.take(nested(levels))).rejects.toMatchObject(tooDeep("not-sent"));
    await expect(pair.front.give(levels)).rejects.toMatchObject(tooDeep("executed"));
    const thrown = { remoteName: "RpcError", code: "limit-exceeded", message: expect.stringContaining("maxDepth") };
    await expect(pair.front.ask(() => 1, levels)).rejects.toMatchObject(thrown);
    await expect(pair.front.ask(() => nested(levels), 1)).rejects.toMatchObject(thrown);
    expect(await pair.front.take(nested(64))).toBe(true);
  });

  test("is left out of an error, which arrives without it", async () => {
    await using pair = await leakCheckedPair(at, new Deep());
    await expect(pair.front.fail(levels)).rejects.toMatchObject({ message: "deep", data: { flat: [1] } });
    expect(await pair.front.hello()).toBe("hello");
  });

  test.each<[what: string, enclose: (bytes: number) => readonly number[]]>([
    ["lists", () => [0x91]],
    ["objects", () => [0x81, 0xa1, 0x61]],
    ["Maps", (bytes) => [0xc8, (bytes + 2) >> 8, (bytes + 2) & 0xff, 0x08, 0x81, 0x01]],
    ["Sets", (bytes) => [0xc8, (bytes + 1) >> 8, (bytes + 1) & 0xff, 0x09, 0x91]],
  ])("of %s, from a peer that sends it all the same, costs its own call", async (_what, enclose) => {
    await using pair = await leakCheckedPair(at, new Deep());
    {
      await using raw = await RawPeer.connect(at.transport, pair.service.uri);
      const take = raw.announce("take");
      raw.send(frame.call, (writer) => {
        for (const header of [1, 0, take, 0]) writer.varint(header);
        writer.u8(0x91);
        writer.raw(bomb(8_000, enclose));
      });
      const { callId, parts } = await raw.nextError();
      expect([callId, parts[0], parts[2]]).toEqual([1, "limit-exceeded", "not-executed"]);
      raw.call(2, 0, "hello");
      expect(await raw.nextResult()).toMatchObject({ callId: 2, value: "hello" });
    }
    expect(await pair.front.hello()).toBe("hello");
    await until(() => pair.service.sessions.size === 1);
  });
});
