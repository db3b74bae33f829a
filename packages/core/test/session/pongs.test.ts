import { describe, expect, test } from "vitest";
import { ManualClock, turns } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { Pongs } from "../../src/session/pongs.ts";
import { frame } from "../../src/wire/frames.ts";
import { leakCheckedPair } from "./pairs.ts";
import { framed, RawPeer } from "./raw-peer.ts";

describe("pings", () => {
  test.each([
    [1, 0],
    [7, 0],
    [8, 8],
    [17, 16],
  ])("%i of one turn have %i answers in it, and all with the next", async (pings, atOnce) => {
    let sent = 0;
    const pongs = new Pongs(new ManualClock(), () => sent++);
    for (let i = 0; i < pings; i++) pongs.due();
    expect(sent).toBe(atOnce);
    await turns(2);
    expect(sent).toBe(pings);
    await turns(2);
    expect(sent).toBe(pings);
  });

  test("are answered one for one, and not by a session that is over", async () => {
    await using pair = await leakCheckedPair({});
    const raw = await RawPeer.connect(memoryTransport, pair.service.uri);
    for (let i = 0; i < 10; i++) raw.send(frame.ping);
    for (let i = 0; i < 10; i++) await raw.next(frame.pong);
    const goodbye = framed(frame.goodbye, (writer) => writer.raw(Uint8Array.of(0, 0)));
    raw.write(Buffer.concat([framed(frame.ping, () => {}), goodbye]));
    await raw.closed();
    expect(raw.frames.filter(({ kind }) => kind === frame.pong)).toEqual([]);
  });
});
