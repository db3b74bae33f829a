import { expect, test } from "vitest";
import { memoryTransport } from "../../transports/src/index.ts";
import { acceptAt, heldTransport, probe, turns } from "../src/index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a held transport lets through what a test wants, in order, and the end behind it", async () => {
  const { transport, toDialler, toListener } = heldTransport(memoryTransport);
  await using acceptor = await acceptAt(transport, "memory:held");
  const dialled = probe(await transport.dial(acceptor.uri, {}));
  const accepted = probe(await acceptor.next());
  toListener.shut();
  for (const text of ["one", "two"]) {
    dialled.channel.write(bytes(text));
    await turns(3);
  }
  expect([toListener.waiting, accepted.chunks]).toEqual([2, 0]);
  expect(toListener.passOne()).toBe(true);
  expect(accepted.received).toEqual(bytes("one"));
  accepted.channel.write(bytes("back"));
  expect(await dialled.bytes(4)).toEqual(bytes("back"));
  dialled.channel.end();
  await turns(3);
  expect([accepted.chunks, accepted.closings.length]).toEqual([1, 0]);
  toListener.open();
  expect(accepted.received).toEqual(bytes("onetwo"));
  expect(accepted.closings).toEqual([undefined]);
  await dialled.closed();
  expect([toListener.passOne(), toDialler.passOne()]).toEqual([false, false]);
});
