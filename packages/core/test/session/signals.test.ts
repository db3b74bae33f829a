import { describe, expect, test } from "vitest";
import { collectGarbage, handleWatch } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  ByReference,
  connectionOf,
  currentCall,
  type Listener,
  openConnection,
  openService,
  type Remote,
  withOptions,
} from "../../src/index.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair, places } from "./pairs.ts";
import { RawPeer, rawSignal } from "./raw-peer.ts";
import { gate, until } from "./waiting.ts";

class Searcher {
  readonly signals: AbortSignal[] = [];
  readonly opened = gate();

  take(signal: AbortSignal): boolean {
    this.signals.push(signal);
    return signal.aborted;
  }

  takeDeep(options: {
    readonly search: { readonly signal: AbortSignal };
    readonly all: Map<AbortSignal, string>;
  }): void {
    this.signals.push(options.search.signal, ...options.all.keys());
  }

  async until(signal: AbortSignal): Promise<unknown> {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return signal.reason;
  }

  async hold(): Promise<void> {
    await this.opened.opened;
  }

  last(): AbortSignal | undefined {
    return this.signals.at(-1);
  }

  isLast(signal: AbortSignal): boolean {
    return signal === this.signals.at(-1);
  }

  make(): { readonly signal: AbortSignal; readonly controller: Controller } {
    const controller = new AbortController();
    return { signal: controller.signal, controller: new Controller(controller) };
  }
}

class Controller extends ByReference {
  readonly #controller: AbortController;

  constructor(controller: AbortController) {
    super();
    this.#controller = controller;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }
}

describe.each(places)("a signal as an argument, over $place", ({ at }) => {
  test("aborts over there when it does here, with its reason", async () => {
    await using pair = await leakCheckedPair(new Searcher(), {}, at);
    const controller = new AbortController();
    const reason = pair.front.until(controller.signal);
    await pair.front.last();
    controller.abort({ because: ["enough", 1n] });
    expect(await reason).toEqual({ because: ["enough", 1n] });
  });

  test("is aborted when it arrives, if it was", async () => {
    const searcher = new Searcher();
    await using pair = await leakCheckedPair(searcher, {}, at);
    expect(await pair.front.take(AbortSignal.abort("before"))).toBe(true);
    expect(searcher.signals[0]?.reason).toBe("before");
    const controller = new AbortController();
    const taken = pair.front.take(controller.signal);
    controller.abort("in the same turn");
    await taken;
    await until(() => searcher.signals[1]?.aborted === true);
    expect(searcher.signals[1]?.reason).toBe("in the same turn");
  });

  test("may stand at any depth, and is one signal however often it is sent", async () => {
    const searcher = new Searcher();
    await using pair = await leakCheckedPair(searcher, {}, at);
    const { signal } = new AbortController();
    await pair.front.takeDeep({ search: { signal }, all: new Map([[signal, "x"]]) });
    await pair.front.take(signal);
    expect(new Set(searcher.signals).size).toBe(1);
  });

  test("comes home as itself, and goes home as itself", async () => {
    const searcher = new Searcher();
    await using pair = await leakCheckedPair(searcher, {}, at);
    const { signal } = new AbortController();
    await pair.front.take(signal);
    expect(await pair.front.last()).toBe(signal);
    searcher.signals.push(new AbortController().signal);
    const far = (await pair.front.last()) as AbortSignal;
    expect(far).toBe(await pair.front.last());
    expect(await pair.front.isLast(far)).toBe(true);
  });

  test("can be a result: whoever has it hears of the abortion", async () => {
    await using pair = await leakCheckedPair(new Searcher(), {}, at);
    const { signal, controller } = await pair.front.make();
    using far = controller;
    await far.abort(new RangeError("too far"));
    await until(() => signal.aborted);
    expect(signal.reason).toBeInstanceOf(RangeError);
    expect(signal.reason).toMatchObject({ message: "too far" });
  });
});

describe("a signal that was sent", () => {
  test("aborts though the call that brings it, and others, are held back", async () => {
    const searcher = new Searcher();
    const limits = { maxRunningCalls: 1, maxQueuedCalls: 1 };
    await using pair = await leakCheckedPair(searcher, { service: { limits } });
    const running = new AbortController();
    const held = new AbortController();
    const calls = [pair.front.until(running.signal), pair.front.hold(), pair.front.until(held.signal)];
    await until(() => pair.session.stats().runningCalls === 1);
    held.abort("held");
    running.abort("running");
    searcher.opened.open();
    expect(await Promise.all(calls)).toEqual(["running", undefined, "held"]);
  });

  test("aborts behind a large message that brings it", async () => {
    class Large {
      async take(_bytes: Uint8Array, signal: AbortSignal): Promise<unknown> {
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return signal.reason;
      }
    }
    await using pair = await leakCheckedPair(new Large());
    const controller = new AbortController();
    const reason = pair.front.take(new Uint8Array(1_000_000), controller.signal);
    await Promise.resolve();
    controller.abort("late");
    expect(await reason).toBe("late");
  });

  test("aborts although its reason can't travel, and says so", async () => {
    await using pair = await leakCheckedPair(new Searcher());
    const controller = new AbortController();
    const reason = pair.front.until(controller.signal);
    controller.abort(new (class Secret {})());
    const message = expect.stringContaining("an instance of Secret is not copied");
    expect(await reason).toMatchObject({ name: "AbortError", message });
  });

  test("refuses an argument whose reason can't travel", async () => {
    await using pair = await leakCheckedPair(new Searcher());
    await expect(pair.front.take(AbortSignal.abort(Symbol("no")))).rejects.toMatchObject({
      code: "unsupported-value",
      outcome: "not-sent",
    });
  });

  test("has the platform's reason where none was given", async () => {
    await using pair = await leakCheckedPair(new Searcher());
    expect(await pair.front.until(AbortSignal.abort())).toMatchObject({ name: "AbortError" });
  });

  test("aborts over there when the session ends: nobody is left who could", async () => {
    const searcher = new Searcher();
    await using pair = await leakCheckedPair(searcher);
    await pair.front.take(new AbortController().signal);
    await pair.connection.close();
    await until(() => searcher.signals[0]?.aborted === true);
    expect(searcher.signals[0]?.reason).toMatchObject({ code: "closed" });
  });

  test("carries on: a call made with it is cancelled, and a third process hears of it", async () => {
    const third = new Searcher();
    await using behind = await leakCheckedPair(third);
    class Middle {
      async search(signal: AbortSignal): Promise<unknown> {
        const nested = withOptions(behind.front as Remote<Searcher>, { signal }).hold();
        await behind.front.take(signal);
        return nested.catch((error: Error) => error.cause);
      }
    }
    await using pair = await leakCheckedPair(new Middle());
    const controller = new AbortController();
    const found = pair.front.search(controller.signal);
    await until(() => third.signals.length === 1);
    controller.abort("enough");
    expect(await found).toBe("enough");
    await until(() => third.signals[0]?.aborted === true);
    expect(third.signals[0]?.reason).toBe("enough");
    third.opened.open();
  });

  test("may be the current call's own, given to the peer that calls", async () => {
    class Echo {
      mine(): AbortSignal {
        return currentCall().signal;
      }
    }
    await using pair = await leakCheckedPair(new Echo());
    expect((await pair.front.mine()).aborted).toBe(false);
  });
});

describe("what a peer says of signals", () => {
  test("that nobody has, or that were aborted before, means nothing", () =>
    served(async (peer, searcher) => {
      peer.abort(1, "too early");
      peer.call(1, 0, "take", [rawSignal("signal", 1)]);
      expect(await peer.nextResult()).toMatchObject({ value: false });
      peer.abort(1, "first");
      peer.abort(1, "second");
      peer.send(frame.signalGone, (writer) => writer.varint(1));
      peer.call(2, 0, "last");
      await peer.nextResult();
      expect(searcher.signals.map(({ reason }) => reason)).toEqual(["first"]);
    }));

  test("with a reason that can't be read aborts all the same", () =>
    served(async (peer, searcher) => {
      peer.call(1, 0, "take", [rawSignal("signal", 7)]);
      await peer.nextResult();
      peer.send(frame.abort, (writer) => {
        writer.varint(7);
        writer.u8(0xc1);
      });
      peer.call(2, 0, "last");
      await peer.nextResult();
      expect(searcher.signals[0]?.reason).toMatchObject({ code: "protocol" });
    }));

  test("of ours that we never sent gives one that never aborts", () =>
    served(async (peer, searcher) => {
      peer.call(1, 0, "take", [rawSignal("ownSignal", 99)]);
      expect(await peer.nextResult()).toMatchObject({ value: false });
      expect(searcher.signals[0]?.aborted).toBe(false);
    }));

  test("in more numbers than it may have at a time fails the call that goes too far", () =>
    served(async (peer, searcher) => {
      const many = (from: number) => Array.from({ length: 4_096 }, (_, i) => rawSignal("signal", from + i));
      for (let id = 1; id <= 4; id++) {
        peer.call(id, 0, "take", [many(10_000 * id)]);
        await peer.nextResult();
      }
      peer.call(5, 0, "take", [rawSignal("signal", 1)]);
      expect(await peer.nextError()).toMatchObject({ parts: ["limit-exceeded", expect.any(String), "not-executed"] });
      peer.send(frame.signalGone, (writer) => writer.varint(10_000));
      peer.call(6, 0, "take", [rawSignal("signal", 1)]);
      await peer.nextResult();
      expect(searcher.signals).toHaveLength(5);
    }));

  test("nested in reasons of reasons is held to the depth of messages", () =>
    served(async (peer) => {
      let signal = AbortSignal.abort("inmost");
      for (let depth = 0; depth < 40; depth++) signal = AbortSignal.abort(signal);
      peer.call(1, 0, "take", [signal]);
      expect(await peer.nextResult()).toMatchObject({ value: true });
      for (let depth = 0; depth < 40; depth++) signal = AbortSignal.abort(signal);
      expect(() => peer.call(2, 0, "take", [signal])).toThrow("maxDepth");
    }));
});

test("a signal that was sent and is gone is told to the peer, which keeps it no longer", async () => {
  const listener = memoryTransport.listen?.("memory:raw-signals", {}) as Listener;
  const peers: RawPeer[] = [];
  await listener.start({ accept: () => true, channel: (channel) => peers.push(new RawPeer(channel)), error() {} });
  const channel = await memoryTransport.dial("memory:raw-signals", {});
  await until(() => peers.length === 1);
  const peer = peers[0] as RawPeer;
  const [remote] = await Promise.all([openConnection(channel, { address: "memory:raw-signals" }), peer.serve()]);
  const front = remote as Remote<Searcher>;
  const taken = front.take(new AbortController().signal);
  const { id } = await peer.nextCall();
  peer.result(id, true);
  await taken;
  await until(() => {
    collectGarbage();
    return peer.frames.some(({ code }) => code === frame.signalGone);
  });
  await connectionOf(front).close();
  await listener.close();
  await peer[Symbol.asyncDispose]();
});

async function served(attack: (peer: RawPeer, searcher: Searcher) => Promise<void>): Promise<void> {
  const watch = handleWatch();
  const searcher = new Searcher();
  const listener = memoryTransport.listen?.("memory:hostile-signals", {}) as Listener;
  const service = await openService([listener], searcher, {});
  const peer = await RawPeer.connect(memoryTransport, "memory:hostile-signals");
  try {
    await attack(peer, searcher);
  } finally {
    await peer[Symbol.asyncDispose]();
    await service.close();
  }
  await watch.assertClosed();
}
