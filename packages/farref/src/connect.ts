/** Connecting to a service: each address is tried once, in order, within one time limit. */
import {
  type Channel,
  checkConnection,
  type DialOptions,
  openConnection,
  type Platform,
  type Remote,
  RpcError,
  resolveTypes,
  Slabs,
  systemClock,
  type Transport,
  type TypeTable,
  underContract,
} from "@farref/core";
import { type Api, type Contract, callerContract } from "@farref/security";
import { splitName, transportFor } from "./addresses.ts";
import { checkConnectOptions } from "./known-options.ts";
import type { ConnectOptions } from "./options.ts";

/** What `connect` takes and gives. */
export interface Connect {
  /**
   * Connects under a contract: the stub is typed by it, and results are checked at this side too. Addresses, disposing and
   * what it rejects with are as without one.
   *
   * @example
   * const bank = await connect("tls://bank.example:8787", { contract: bankContract });
   */
  <C extends Contract>(
    where: string | readonly string[] | Channel,
    options: ConnectOptions & { readonly contract: C },
  ): Promise<Remote<Api<C>>>;
  /**
   * Connects to a service and gives the stub of its front, or of the published object that `#name` selects. Several
   * addresses are tried in order; a channel of one's own is spoken to as it is. Disposing the stub closes the connection.
   *
   * Rejects with RpcError, always `not-sent`: `bad-uri`, `unknown-scheme`, `unreachable`, `denied`, `protocol` (the other
   * end does not speak farref), `not-found` (no front, no such name), `timeout`, `cancelled`, `internal` (the front could
   * not be made), `invalid-argument` (options that make no sense: nothing was dialled).
   *
   * @example
   * const calculator = await connect<Calculator>("tcp://127.0.0.1:8787");
   * console.log(await calculator.add(5, 3));
   */
  <T>(where: string | readonly string[] | Channel, options?: ConnectOptions): Promise<Remote<T>>;
}

const defaultTimeoutMs = 10_000;

/** `connect` for a platform and the transports it has. */
export function createConnect(transports: readonly Transport[], platform: Platform): Connect {
  const slabs = new Slabs();
  const reach = async (where: string | readonly string[] | Channel, options: ConnectOptions) => {
    checkConnectOptions(options);
    checkConnection(options);
    const { contract } = options;
    const types = resolveTypes(options.types);
    const all = [...(options.transports ?? []), ...transports];
    const terms = contract && callerContract(contract);
    const stub = await withinTime(where, { transports: all, platform, slabs, options, types });
    return terms ? underContract(stub, terms) : stub;
  };
  return async <T>(where: string | readonly string[] | Channel, options: ConnectOptions = {}) => {
    checkWhere(where);
    try {
      return (await reach(where, options)) as Remote<T>;
    } catch (error) {
      if (isChannel(where)) where.destroy();
      throw error;
    }
  };
}

interface Dialing {
  readonly transports: readonly Transport[];
  readonly platform: Platform;
  readonly slabs: Slabs;
  readonly options: ConnectOptions;
  readonly types: TypeTable | undefined;
}

async function withinTime(where: string | readonly string[] | Channel, dialing: Dialing): Promise<object> {
  const { timeoutMs = defaultTimeoutMs, signal } = dialing.options;
  const controller = new AbortController();
  const onAbort = () => controller.abort(cancelled(signal?.reason));
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = systemClock.setTimer(timeoutMs, () => controller.abort(late(where, timeoutMs)));
  try {
    controller.signal.throwIfAborted();
    return await dialAny(where, dialing, controller.signal);
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}

async function dialAny(
  where: string | readonly string[] | Channel,
  dialing: Dialing,
  signal: AbortSignal,
): Promise<object> {
  if (isChannel(where)) return speak(where, `${where.peer.transport}:`, undefined, dialing, signal);
  const addresses = typeof where === "string" ? [where] : where;
  const failures: unknown[] = [];
  for (const address of addresses) {
    try {
      return await dial(address, dialing, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      failures.push(error);
    }
  }
  throw failed(addresses, failures);
}

async function dial(address: string, dialing: Dialing, signal: AbortSignal): Promise<object> {
  const { uri, name } = splitName(address);
  checkConcealed(uri, dialing.options);
  const { limits, tls } = dialing.options;
  const transport = transportFor(uri, dialing.transports);
  const channel = await channelBy(transport, uri, { signal, tls, maxMessageBytes: limits?.maxMessageBytes });
  return speak(channel, uri, name, dialing, signal);
}

/** A transport of the program's own may fail with any error, and at once. */
async function channelBy(transport: Transport, uri: string, options: DialOptions): Promise<Channel> {
  try {
    return await transport.dial(uri, options);
  } catch (cause) {
    if (cause instanceof RpcError) throw cause;
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new RpcError("unreachable", `${uri}: the transport failed: ${what}`, "not-sent", { cause });
  }
}

function speak(
  channel: Channel,
  address: string,
  name: string | undefined,
  { options, platform, slabs, types }: Dialing,
  signal: AbortSignal,
): Promise<object> {
  const { credentials, front, heartbeatMs, limits, onError } = options;
  const shared = { credentials, front, heartbeatMs, limits, onError, platform, slabs, signal, types };
  return openConnection(channel, { ...shared, address, name });
}

/** A token must not cross a network for all to read. */
function checkConcealed(address: string, { credentials, insecure }: ConnectOptions): void {
  if (!credentials?.revealsSecret || insecure || isConcealed(address)) return;
  const cure = "use tls: or wss:, or insecure: true";
  throw new RpcError("refused", `${address}: ${credentials.method} would be sent in the clear; ${cure}`, "not-sent");
}

const concealed: ReadonlySet<string> = new Set(["tls:", "wss:", "unix:", "memory:"]);

function isConcealed(address: string): boolean {
  const scheme = address.slice(0, address.indexOf(":") + 1).toLowerCase();
  const host = /^[^:]*:\/\/(\[[^\]]*\]|[^:/?]*)/.exec(address)?.[1]?.toLowerCase();
  return concealed.has(scheme) || host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host ?? "");
}

/** @throws RpcError `bad-uri` */
function checkWhere(where: unknown): void {
  const isList = Array.isArray(where) && where.every((address) => typeof address === "string");
  const isObject = typeof where === "object" && where !== null;
  if (typeof where === "string" || isList || (isObject && "start" in where)) return;
  throw new RpcError(
    "bad-uri",
    `connect: expected an address, a list of them or a channel, got ${typeof where}`,
    "not-sent",
  );
}

function isChannel(where: string | readonly string[] | Channel): where is Channel {
  return typeof where === "object" && "start" in where;
}

/** One address failed as it failed; of several, all are named. */
function failed(addresses: readonly string[], failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  if (failures.length === 0) return new RpcError("bad-uri", "connect: expected at least one address", "not-sent");
  const codes = new Set(failures.map((failure) => (failure instanceof RpcError ? failure.code : "internal")));
  const [only] = codes;
  const details = failures.map((failure) => (failure instanceof RpcError ? failure.detail : String(failure)));
  return new RpcError(codes.size === 1 && only ? only : "unreachable", details.join("; "), "not-sent", {
    cause: new AggregateError(failures, `none of ${addresses.length} addresses answered`),
  });
}

function late(where: string | readonly string[] | Channel, timeoutMs: number): RpcError {
  const what = isChannel(where) ? "the channel" : String(where);
  return new RpcError("timeout", `connect to ${what}: no session within ${timeoutMs} ms`, "not-sent");
}

function cancelled(cause: unknown): RpcError {
  return new RpcError("cancelled", "connecting was cancelled", "not-sent", { cause });
}
