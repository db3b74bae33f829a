/** The serving side of the floor. */
import type { Payload } from "../contender.ts";
import type { Adder, Service } from "../service.ts";
import { FrameReader, FrameWriter, type Write } from "./frames.ts";
import { methodIds, noAnswer, status } from "./messages.ts";

/** Answers what one connection asks. Methods but for streams are synchronous, so a chunk's answers leave when it is read. */
export function createAnswerer(service: Service, write: Write): (chunk: Buffer) => void {
  const writer = new FrameWriter(write);
  const reader = new FrameReader(answer);
  const methods = methodsOf(service);

  function answer(id: number, method: number, body: unknown): void {
    try {
      if (method === methodIds.items) {
        void pour(id, service.items(body as number));
        return;
      }
      const result = methods[method]?.(body as never);
      if (id !== noAnswer) writer.append(id, status.fulfilled, result);
    } catch (error) {
      writer.append(id, status.rejected, String(error));
    }
  }
  async function pour(id: number, items: AsyncIterable<unknown>): Promise<void> {
    for await (const item of items) writer.append(id, status.item, item);
    writer.append(id, status.fulfilled, null);
    writer.flush();
  }
  return (chunk) => {
    reader.receive(chunk);
    writer.flush();
  };
}

/** By their ids; each gets a message's body. */
function methodsOf(service: Service): ((body: never) => unknown)[] {
  const objects = new Objects();
  const methods: ((body: never) => unknown)[] = [];
  methods[methodIds.add] = ([a, b]: [number, number]) => service.add(a, b);
  methods[methodIds.echo] = (value: Payload) => service.echo(value);
  methods[methodIds.fresh] = () => objects.add(service.fresh());
  methods[methodIds.plus] = ([object, n]: [number, number]) => objects.get(object)?.plus(n);
  methods[methodIds.release] = (object: number) => objects.delete(object);
  const [first, next] = [objects.add(service.first()), objects.add(service.first().next())];
  methods[methodIds.first] = () => service.first() && first;
  methods[methodIds.next] = (object: number) => objects.get(object)?.next() && next;
  return methods;
}

class Objects {
  readonly #objects = new Map<number, Adder>();
  #last = 0;

  add(object: Adder): number {
    this.#objects.set(++this.#last, object);
    return this.#last;
  }

  get(id: number): Adder | undefined {
    return this.#objects.get(id);
  }

  delete(id: number): void {
    this.#objects.delete(id);
  }
}
