/** Options are checked by name: one that is misspelled, or that this version lacks, must not be passed over in silence. */
import { RpcError } from "@farref/core";
import type { ConnectOptions, ServiceOptions } from "./options.ts";

const serviceOptions: Record<keyof ServiceOptions, true> = {
  acl: true,
  audit: true,
  authenticate: true,
  authorize: true,
  limits: true,
  tls: true,
  allowedOrigins: true,
  trustedProxies: true,
  unix: true,
  types: true,
  transports: true,
  exposeStacks: true,
  redactErrors: true,
  heartbeatMs: true,
  callTimeoutMs: true,
  insecure: true,
  onError: true,
  signal: true,
};

const connectOptions: Record<keyof ConnectOptions, true> = {
  credentials: true,
  contract: true,
  front: true,
  insecure: true,
  limits: true,
  tls: true,
  types: true,
  transports: true,
  timeoutMs: true,
  heartbeatMs: true,
  reconnect: true,
  onError: true,
  signal: true,
};

/** Names that a later version will know. */
const planned: ReadonlySet<string> = new Set(["resumeMs"]);

/** @throws RpcError `unimplemented`, `invalid-argument` */
export function checkServiceOptions(options: ServiceOptions): void {
  checkNames(options, serviceOptions, "startService");
  checkSignal(options);
}

/** @throws RpcError `unimplemented`, `invalid-argument` */
export function checkConnectOptions(options: ConnectOptions): void {
  checkNames(options, connectOptions, "connect");
  checkSignal(options);
  if (options.reconnect) throw unsupported("connect", "reconnect");
  const { timeoutMs } = options;
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new RpcError("invalid-argument", `timeoutMs: expected a positive number, got ${timeoutMs}`, "not-sent");
  }
}

/** By its looks: a signal may come from another realm, or from a polyfill. */
function checkSignal({ signal }: Pick<ConnectOptions, "signal">): void {
  if (signal === undefined || typeof signal?.addEventListener === "function") return;
  throw new RpcError("invalid-argument", "signal: expected an AbortSignal", "not-sent");
}

function checkNames(options: object, known: object, verb: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    throw planned.has(name) ? unsupported(verb, name) : notKnown(verb, name);
  }
}

function unsupported(verb: string, name: string): RpcError {
  return new RpcError("unimplemented", `${verb}: the option ${name} is not supported yet`, "not-sent");
}

function notKnown(verb: string, name: string): RpcError {
  return new RpcError("unimplemented", `${verb}: the option ${name} is not known to this version`, "not-sent");
}
