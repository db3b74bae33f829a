/** What a program sees of a conversation: sessions, connections, how they end. */
import type { PeerAddress } from "../channel/channel.ts";
import type { RpcError } from "../errors/rpc-error.ts";
import type { Remote } from "./remote.ts";

/** Who the peer proved to be. */
export type Principal = { readonly id: string; readonly [claim: string]: unknown };

/** Why a session ended, and by whom. */
export type CloseReason = {
  readonly code: "closed" | "drained" | "lost" | "timeout" | "protocol" | "limit-exceeded" | "unauthenticated";
  readonly message: string;
  readonly by: "us" | "peer" | "network";
  readonly error?: RpcError | undefined;
};

/** Why a far object is gone for good. */
export type Down = {
  /**
   * `released`: given up here. `disposed`: its owner revoked it, or no longer passes it on. `closed`: a session on the way
   * to it was closed by either side. `session-lost`: the channel of one died; the object itself may live on.
   */
  readonly reason: "released" | "disposed" | "session-lost" | "closed";
  /** What broke the session, where it did not end in order. */
  readonly error?: RpcError | undefined;
};

/** Sizes of a session's tables and what it has moved. Fronts and heartbeats are not counted. */
export interface SessionStats {
  readonly exports: number;
  readonly imports: number;
  readonly pendingCalls: number;
  readonly runningCalls: number;
  readonly openStreams: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly callsIn: number;
  readonly callsOut: number;
}

/** One conversation with a peer, as the side that serves sees it. */
export interface Session {
  readonly id: string;
  /** Who the peer proved to be; `undefined` where nobody asked. */
  readonly principal: Principal | undefined;
  readonly peer: PeerAddress;
  readonly state: "open" | "resuming" | "draining" | "closed";
  readonly closed: Promise<CloseReason>;
  /** What the peer offers us (`ConnectOptions.front`). Calls on it reject `not-found` when the peer offers nothing. */
  front<T>(): Remote<T>;
  stats(): SessionStats;
  /** Ends the session at once; running calls fail `closed`. */
  close(reason?: string): void;
}

/**
 * The connection behind a stub.
 *
 * @example
 * const connection = connectionOf(calculator);
 * connection.on("state", (state) => console.log(state));
 * await connection.close();
 */
export interface Connection extends AsyncDisposable {
  readonly state: "open" | "reconnecting" | "draining" | "closed";
  /** The address dialled. */
  readonly uri: string;
  readonly closed: Promise<CloseReason>;
  /** The object published as `name`. Rejects `not-found`. */
  lookup<T>(name: string): Promise<Remote<T>>;
  stats(): SessionStats;
  /** Ends the session; settles when the channel is gone. */
  close(): Promise<void>;
  /** Calls `listener` at each change of state. Returns a function that stops it. */
  on(event: "state", listener: (state: Connection["state"], reason?: RpcError) => void): () => void;
  /** Whether the connection keeps the process alive; it does until `unref`. */
  ref(): this;
  unref(): this;
}

/** Options of one call, or of a view made by `withOptions`. */
export interface CallOptions {
  /** The call fails `timeout` after this time; the far method's signal fires. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** Aborting settles the call at once with `cancelled` and aborts the far method's signal. */
  readonly signal?: AbortSignal | undefined;
  /** The method may run twice without harm. */
  readonly idempotent?: boolean | undefined;
  /** Travels with the call, to be read from `currentCall().context`. */
  readonly context?: Readonly<Record<string, string>> | undefined;
}

/** A running call, as its method sees it. */
export interface CallContext {
  readonly method: string;
  readonly session: Session;
  readonly principal: Principal | undefined;
  /** Aborts when the caller cancels, the deadline passes or the session ends. */
  readonly signal: AbortSignal;
  /** When the caller stops waiting, in milliseconds of `performance.now()`. */
  readonly deadline: number | undefined;
  readonly context: Readonly<Record<string, string>>;
}
