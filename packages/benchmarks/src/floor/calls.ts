/**
 * The floor: the least an RPC over one socket can do. Method ids for names, an array of pending calls, a promise for each,
 * one write a turn; objects are numbers in a Map, given up by a message without an answer. No limits, no checks, no
 * deadlines, nothing that notices a lost object. It marks what Node allows.
 */
import type { Client, Payload } from "../contender.ts";
import type { Adder, Service } from "../service.ts";
import { FrameReader, FrameWriter, type Write } from "./frames.ts";

const methodIds = { add: 0, echo: 1, fresh: 2, plus: 3, release: 4 } as const;

const fulfilled = 0;
const rejected = 1;
/** The call id of a message without an answer. */
const noAnswer = 0;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface Caller extends Omit<Client, "close"> {
  receive(chunk: Buffer): void;
}

export function createCaller(write: Write): Caller {
  // Call ids are places here, and used again: a Map through which every call passes costs a fifth more.
  const pending: (Pending | undefined)[] = [];
  const free: number[] = [];
  const writer = new FrameWriter(write);
  const reader = new FrameReader(settle);
  const flush = () => writer.flush();
  let lastId = noAnswer;

  function send(id: number, method: number, body: unknown): void {
    if (writer.isEmpty) process.nextTick(flush);
    writer.append(id, method, body);
  }
  /** What comes back is typed by hand: the floor knows nothing of results. */
  function call<R>(method: number, body: unknown): Promise<R> {
    const id = free.pop() ?? ++lastId;
    send(id, method, body);
    return new Promise<R>((resolve, reject) => {
      pending[id] = { resolve: resolve as Pending["resolve"], reject };
    });
  }
  function settle(id: number, status: number, body: unknown): void {
    const waiting = pending[id];
    pending[id] = undefined;
    free.push(id);
    if (status === fulfilled) waiting?.resolve(body);
    else waiting?.reject(new Error(String(body)));
  }
  return {
    add: (a, b) => call<number>(methodIds.add, [a, b]),
    echo: (value) => call<Payload>(methodIds.echo, value),
    async useFresh(n) {
      const object = await call<number>(methodIds.fresh, null);
      const sum = await call<number>(methodIds.plus, [object, n]);
      send(noAnswer, methodIds.release, object);
      return sum;
    },
    receive: (chunk) => reader.receive(chunk),
  };
}

/** Answers what one connection asks. All methods are synchronous, so a chunk's answers leave when it is read. */
export function createAnswerer(service: Service, write: Write): (chunk: Buffer) => void {
  const writer = new FrameWriter(write);
  const reader = new FrameReader(answer);
  const methods = methodsOf(service);

  function answer(id: number, method: number, body: unknown): void {
    try {
      const result = methods[method]?.(body as never);
      if (id !== noAnswer) writer.append(id, fulfilled, result);
    } catch (error) {
      writer.append(id, rejected, String(error));
    }
  }
  return (chunk) => {
    reader.receive(chunk);
    writer.flush();
  };
}

/** By their ids; each gets a message's body. */
function methodsOf(service: Service): ((body: never) => unknown)[] {
  const objects = new Map<number, Adder>();
  let lastObject = 0;
  const methods: ((body: never) => unknown)[] = [];
  methods[methodIds.add] = ([a, b]: [number, number]) => service.add(a, b);
  methods[methodIds.echo] = (value: Payload) => service.echo(value);
  methods[methodIds.fresh] = () => {
    objects.set(++lastObject, service.fresh());
    return lastObject;
  };
  methods[methodIds.plus] = ([object, n]: [number, number]) => objects.get(object)?.plus(n);
  methods[methodIds.release] = (object: number) => objects.delete(object);
  return methods;
}
