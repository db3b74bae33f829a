/** The transport-free core of farref. Programs import from `farref`; transports and security import from here. */
export type {
  Channel,
  ChannelEvents,
  DialOptions,
  Listener,
  ListenerEvents,
  ListenOptions,
  PeerAddress,
  Transport,
} from "./channel/channel.ts";
export type { Clock, Timer } from "./clock/clock.ts";
export { systemClock } from "./clock/system-clock.ts";
export { RemoteError } from "./errors/remote-error.ts";
export { type Outcome, RpcError, type RpcErrorCode } from "./errors/rpc-error.ts";
export { defaultLimits, type Limits, resolveLimits } from "./limits/limits.ts";
