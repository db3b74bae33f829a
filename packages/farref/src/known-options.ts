/** Options are checked by name: one that is misspelled, or that this version lacks, must not be passed over in silence. */
import { RpcError } from "@farref/core";
import type { ConnectOptions, ServiceOptions } from "./options.ts";

/** What is planned has its type already, and is refused unless it is off. */
type Options<T> = Readonly<Record<keyof T, "known" | "planned">>;

const serviceOptions: Options<ServiceOptions> = {
  acl: "known",
  audit: "known",
  authenticate: "known",
  authorize: "known",
  limits: "known",
  tls: "known",
  allowedOrigins: "known",
  trustedProxies: "known",
  unix: "known",
  types: "known",
  transports: "known",
  exposeStacks: "known",
  redactErrors: "known",
  heartbeatMs: "known",
  callTimeoutMs: "known",
  resumeMs: "planned",
  insecure: "known",
  onError: "known",
  signal: "known",
};

const connectOptions: Options<ConnectOptions> = {
  credentials: "known",
  contract: "known",
  front: "known",
  insecure: "known",
  limits: "known",
  tls: "known",
  types: "known",
  transports: "known",
  timeoutMs: "known",
  heartbeatMs: "known",
  reconnect: "planned",
  onError: "known",
  signal: "known",
};

/** @throws RpcError `unimplemented`, `invalid-argument` */
export function checkServiceOptions(options: ServiceOptions): void {
  checkNames(options, serviceOptions, "startService");
  checkSignal(options);
}

/** @throws RpcError `unimplemented`, `invalid-argument` */
export function checkConnectOptions(options: ConnectOptions): void {
  checkNames(options, connectOptions, "connect");
  checkSignal(options);
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

function checkNames<T extends object>(options: T, all: Options<T>, verb: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!isIn(all, name)) throw notKnown(verb, name, all);
    if (all[name] === "planned" && value !== false) throw unsupported(verb, name);
  }
}

function isIn<T extends object>(all: T, name: PropertyKey): name is keyof T {
  return Object.hasOwn(all, name);
}

function unsupported(verb: string, name: string): RpcError {
  return new RpcError("unimplemented", `${verb}: the option ${name} is not supported yet`, "not-sent");
}

function notKnown(verb: string, name: string, all: object): RpcError {
  const detail = `${verb}: there is no option ${name}; there are ${Object.keys(all).join(", ")}`;
  return new RpcError("invalid-argument", detail, "not-sent");
}
