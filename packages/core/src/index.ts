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
export { type ConnectionKernelOptions, checkConnection, openConnection } from "./endpoint/connection.ts";
export { type EndpointOptions, type Platform, plainPlatform } from "./endpoint/endpoint.ts";
export { type Front, PerCall, PerSession, perCall, perSession } from "./endpoint/front.ts";
export { type FrontOf, openService, type Service, type ServiceKernelOptions } from "./endpoint/service.ts";
export { RemoteError } from "./errors/remote-error.ts";
export { type Outcome, RpcError, type RpcErrorCode } from "./errors/rpc-error.ts";
export { toError } from "./errors/to-error.ts";
export { defaultLimits, type LimitOptions, type Limits, resolveLimits } from "./limits/limits.ts";
export {
  boundMethod,
  type CallerContract,
  type CallerMethod,
  guardMethod,
  guardOf,
  Leaving,
  type MethodGuard,
  offerInPlaceOf,
} from "./references/contracts.ts";
export { revoke } from "./references/held-objects.ts";
export { isOfferable, type Method, type MethodTable, MethodTables } from "./references/method-table.ts";
export { monitor } from "./references/monitors.ts";
export { isStep, pipeline } from "./references/pipeline.ts";
export { isRemote, release, sameReference } from "./references/stub.ts";
export { oneway, underContract, withOptions } from "./references/views.ts";
export { currentCall, postpone } from "./session/current-call.ts";
export type { AuditEntry } from "./session/disclosure.ts";
export type { CallPasses, IssuedPasses } from "./session/passes.ts";
export type { Authorize, AuthorizeCall } from "./session/policy.ts";
export { connectionOf } from "./session/session-connection.ts";
export { arrivedStream, leavingStream } from "./streams/checked-streams.ts";
export type { AuthExchange, Authenticator, Credentials } from "./types/authentication.ts";
export type { MethodName, RegisteredValues, Remote, remoteOf, Stub } from "./types/remote.ts";
export type {
  CallContext,
  CallOptions,
  CloseReason,
  Connection,
  Down,
  Principal,
  Session,
  SessionStats,
} from "./types/session.ts";
export type { Oneway, Pipelined } from "./types/views.ts";
export { ByReference, type ByReferenceMark, byReference, isMarked } from "./values/marks.ts";
export { registerError, registerValue } from "./values/register.ts";
export { UnknownValue } from "./values/unknown-values.ts";
export { resolveTypes, type TypeTable, type ValueType } from "./values/value-type.ts";
export { Slabs } from "./wire/slabs.ts";
