/** Many small frames at once are answered by turns with everybody else's. */
import { describe, expect, test } from "vitest";
import type { Channel, ChannelEvents } from "../../src/index.ts";
import { defaultLimits, Slabs, systemClock } from "../../src/index.ts";
import { frame, optional, preamble } from "../../src/wire/frames.ts";
import { Link } from "../../src/wire/link.ts";
import { framed } from "../session/raw-peer.ts";

/** A link over a channel that notes what is done to it. */
function started() {
  const acts: string[] = [];
  let received = 0;
  let on: ChannelEvents | undefined;
  const note = (act: string) => () => void acts.push(act);
  const channel: Channel = {
    peer: { transport: "memory" },
    start: (events) => {
      on = events;
    },
    write: () => true,
    pause: note("pause"),
    resume: note("resume"),
    end: note("end"),
    destroy: note("destroy"),
  };
  const options = { clock: systemClock, slabs: new Slabs(), limits: defaultLimits };
  const link = new Link(channel, options, {
    message: () => {
      received++;
    },
    begun: () => {},
    advanced: () => {},
    failed: () => {},
    closed: () => {},
  });
  link.start();
  link.establish(defaultLimits.maxMessageBytes);
  const chunk = (bytes: Uint8Array) => on?.chunk(bytes);
  chunk(preamble);
  return { acts, chunk, link, received: () => received };
}

const frames = (count: number) =>
  Buffer.concat(Array.from({ length: count }, () => framed(frame.ping | optional, () => {})));
const turn = () => new Promise<void>((resolve) => systemClock.nextTurn(resolve));

describe("a link whose peer sends", () => {
  test("hundreds of frames in one chunk handles them, and reads on when others have had their turn", async () => {
    const { acts, chunk, received } = started();
    chunk(frames(3_000));
    expect(received()).toBe(3_000);
    expect(acts).toEqual(["pause"]);
    await turn();
    expect(acts).toEqual(["pause", "resume"]);
    chunk(frames(3_000));
    await turn();
    expect(acts).toEqual(["pause", "resume", "pause", "resume"]);
  });

  test("a few frames in each chunk never pauses", async () => {
    const { acts, chunk } = started();
    for (let i = 0; i < 100; i++) chunk(frames(100));
    await turn();
    expect(acts).toEqual([]);
  });

  test("hundreds of frames and is cut off for one of them, neither pauses nor resumes after the end", async () => {
    const { acts, chunk, link } = started();
    link.end();
    chunk(frames(3_000));
    await turn();
    expect(acts).toEqual(["end"]);
  });
});
