import { describe, expect, test } from "vitest";
import { collectGarbage, turns } from "../../../conformance/src/index.ts";
import { type Piece, Unread } from "../../src/streams/unread.ts";

const body = Uint8Array.of(1, 2, 3);

function piece(number: number, attachment?: Uint8Array): Piece {
  const attachments = attachment && [attachment];
  const bytes = Uint8Array.of(...body, number);
  return { kind: "item", flags: 0, bytes, start: 0, end: 4, attachments, size: 4 + (attachment?.length ?? 0) };
}

describe("what is unread", () => {
  test("comes in its order, and is counted until it is taken", () => {
    const unread = new Unread();
    for (let i = 0; i < 200; i++) unread.put(piece(i, i % 2 ? new Uint8Array(1_000).fill(i) : undefined));
    expect([unread.count, unread.bytes]).toEqual([200, 200 * 4 + 100 * 1_000]);
    for (let i = 0; i < 200; i++) {
      const { bytes, start, end, attachments } = unread.take() as Piece;
      expect([...bytes.subarray(start, end)]).toEqual([...body, i]);
      expect(attachments?.[0]?.[999]).toBe(i % 2 ? i : undefined);
    }
    expect([unread.take(), unread.count, unread.bytes]).toEqual([undefined, 0, 0]);
  });

  test("is held, and what was read is not, though there is always more", async () => {
    const unread = new Unread();
    const attached: WeakRef<Uint8Array>[] = [];
    const put = (i: number) => {
      const attachment = new Uint8Array(100_000);
      attached.push(new WeakRef(attachment));
      unread.put(piece(i, attachment));
    };
    put(0);
    for (let i = 1; i < 100; i++) {
      put(i);
      unread.take();
    }
    await turns(2); // a WeakRef keeps what it was made for until then
    collectGarbage();
    expect(unread.count).toBe(1);
    expect(attached.filter((ref) => ref.deref()).length).toBeLessThanOrEqual(1);
    expect(unread.take()?.attachments).toHaveLength(1);
  });
});
