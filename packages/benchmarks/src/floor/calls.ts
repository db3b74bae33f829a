/**
 * The floor: the least an RPC over one socket can do. Method ids for names, a Map of pending calls, a promise for each,
 * one write a turn; no limits, no checks, no references, no deadlines. It marks what Node allows.
 */
import type { Client, Service } from "../contender.ts";
import { FrameReader, FrameWriter, type Write } from "./frames.ts";

const methodIds = { add: 0 } as const;

const fulfilled = 0;
const rejected = 1;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface Caller extends Omit<Client, "close"> {
  receive(chunk: Buffer): void;
}

export function createCaller(write: Write): Caller {
  const pending = new Map<number, Pending>();
  const writer = new FrameWriter(write);
  const reader = new FrameReader(settle);
  const flush = () => writer.flush();
  let lastId = 0;

  function call(method: number, args: unknown[]): Promise<unknown> {
    if (writer.isEmpty) process.nextTick(flush);
    const id = ++lastId;
    writer.append(id, method, args);
    return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
  }
  function settle(id: number, status: number, body: unknown): void {
    const waiting = pending.get(id);
    pending.delete(id);
    if (status === fulfilled) waiting?.resolve(body);
    else waiting?.reject(new Error(String(body)));
  }
  return {
    // The far method is typed by hand: `call` knows nothing of results.
    add: (a, b) => call(methodIds.add, [a, b]) as Promise<number>,
    receive: (chunk) => reader.receive(chunk),
  };
}

/** Answers what one connection asks. All methods are synchronous, so a chunk's answers leave when it is read. */
export function createAnswerer(service: Service, write: Write): (chunk: Buffer) => void {
  const writer = new FrameWriter(write);
  const reader = new FrameReader(answer);
  const methods: ((...args: never[]) => unknown)[] = [];
  methods[methodIds.add] = service.add;

  function answer(id: number, method: number, args: unknown): void {
    try {
      writer.append(id, fulfilled, methods[method]?.(...(args as never[])));
    } catch (error) {
      writer.append(id, rejected, String(error));
    }
  }
  return (chunk) => {
    reader.receive(chunk);
    writer.flush();
  };
}
