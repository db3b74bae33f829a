/** What a peer may send about results of calls that no honest one would. */
import { describe, expect, test } from "vitest";
import { handleWatch } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { ByReference, currentCall, openService, type Service, type Session } from "../../src/index.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { callFlag, frame } from "../../src/wire/frames.ts";
import { callPayload, RawPeer, RawReference } from "./raw-peer.ts";
import { gate, until } from "./waiting.ts";

const { keepResult, onResult, resultArguments } = callFlag;

class Counter extends ByReference {
  value = 0;

  add(amount: number): number {
    this.value += amount;
    return this.value;
  }
}

class Hall {
  readonly counter = new Counter();
  readonly opened = gate();
  aborted = 0;

  counted(): Counter {
    return this.counter;
  }

  async later(): Promise<Counter> {
    currentCall().signal.addEventListener("abort", () => this.aborted++);
    await this.opened.opened;
    return this.counter;
  }

  bytes(size: number): Uint8Array {
    return new Uint8Array(size);
  }

  size(bytes: Uint8Array): number {
    return bytes.length;
  }
}

async function served(
  limits: Record<string, number>,
  attack: (peer: RawPeer, hall: Hall, session: Session) => Promise<void>,
): Promise<void> {
  const watch = handleWatch();
  const hall = new Hall();
  const uri = `memory:hostile-pipeline-${++halls}`;
  const listener = memoryTransport.listen?.(uri, {});
  const service: Service<Hall> = await openService([listener as never], hall, { limits });
  const peer = await RawPeer.connect(memoryTransport, uri);
  try {
    await until(() => service.sessions.size === 1);
    const [session] = service.sessions;
    await attack(peer, hall, session as Session);
  } finally {
    await peer[Symbol.asyncDispose]();
    await service.close();
  }
  await watch.assertClosed();
}
let halls = 0;

/** What a refusal says: its code, any sentence, its outcome. */
function refused(code: string) {
  return { parts: [code, expect.any(String), "not-executed"] };
}

const brokenStep = { ...refused("cancelled"), isStepBroken: true, areArgumentsUntouched: true };

describe("calls on a result that is still to come", () => {
  test("have room for so many bytes, also when their rest comes while they wait", () =>
    served({ maxMessageBytes: 500_000 }, async (peer, hall) => {
      peer.callFlagged(keepResult, 1, 0, "later");
      for (let id = 2; id <= 8; id++) {
        const writer = new ByteWriter(new Uint8Array(256));
        callPayload(id, 1, "add", [1, new Uint8Array(450_000)], 0, onResult)(writer);
        peer.sendLarge(frame.call, writer.written(), id);
      }
      for (let id = 6; id <= 8; id++) {
        expect(await peer.nextError()).toMatchObject({ callId: id, ...refused("overloaded") });
      }
      hall.opened.open();
      for (let id = 1; id <= 5; id++) await peer.nextResult();
    }));
});

describe("a call on a result", () => {
  test("that nobody was asked to keep, that is not there, or that is its own, is a broken step", () =>
    served({}, async (peer) => {
      peer.call(1, 0, "counted");
      await peer.nextResult();
      peer.dependentCall(onResult, 2, 1, "add", [1]);
      peer.dependentCall(onResult, 3, 77, "add", [1]);
      peer.dependentCall(onResult | keepResult, 4, 4, "add", [1]);
      peer.dependentCall(onResult, 5, 4, "add", [1]);
      for (let i = 0; i < 3; i++) expect(await peer.nextError()).toMatchObject(brokenStep);
    }));

  test("that is forgotten before the call comes is a broken step", () =>
    served({}, async (peer) => {
      peer.dependentCall(keepResult, 1, 0, "counted");
      await peer.nextResult();
      peer.cancel(1);
      peer.dependentCall(onResult, 2, 1, "add", [1]);
      expect(await peer.nextError()).toMatchObject(brokenStep);
    }));

  test("that is cancelled while the other runs never runs, though the other returns", () =>
    served({}, async (peer, hall) => {
      peer.dependentCall(keepResult, 1, 0, "later");
      peer.dependentCall(onResult, 2, 1, "add", [1]);
      peer.cancel(1);
      expect(await peer.nextError()).toMatchObject(brokenStep);
      expect(hall.aborted).toBe(1);
      hall.opened.open();
      await peer.nextResult();
      expect(hall.counter.value).toBe(0);
    }));

  test("is taken out when it is cancelled itself", () =>
    served({}, async (peer, hall) => {
      peer.dependentCall(keepResult, 1, 0, "later");
      peer.dependentCall(onResult, 2, 1, "add", [1]);
      peer.dependentCall(onResult, 3, 1, "add", [10]);
      peer.cancel(2);
      expect(await peer.nextError()).toMatchObject({ callId: 2, ...refused("cancelled"), isStepBroken: false });
      hall.opened.open();
      await peer.nextResult();
      expect(await peer.nextResult()).toMatchObject({ callId: 3, value: 10 });
    }));

  test("finds no method that the object does not offer", () =>
    served({}, async (peer) => {
      peer.dependentCall(keepResult, 1, 0, "counted");
      for (const [index, name] of ["constructor", "value", "__proto__", "toString", ""].entries()) {
        peer.dependentCall(onResult, index + 2, 1, name);
        expect(await peer.nextError()).toMatchObject({ ...refused("not-exposed") });
      }
    }));
});

describe("results as arguments", () => {
  test("that the flag does not announce, and results of calls that were not kept, fail the call alone", () =>
    served({}, async (peer) => {
      peer.dependentCall(keepResult, 1, 0, "bytes", [10]);
      await peer.nextResult();
      peer.dependentCall(0, 2, 0, "size", [new RawReference("result", 1)]);
      expect(await peer.nextError()).toMatchObject({ callId: 2, ...refused("protocol") });
      peer.dependentCall(resultArguments, 3, 0, "size", [new RawReference("result", 3)]);
      expect(await peer.nextError()).toMatchObject({ callId: 3, ...brokenStep });
      peer.dependentCall(resultArguments, 4, 0, "size", [new RawReference("result", 1)]);
      expect(await peer.nextResult()).toMatchObject({ callId: 4, value: 10 });
    }));

  test("may be announced and not be there", () =>
    served({}, async (peer) => {
      peer.dependentCall(resultArguments, 1, 0, "size", [new Uint8Array(3)]);
      expect(await peer.nextResult()).toMatchObject({ value: 3 });
    }));
});

describe("a peer that has results kept and never forgets them", () => {
  test("gets no more than twice the calls it may make at once", () =>
    served({ maxRunningCalls: 2, maxQueuedCalls: 3 }, async (peer) => {
      for (let id = 1; id <= 10; id++) {
        peer.dependentCall(keepResult, id, 0, "counted");
        await peer.nextResult();
      }
      peer.dependentCall(keepResult, 11, 0, "counted");
      expect(await peer.nextError()).toMatchObject({ ...refused("limit-exceeded") });
      peer.cancel(1);
      peer.dependentCall(keepResult, 12, 0, "counted");
      expect(await peer.nextResult()).toMatchObject({ callId: 12 });
    }));

  test("has as many bytes kept as may wait to be sent", () =>
    served({ maxSendBufferBytes: 2_000 }, async (peer) => {
      peer.dependentCall(keepResult, 1, 0, "bytes", [1_500]);
      peer.dependentCall(keepResult, 2, 0, "bytes", [1_500]);
      await peer.nextResult();
      await peer.nextResult();
      peer.dependentCall(resultArguments, 3, 0, "size", [new RawReference("result", 1)]);
      expect(await peer.nextResult()).toMatchObject({ value: 1_500 });
      peer.dependentCall(resultArguments, 4, 0, "size", [new RawReference("result", 2)]);
      expect(await peer.nextError()).toMatchObject({ ...refused("limit-exceeded") });
      peer.cancel(1);
      peer.dependentCall(keepResult, 5, 0, "bytes", [1_500]);
      await peer.nextResult();
      peer.dependentCall(resultArguments, 6, 0, "size", [new RawReference("result", 5)]);
      expect(await peer.nextResult()).toMatchObject({ value: 1_500 });
    }));

  test("has twice as many calls wait as it may make at once", () =>
    served({ maxRunningCalls: 1, maxQueuedCalls: 1 }, async (peer, hall) => {
      peer.dependentCall(keepResult, 1, 0, "later");
      for (let id = 2; id <= 6; id++) peer.dependentCall(onResult, id, 1, "add", [1]);
      expect(await peer.nextError()).toMatchObject({ callId: 6, ...refused("overloaded") });
      hall.opened.open();
      for (let i = 0; i < 5; i++) await peer.nextResult();
      expect(hall.counter.value).toBe(4);
    }));

  test("loses them all with its session", () =>
    served({}, async (peer, hall, session) => {
      peer.dependentCall(keepResult, 1, 0, "later");
      peer.dependentCall(onResult, 2, 1, "add", [1]);
      await until(() => session.stats().runningCalls === 1);
      session.close();
      hall.opened.open();
      await peer.closed();
      expect(hall.counter.value).toBe(0);
    }));
});
