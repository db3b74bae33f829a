/** What every transport must keep, and tools for tests: pairs that leave nothing behind, a clock in hand, sliced bytes. */
export { collectGarbage } from "./collect-garbage.ts";
export { type HandleWatch, handleWatch } from "./handle-watch.ts";
export { type HeldTransport, heldTransport, type Valve } from "./held-transport.ts";
export {
  type LeakCheckedPair,
  leakCheckedPair,
  type PairOptions,
  type PairSetUp,
  type Reported,
} from "./leak-checked-pair.ts";
export { ManualClock } from "./manual-clock.ts";
export { slicingTransport } from "./slicing-transport.ts";
export { Acceptor, acceptAt } from "./transport/acceptor.ts";
export { ChannelProbe, probe } from "./transport/channel-probe.ts";
export { describeTransport, type TransportSetUp } from "./transport/describe-transport.ts";
export { openPair, type Pair } from "./transport/pair.ts";
export { turns, turnsUntil } from "./turns.ts";
export { type WrapChannel, wrappedTransport } from "./wrapped-transport.ts";
