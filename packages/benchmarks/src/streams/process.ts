/**
 * One end of streams, in a process of its own: `process.js source farref|bare`, which has them, or
 * `process.js reader farref|bare <address>`, which reads what it is told to.
 */
import { connect, startService } from "farref";
import { type Answer, answer, answerEach, failure, type Request } from "../messages.ts";
import { bareReader, serveBare } from "./bare.ts";
import { chunk } from "./chunk.ts";

const front = {
  async *chunks(count: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let i = 0; i < count; i++) yield chunk;
  },
  async *numbers(count: number): AsyncGenerator<number, void, undefined> {
    for (let i = 0; i < count; i++) yield i;
  },
};

/** What a reader does, whoever it reads from. */
export interface Reader {
  /** Reads so many chunks of one stream, and returns how many bytes came. */
  readChunks(count: number): Promise<number>;
  /** Reads a stream of so many numbers to its end. */
  readNumbers(count: number): Promise<void>;
}

const limits = { maxStreams: 2_000 };
const [role = "", kind = "", address = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit());

try {
  if (role === "source") await begin(kind === "bare" ? await serveBare() : await serve(), refuse);
  else await begin(address, readFrom(kind === "bare" ? await bareReader(address) : await farrefReader()));
} catch (error) {
  answer(failure(error));
}

async function begin(at: string, serveRequest: (request: Request) => Promise<Answer>): Promise<void> {
  answerEach(async (request) => (request.kind === "peak" ? peaked() : await serveRequest(request)));
  answer({ kind: "ready", address: at });
}

function peaked(): Answer {
  return { kind: "peaked", rssBytes: process.resourceUsage().maxRSS * 1024 };
}

function refuse(request: Request): Promise<Answer> {
  throw new Error(`a source can't ${request.kind}`);
}

async function serve(): Promise<string> {
  return (await startService("tcp://127.0.0.1:0", front, { limits })).uri;
}

async function farrefReader(): Promise<Reader> {
  const remote = await connect<typeof front>(address, { limits });
  return {
    async readChunks(count) {
      let bytes = 0;
      for await (const { length } of await remote.chunks(count)) bytes += length;
      return bytes;
    },
    async readNumbers(count) {
      let next = 0;
      for await (const number of await remote.numbers(count)) if (number !== next++) throw new Error("out of order");
      if (next !== count) throw new Error(`${next} numbers came`);
    },
  };
}

function readFrom(reader: Reader): (request: Request) => Promise<Answer> {
  return async (request) => {
    const startedAt = performance.now();
    const ended = () => performance.now() - startedAt;
    switch (request.kind) {
      case "readChunks": {
        const bytes = await reader.readChunks(request.count);
        if (bytes !== request.count * chunk.length) throw new Error(`${bytes} bytes came`);
        return { kind: "ended", timesMs: [ended()] };
      }
      case "readNumbers": {
        const streams = Array.from({ length: request.streams }, () => reader.readNumbers(request.count).then(ended));
        return { kind: "ended", timesMs: await Promise.all(streams) };
      }
      default:
        throw new Error(`a reader can't ${request.kind}`);
    }
  };
}
