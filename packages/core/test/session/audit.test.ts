/** Every call that came is in the audit once, whatever becomes of it and of its session. */
import { describe, expect, test } from "vitest";
import { ManualClock, type PairOptions } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { type AuditEntry, ByReference, currentCall, pipeline, type Remote, RpcError } from "../../src/index.ts";
import { leakCheckedPair } from "./pairs.ts";
import { RawPeer } from "./raw-peer.ts";
import { failureOf, gate, until } from "./waiting.ts";

type Service = NonNullable<PairOptions["service"]>;

async function audited<F extends object>(front: F, service: Service = {}, options: PairOptions = {}) {
  const entries: AuditEntry[] = [];
  const audit = (entry: AuditEntry) => entries.push(entry);
  const pair = await leakCheckedPair(front, { ...options, service: { ...service, audit } });
  return { pair, entries, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() };
}

const ran = { permitted: true, threw: false, code: "closed" };
const refused = { permitted: false, threw: false };

describe("a session that ends before the answer", () => {
  test("has each of its calls in the audit at once, and says of each whether it may have run", async () => {
    const door = gate<boolean>();
    await using it = await audited(
      { run: () => new Promise<void>(() => {}), ask: () => {}, take: (_bytes: Uint8Array) => {} },
      { authorize: [({ method }) => (method === "ask" ? door.opened : true)], limits: { maxRunningCalls: 2 } },
    );
    await using raw = await RawPeer.connect(memoryTransport, it.pair.service.uri);
    raw.call(1, 0, "run");
    raw.call(2, 0, "ask");
    raw.call(3, 0, "run");
    raw.beginCall(4, 0, "take", [new Uint8Array(100_000)]);
    const session = [...it.pair.service.sessions].find((candidate) => candidate !== it.pair.session);
    await until(() => session?.stats().callsIn === 4);
    expect(it.entries).toEqual([]);
    session?.close();
    const byOrder = [...it.entries].sort((a, b) => a.method.localeCompare(b.method));
    expect(byOrder).toMatchObject([
      { method: "ask", ...refused, code: "closed" },
      { method: "run", permitted: expect.any(Boolean), code: "closed" },
      { method: "run", permitted: expect.any(Boolean), code: "closed" },
      { method: "take", ...refused, code: "closed" },
    ]);
    expect(it.entries.filter(({ permitted }) => permitted)).toHaveLength(1);
    for (const { sessionId } of it.entries) expect(sessionId).toBe(session?.id);
    door.open(true);
    await raw.closed();
    expect(it.entries).toHaveLength(4);
  });

  test("by the method's own doing has what the method did", async () => {
    class Front {
      leave() {
        currentCall().session.close();
        return "left";
      }
      slam() {
        currentCall().session.close();
        throw new Error("slammed");
      }
      async stroll() {
        const { session } = currentCall();
        await Promise.resolve();
        session.close();
        throw new Error("never heard");
      }
    }
    for (const [method, end] of [
      ["leave", ran],
      ["slam", { ...ran, threw: true }],
      ["stroll", ran],
    ] as const) {
      await using it = await audited(new Front());
      await failureOf(it.pair.front[method]());
      await it.pair.service.close();
      expect(it.entries).toMatchObject([{ method, ...end }]);
    }
  });

  test("by a policy's doing has what the policy said", async () => {
    await using it = await audited(
      { ask: () => {} },
      {
        authorize: [
          ({ session }) => {
            (session as { close(): void }).close();
            return false;
          },
        ],
      },
    );
    await failureOf(it.pair.front.ask());
    expect(it.entries).toMatchObject([{ method: "ask", ...refused, code: "denied" }]);
  });

  test("has calls that wait for results of others", async () => {
    class Account extends ByReference {
      balance() {
        return 1;
      }
    }
    await using it = await audited({ open: () => new Promise<Account>(() => {}) });
    const failing = failureOf(pipeline(it.pair.front).open().balance());
    await until(() => it.pair.session.stats().callsIn === 2);
    it.pair.session.close();
    await failing;
    expect(it.entries).toHaveLength(2);
    expect(it.entries).toContainEqual(expect.objectContaining({ method: "open", ...ran }));
    expect(it.entries).toContainEqual(expect.objectContaining({ method: "balance", ...refused, code: "closed" }));
  });

  test("tells how long it had been", async () => {
    const clock = new ManualClock();
    await using it = await audited({ run: () => new Promise<void>(() => {}) }, {}, { clock });
    const failing = failureOf(it.pair.front.run());
    await until(() => it.pair.session.stats().runningCalls === 1);
    clock.advance(1_234);
    it.pair.session.close();
    await failing;
    expect(it.entries).toMatchObject([{ method: "run", ...ran, durationMs: 1_234 }]);
  });
});

describe("a call that is answered", () => {
  test("is in the audit once, also when its method goes on after its time", async () => {
    const clock = new ManualClock();
    const door = gate();
    await using it = await audited({ run: () => door.opened }, { callTimeoutMs: 1_000 }, { clock });
    const failing = failureOf(it.pair.front.run());
    await until(() => it.pair.session.stats().runningCalls === 1);
    clock.advance(1_000);
    expect(await failing).toMatchObject({ code: "timeout", outcome: "unknown" });
    door.open();
    await until(() => it.pair.session.stats().runningCalls === 0);
    await it.pair.service.close();
    expect(it.entries).toMatchObject([{ method: "run", permitted: true, threw: false, code: "timeout" }]);
  });

  test("is permitted if it was passed on and may have run, however that ended", async () => {
    const hang = { run: () => new Promise<void>(() => {}) };
    await using far = await leakCheckedPair(hang);
    let remote: Remote<typeof hang> | undefined = far.front;
    await using it = await audited({ far: () => remote });
    using relayed = (await it.pair.front.far()) as Remote<typeof hang>;
    const failing = failureOf(relayed.run());
    await until(() => far.session.stats().runningCalls === 1);
    far.session.close();
    expect(await failing).toMatchObject({ code: "closed", outcome: "unknown" });
    expect(await failureOf(relayed.run())).toMatchObject({ outcome: expect.stringMatching(/not-/) });
    remote = undefined;
    expect(it.entries.slice(1)).toMatchObject([
      { method: "run", permitted: true, threw: false, code: "closed" },
      { method: "run", permitted: false, threw: false },
    ]);
  });

  test("is not permitted because a policy's own error says that it ran", async () => {
    await using it = await audited(
      { ask: () => {} },
      {
        authorize: [
          () => {
            throw new RpcError("denied", "a mistaken word", "executed");
          },
        ],
      },
    );
    await failureOf(it.pair.front.ask());
    expect(it.entries).toMatchObject([{ method: "ask", ...refused, code: "denied" }]);
  });
});
