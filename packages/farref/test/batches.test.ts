/** How many writes calls leave in, counted where they leave: at the channel. */
import { type Channel, connect, connectionOf, type Listener, startService, type Transport } from "farref";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HandleWatch, handleWatch } from "../../conformance/src/index.ts";
import { tcpTransport } from "../../transports/src/index.ts";

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

class Calculator {
  add(a: number, b: number): number {
    return a + b;
  }
}

/** Writes of a channel. */
class Writes {
  count = 0;

  /** TCP, counted; it listens as `tcp:` and is dialled as `counted:`. */
  readonly transport: Transport = {
    schemes: ["counted"],
    dial: async (uri, options) => this.counted(await tcpTransport.dial(uri.replace("counted:", "tcp:"), options)),
  };

  counted(channel: Channel): Channel {
    const write = channel.write.bind(channel);
    channel.write = (bytes) => {
      this.count++;
      return write(bytes);
    };
    return channel;
  }

  /** The same for the channels of a listener. */
  countedListener(listener: Listener): Listener {
    const start = listener.start.bind(listener);
    listener.start = (on) => start({ ...on, channel: (channel) => on.channel(this.counted(channel)) });
    return listener;
  }
}

test("a hundred calls of one turn are one write, one after another they are a hundred", async () => {
  const asked = new Writes();
  const answered = new Writes();
  const listener = tcpTransport.listen?.("tcp://127.0.0.1:0", {}) as Listener;
  await using service = await startService(answered.countedListener(listener), new Calculator());
  const calculator = await connect<Calculator>(service.uri.replace("tcp:", "counted:"), {
    transports: [asked.transport],
  });
  const before = asked.count;
  const sums = await Promise.all(Array.from({ length: 100 }, (_, i) => calculator.add(i, i)));
  expect(sums).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i));
  expect(asked.count - before).toBe(1);

  const between = [asked.count, answered.count] as const;
  for (let i = 0; i < 100; i++) await calculator.add(i, i);
  expect([asked.count - between[0], answered.count - between[1]]).toEqual([100, 100]);
  await connectionOf(calculator).close();
});
