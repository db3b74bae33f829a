/** What the browser tests stream from and to: a part of the service in Node. */
import { ByReference, currentCall } from "../packages/farref/src/index.ts";

export class BrowserStreams extends ByReference {
  #asked = 0;
  #ended = 0;

  async *count(to: number) {
    for (let i = 0; i < to; i++) yield i;
    return "done";
  }

  /** Kilobytes, as many as anybody asks for. */
  async *kilobytes() {
    try {
      for (;;) {
        this.#asked++;
        yield new Uint8Array(1_024);
      }
    } finally {
      this.#ended++;
    }
  }

  readable(chunks: number): ReadableStream<Uint8Array> {
    let made = 0;
    return new ReadableStream({
      pull(controller) {
        if (made < chunks) controller.enqueue(new Uint8Array(10_000).fill(made++));
        else controller.close();
      },
    });
  }

  async bytesOf(stream: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes = 0;
    for await (const chunk of stream) bytes += chunk.length;
    return bytes;
  }

  async first<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
    for await (const item of stream) return item;
    return undefined;
  }

  async *fail(after: number) {
    for (let i = 0; i < after; i++) yield i;
    throw Object.assign(new RangeError("too far"), { by: 7 });
  }

  state(): { readonly asked: number; readonly ended: number; readonly open: number } {
    return { asked: this.#asked, ended: this.#ended, open: currentCall().session.stats().openStreams };
  }
}
