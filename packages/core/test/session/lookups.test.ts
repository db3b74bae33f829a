/** Looking a published name up: asked of the policies, counted, audited and kept in order as a call is. */
import { describe, expect, test } from "vitest";
import type { PairOptions } from "../../../conformance/src/index.ts";
import { rateLimit } from "../../../security/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { type AuditEntry, type Authorize, type AuthorizeCall, RpcError, release } from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { writeName } from "../../src/wire/names.ts";
import { leakCheckedPair } from "./pairs.ts";
import { RawPeer } from "./raw-peer.ts";
import { failureOf, gate, until } from "./waiting.ts";

const clock = { now: () => 12 };
const vault = { open: () => "opened" };

/** A service with two names, a policy that writes down what it is asked, and an audit. */
async function served(authorize: Authorize | readonly Authorize[], options: PairOptions["service"] = {}) {
  const asked: AuthorizeCall[] = [];
  const entries: AuditEntry[] = [];
  const noting: Authorize = (call) => asked.push(call) > 0;
  const policies = typeof authorize === "function" ? [authorize] : authorize;
  const pair = await leakCheckedPair(
    { ping: () => "pong", "#clock": () => "never offered" },
    {
      published: { clock, vault },
      service: { ...options, authorize: [noting, ...policies], audit: (entry) => entries.push(entry) },
    },
  );
  const lookup = <T>(name: string) => pair.connection.lookup<T>(name);
  return { pair, lookup, asked, entries, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() };
}

const notPermitted = (name: string) => ({
  code: "denied",
  outcome: "not-executed",
  message: expect.stringMatching(new RegExp(`: #${name} is not permitted$`)),
});

describe("policies", () => {
  test("are asked with # and the name as method, the object as target and no arguments", async () => {
    await using it = await served(() => true);
    using found = await it.lookup<typeof clock>("clock");
    expect(await found.now()).toBe(12);
    const { session } = it.pair;
    const common = { args: [], principal: undefined, scope: undefined, session };
    expect(it.asked).toEqual([
      { method: "#clock", target: clock, ...common },
      { method: "now", target: clock, ...common },
    ]);
  });

  test("refuse a lookup as denied, by its name, by its object or whatever it is", async () => {
    for (const policy of [
      ({ method }: AuthorizeCall) => method !== "#vault",
      ({ target }: AuthorizeCall) => target !== vault,
      async ({ method }: AuthorizeCall) => !method.startsWith("#v"),
    ]) {
      await using it = await served(policy);
      await expect(it.lookup("vault")).rejects.toMatchObject(notPermitted("vault"));
      using found = await it.lookup<typeof clock>("clock");
      expect(await found.now()).toBe(12);
    }
  });

  test("that are lists of methods let no name be looked up that is not on them, nor a method named like one", async () => {
    const allowed = new Set(["ping", "clock", "lookup", "", "#clock", "now"]);
    await using it = await served(({ method }) => allowed.has(method));
    await expect(it.lookup("vault")).rejects.toMatchObject(notPermitted("vault"));
    using found = await it.lookup<typeof clock>("clock");
    expect(await found.now()).toBe(12);
    const { front } = it.pair as unknown as { front: Record<string, () => Promise<unknown>> };
    await expect(front["#clock"]?.()).rejects.toMatchObject({ code: "not-exposed" });
  });

  test("may throw words of their own, and what they throw by mistake stays here", async () => {
    await using it = await served(({ method }) => {
      if (method === "#clock") throw new RpcError("overloaded", "not now", "not-executed");
      throw new Error("hunter2");
    });
    await expect(it.lookup("clock")).rejects.toMatchObject({ code: "overloaded", outcome: "not-executed" });
    const mistake = await failureOf(it.lookup("vault"));
    expect(mistake).toMatchObject({ code: "internal", outcome: "not-executed" });
    expect(mistake.message).not.toContain("hunter2");
    expect(it.pair.takeReported().service.map(({ message }) => message)).toEqual(["hunter2"]);
  });

  test("that deny all tell nobody which names there are", async () => {
    for (const policy of [() => false, async () => false]) {
      await using it = await served(policy);
      const [there, notThere] = [await failureOf(it.lookup("vault")), await failureOf(it.lookup("vaunt"))];
      const { message, ...rest } = there as RpcError;
      expect({ ...notThere, message: notThere.message }).toEqual({
        ...rest,
        detail: expect.any(String),
        message: message.replaceAll("vault", "vaunt"),
      });
      expect(there).toMatchObject(notPermitted("vault"));
      expect(it.asked.map(({ method }) => method)).toEqual(["#vault", "#vaunt"]);
      expect(Object.keys(it.asked[1]?.target ?? {})).toEqual([]);
    }
  });

  test("hear of a name that there is none of, and what they permit is not found", async () => {
    await using it = await served(() => true);
    await expect(it.lookup("vaunt")).rejects.toMatchObject({ code: "not-found", outcome: "not-executed" });
    expect(it.asked.map(({ method }) => method)).toEqual(["#vaunt"]);
  });
});

test("rateLimit counts lookups, found or not, and calls together", async () => {
  await using it = await served(rateLimit({ perSecond: 0.001, burst: 3 }));
  using found = await it.lookup<typeof clock>("clock");
  await expect(it.lookup("vaunt")).rejects.toMatchObject({ code: "not-found" });
  expect(await found.now()).toBe(12);
  for (const failed of [it.lookup("clock"), it.lookup("vaunt"), found.now()]) {
    await expect(failed).rejects.toMatchObject({ code: "overloaded", outcome: "not-executed" });
  }
});

test("the audit has lookups, as # and the name: found, not found, refused", async () => {
  await using it = await served(({ method }) => method !== "#vault");
  using _found = await it.lookup("clock");
  await failureOf(it.lookup("vault"));
  await failureOf(it.lookup("no\u001b[31msuch"));
  expect(it.entries).toMatchObject([
    { method: "#clock", permitted: true, threw: false, code: undefined, sessionId: it.pair.session.id },
    { method: "#vault", permitted: false, threw: false, code: "denied" },
    { method: "#no\\u{1b}[31msuch", permitted: false, threw: false, code: "not-found" },
  ]);
});

describe("order", () => {
  test("a lookup that somebody decides on keeps those behind it waiting, and no calls", async () => {
    const door = gate<boolean>();
    await using it = await served(({ method }) => (method === "#clock" ? door.opened : true));
    const done: string[] = [];
    const first = it.lookup("clock").then(() => done.push("clock"));
    const second = it.lookup("vault").then(() => done.push("vault"));
    expect(await it.pair.front.ping()).toBe("pong");
    expect([done, it.asked.map(({ method }) => method)]).toEqual([[], ["#clock", "ping"]]);
    door.open(true);
    await Promise.all([first, second]);
    expect([done, it.asked.map(({ method }) => method)]).toEqual([
      ["clock", "vault"],
      ["#clock", "ping", "#vault"],
    ]);
  });

  test("a call that somebody decides on keeps no lookup waiting", async () => {
    const door = gate<boolean>();
    await using it = await served(({ method }) => (method === "ping" ? door.opened : true));
    const waiting = it.pair.front.ping();
    using found = await it.lookup<typeof clock>("clock");
    expect(await found.now()).toBe(12);
    door.open(true);
    expect(await waiting).toBe("pong");
  });

  test("where nobody takes their time, lookups and calls are asked about as they were sent", async () => {
    await using it = await served(() => true);
    const { ping } = it.pair.front;
    const [found, , other] = await Promise.all([it.lookup("clock"), ping(), it.lookup("vault"), ping()]);
    release(found);
    release(other);
    expect(it.asked.map(({ method }) => method)).toEqual(["#clock", "ping", "#vault", "ping"]);
  });

  test("a name that is taken back, or given to another object, while somebody decides is not found", async () => {
    for (const change of ["unpublish", "publish"] as const) {
      const door = gate<boolean>();
      await using it = await served(() => door.opened);
      const looking = it.lookup("clock");
      await until(() => it.asked.length === 1);
      it.pair.service[change]("clock", vault);
      door.open(true);
      await expect(looking).rejects.toMatchObject({ code: "not-found", outcome: "not-executed" });
      expect(it.asked.map(({ target }) => target)).toEqual([clock]);
    }
  });

  test("a name that a call before publishes is there for the lookup behind it", async () => {
    const late = { say: () => "late" };
    let publish = () => {};
    await using pair = await leakCheckedPair({ announce: () => publish() });
    publish = () => pair.service.publish("late", late);
    const announced = pair.front.announce();
    using found = await pair.connection.lookup<typeof late>("late");
    expect(await found.say()).toBe("late");
    await announced;
  });
});

describe("limits", () => {
  const lookup = (id: number, name: string) => (raw: RawPeer) =>
    raw.send(frame.lookup, (writer) => {
      writer.varint(id);
      writeName(writer, new TextEncoder().encode(name));
    });

  test("lookups that somebody decides on take the places of calls, and no more of them wait than calls", async () => {
    const door = gate<boolean>();
    await using it = await served(() => door.opened, { limits: { maxRunningCalls: 2, maxQueuedCalls: 3 } });
    await using raw = await RawPeer.connect(memoryTransport, it.pair.service.uri);
    for (let id = 1; id <= 7; id++) lookup(id, "clock")(raw);
    for (const callId of [6, 7]) {
      expect(await raw.nextError()).toMatchObject({
        callId,
        parts: ["overloaded", expect.any(String), "not-executed"],
      });
    }
    door.open(true);
    for (const callId of [1, 2, 3, 4, 5]) expect(await raw.nextResult()).toMatchObject({ callId });
  });

  test("lookups are numbered with the calls, each higher than the one before", async () => {
    await using it = await served(() => true);
    await using raw = await RawPeer.connect(memoryTransport, it.pair.service.uri);
    raw.call(7, 0, "ping");
    lookup(7, "clock")(raw);
    expect(await raw.goodbye()).toMatchObject({ code: "protocol" });
  });

  test("a lookup that is cancelled while somebody decides is not answered with the object", async () => {
    const door = gate<boolean>();
    await using it = await served(() => door.opened);
    await using raw = await RawPeer.connect(memoryTransport, it.pair.service.uri);
    lookup(1, "clock")(raw);
    raw.cancel(1);
    raw.send(frame.ping);
    await raw.next(frame.pong);
    door.open(true);
    expect(await raw.nextError()).toMatchObject({
      callId: 1,
      parts: ["cancelled", expect.any(String), "not-executed"],
    });
  });

  test("a session that ends meanwhile has the lookup in its audit, once", async () => {
    const door = gate<boolean>();
    await using it = await served(() => door.opened);
    const looking = failureOf(it.lookup("clock"));
    await until(() => it.asked.length === 1);
    it.pair.session.close();
    await looking;
    door.open(true);
    await it.pair.service.close();
    expect(it.entries).toMatchObject([{ method: "#clock", permitted: false, threw: false, code: "closed" }]);
  });

  test("statistics count calls only", async () => {
    await using it = await served(() => true);
    using _found = await it.lookup("clock");
    await it.pair.front.ping();
    expect([it.pair.session.stats().callsIn, it.pair.connection.stats().callsOut]).toEqual([1, 1]);
  });

  test("a service that drains takes no lookup any more", async () => {
    const door = gate();
    await using pair = await leakCheckedPair({ wait: () => door.opened }, { published: { clock } });
    const waiting = pair.front.wait();
    await until(() => pair.session.stats().runningCalls === 1);
    const draining = pair.service.drain();
    await expect(pair.connection.lookup("clock")).rejects.toMatchObject({ code: "closed", outcome: "not-executed" });
    door.open();
    await Promise.all([waiting, draining]);
  });
});
