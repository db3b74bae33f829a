/** What every transport must keep, and tools for tests: a clock in hand, sliced bytes, a watch on open handles. */
export { type HandleWatch, handleWatch } from "./handle-watch.ts";
export { ManualClock } from "./manual-clock.ts";
export { slicingTransport } from "./slicing-transport.ts";
export { Acceptor, acceptAt } from "./transport/acceptor.ts";
export { ChannelProbe, probe } from "./transport/channel-probe.ts";
export { describeTransport, type TransportSetUp } from "./transport/describe-transport.ts";
export { openPair, type Pair } from "./transport/pair.ts";
export { turns } from "./turns.ts";
