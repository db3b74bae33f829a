/** Connecting: a channel, a handshake, and the stub that stands for what the far side offers. */
import type { Channel } from "../channel/channel.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { resolveLimits } from "../limits/limits.ts";
import { referenceOf } from "../references/stub.ts";
import { abortError, openSession } from "../session/client-handshake.ts";
import type { LiveSession } from "../session/session.ts";
import type { Credentials } from "../types/authentication.ts";
import { checkedHeartbeatMs, Endpoint, type EndpointOptions } from "./endpoint.ts";
import { checkReferable } from "./front.ts";

export interface ConnectionKernelOptions extends EndpointOptions {
  /** Where the channel leads, for people. */
  readonly address: string;
  /** The published object to begin with; the front when there is no name. */
  readonly name?: string | undefined;
  /** What the server may call back. */
  readonly front?: object | undefined;
  /** How we prove who we are, if the server asks. */
  readonly credentials?: Credentials | undefined;
  readonly heartbeatMs?: number | undefined;
  /** Covers connecting only. */
  readonly signal?: AbortSignal | undefined;
}

/** What can be known to be wrong before anything is dialled. @throws RpcError `invalid-argument` */
export function checkConnection(options: Pick<ConnectionKernelOptions, "front" | "heartbeatMs" | "limits">): void {
  resolveLimits(options.limits);
  checkedHeartbeatMs(options.heartbeatMs);
  if (options.front !== undefined) checkReferable(options.front, "a front");
}

/**
 * Speaks to the other end of a channel and gives the stub of its front or of a published object. Rejects with RpcError,
 * `not-sent`; the channel is closed then. Disposing the stub closes the connection.
 */
export async function openConnection(channel: Channel, options: ConnectionKernelOptions): Promise<object> {
  const session = await begin(channel, options);
  const { name, signal } = options;
  const onAbort = () => session.close("connecting took too long");
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await rootOf(session, name);
  } catch (error) {
    session.close("there is nothing to call");
    throw signal?.aborted ? abortError(signal) : asNotSent(error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

async function begin(channel: Channel, options: ConnectionKernelOptions): Promise<LiveSession> {
  const { front, credentials, address, signal } = options;
  const { endpoint, heartbeatMs } = prepare(channel, options);
  const { environment } = endpoint;
  try {
    const session = await openSession(channel, { environment, heartbeatMs, address, front, credentials, signal });
    void session.closed.then(() => endpoint.close());
    return session;
  } catch (error) {
    endpoint.close();
    throw error;
  }
}

/** @throws RpcError `invalid-argument`; the channel is closed then */
function prepare(channel: Channel, options: ConnectionKernelOptions) {
  try {
    checkConnection(options);
    const endpoint = new Endpoint(options, options.front ? [options.front] : []);
    return { endpoint, heartbeatMs: checkedHeartbeatMs(options.heartbeatMs) };
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

async function rootOf(session: LiveSession, name: string | undefined): Promise<object> {
  const stub = name === undefined ? session.root() : await session.lookup(name);
  const reference = referenceOf(stub);
  if (!reference) throw new RpcError("protocol", "a lookup was answered with something else", "not-sent");
  reference.isRoot = true;
  return stub as object;
}

/** Whatever the lookup said, no method of the program's was meant to run. */
function asNotSent(error: unknown): unknown {
  if (!(error instanceof RpcError)) return error;
  return new RpcError(error.code, error.detail, "not-sent", { cause: error.cause });
}
