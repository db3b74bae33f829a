/** Links over channels in hand: frames take as long as a test says, on a clock that stands still otherwise. */
import { ManualClock } from "../../../conformance/src/index.ts";
import type { Channel, ChannelEvents, Limits } from "../../src/index.ts";
import { defaultLimits, Slabs } from "../../src/index.ts";
import { frame, optional, preamble } from "../../src/wire/frames.ts";
import { Link, type LinkHandler, type LinkOptions } from "../../src/wire/link.ts";
import { ReadingTurns } from "../../src/wire/reading-turns.ts";
import { framed } from "../session/raw-peer.ts";

/** A world of peers who take turns. */
export function openWorld(limits: Partial<Limits> = {}) {
  const clock = new ManualClock();
  const turns = new ReadingTurns(clock);
  /** Which peer's frames were handled, in order. */
  const heard: string[] = [];
  const connect = (name: string, frameMs = 0): Linked => {
    const peer = new Linked({ clock, slabs: new Slabs(), turns, limits: { ...defaultLimits, ...limits } });
    peer.onFrame = () => {
      heard.push(name);
      clock.advance(frameMs);
    };
    return peer;
  };
  return { clock, heard, connect };
}

/** One peer's link, and what is done to its channel. */
export class Linked {
  readonly link: Link;
  /** pause, resume, end, destroy; write with its bytes. */
  readonly acts: string[] = [];
  /** Chunks that were given back to the channel. */
  givenBack = 0;
  /** Payloads of the frames handled: their first byte. */
  readonly handled: number[] = [];
  /** What the handler was told last. */
  readonly told: string[] = [];
  onFrame: () => void = () => {};
  /** Runs for each frame before anything else. */
  onBytes: (bytes: Uint8Array) => void = () => {};
  #on!: ChannelEvents;

  constructor(options: LinkOptions) {
    this.link = new Link(this.#channel(), options, this.handler());
    this.link.start();
    this.link.establish(options.limits.maxMessageBytes);
    this.chunk(preamble);
  }

  handler(): LinkHandler {
    return {
      message: (_code, reader) => {
        this.onBytes(reader.bytes);
        if (reader.remaining > 0) this.handled.push(reader.u8());
        this.onFrame();
      },
      begun: () => {},
      advanced: () => {},
      failed: (error) => this.told.push(error.code),
      closed: (error) => this.told.push(error ? `closed: ${error.message}` : "closed"),
    };
  }

  chunk(bytes: Uint8Array): void {
    this.#on.chunk(bytes);
  }

  closed(error?: Error): void {
    this.#on.closed(error);
  }

  #channel(): Channel {
    const note = (act: string) => () => void this.acts.push(act);
    return {
      peer: { transport: "memory" },
      start: (on) => {
        this.#on = on;
      },
      write: (bytes) => {
        this.acts.push(`write ${bytes.length}`);
        return true;
      },
      giveBack: () => this.givenBack++,
      pause: note("pause"),
      resume: note("resume"),
      end: note("end"),
      destroy: note("destroy"),
    };
  }
}

/** Frames numbered 0, 1, 2, … modulo 256. */
export function numbered(count: number, from = 0): Uint8Array {
  const one = (i: number) => framed(0x3e | optional, (writer) => writer.u8((from + i) & 0xff));
  return Buffer.concat(Array.from({ length: count }, (_, i) => one(i)));
}

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i & 0xff);

/** The beginning of a frame that goes on. */
export const halfFrame: Uint8Array = framed(frame.call, (writer) => writer.raw(new Uint8Array(10))).subarray(0, 8);
