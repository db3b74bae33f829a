/** A service in a process of its own, to be flooded: prints its address, and tells how large it has grown. */

import { tcpTransport } from "../../../transports/src/index.ts";
import { ByReference, openService, perSession } from "../../src/index.ts";

class Thing extends ByReference {
  work(): string {
    return "worked";
  }
}

const bytes = new Uint8Array(1024 * 1024);
const running = { now: 0, most: 0 };
const ends: string[] = [];

/** What a client is offered. */
export class Victim {
  add(a: number, b: number): number {
    return a + b;
  }

  /** An answer far larger than its question. */
  give(length: number): Uint8Array {
    return bytes.subarray(0, length);
  }

  thing(): object {
    return new Thing();
  }

  /** Runs for a while, whoever cancels. */
  async stubborn(): Promise<void> {
    running.most = Math.max(running.most, ++running.now);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running.now--;
  }

  status(): Status {
    globalThis.gc?.();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    return {
      rssBytes: rss,
      heldBytes: heapUsed + external + arrayBuffers,
      mostRunning: running.most,
      ends: [...ends],
      sessions: service.sessions.size,
      calls: [...service.sessions].map((session) => session.stats().callsIn),
    };
  }
}

export interface Status {
  readonly rssBytes: number;
  /** What lives on the heap and beside it, after a collection. */
  readonly heldBytes: number;
  readonly mostRunning: number;
  /** How sessions ended: their codes. */
  readonly ends: readonly string[];
  readonly sessions: number;
  /** What each session that lives has been asked. */
  readonly calls: readonly number[];
}

const listener = tcpTransport.listen?.("tcp://127.0.0.1:0", {});
if (!listener) throw new Error("tcp cannot listen");
const front = perSession((session) => {
  void session.closed.then(({ code }) => ends.push(code));
  return new Victim();
});
const service = await openService([listener], front, { limits: JSON.parse(process.argv[2] ?? "{}") });
process.send?.(service.uri);
process.once("disconnect", () => process.exit());
