/** What a program may ask of a service and of a connection. */
import type { ConnectionOptions, TlsOptions } from "node:tls";
import type {
  AuditEntry,
  Authenticator,
  Authorize,
  Credentials,
  LimitOptions,
  ListenOptions,
  Session,
  Transport,
  ValueType,
} from "@farref/core";
import type { Acl, Contract } from "@farref/security";

export interface ServiceOptions {
  /** Which addresses may connect. Channels without an IP address are not asked. */
  readonly acl?: Acl | undefined;
  /** Who connects has to prove who they are, by any one of these. */
  readonly authenticate?: Authenticator | readonly Authenticator[] | undefined;
  /** Asked before each call runs and each published name is looked up (`#name`), in turn; `false` is `denied`. */
  readonly authorize?: Authorize | readonly Authorize[] | undefined;
  readonly limits?: LimitOptions | undefined;
  /**
   * Node's own options, for `tls:` and `wss:` addresses: at least `key` and `cert`. `requestCert: true` with `ca` asks
   * clients for certificates. TLS 1.2 is the oldest version.
   */
  readonly tls?: TlsOptions | undefined;
  /** Origins whose pages may connect over WebSocket; default: the host of the service itself. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Proxies in front of a WebSocket service, as IP addresses and ranges such as `10.0.0.0/8`. From them, and from nobody
   * else, the X-Forwarded-For header tells who connects: `acl` and `session.peer` have the client's address.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Mode of Unix socket files; default 0o600. */
  readonly unix?: ListenOptions["unix"];
  /** Classes whose instances travel as data: what `registerValue` and `registerError` make of them. */
  readonly types?: readonly ValueType[] | undefined;
  /** Transports of one's own, asked before farref's. */
  readonly transports?: readonly Transport[] | undefined;
  /** Silence after which the peer is asked for a sign of life, in milliseconds; default 15,000. */
  readonly heartbeatMs?: number | undefined;
  /**
   * How long a session outlives its channel, in milliseconds, for a client that reconnects. Planned: until sessions resume,
   * whatever is given is refused as `unimplemented`.
   */
  readonly resumeMs?: number | undefined;
  /**
   * The longest a call may take, in milliseconds: then its caller gets `timeout`, the signal of its method aborts, and what
   * that returns later is dropped. Default: no limit.
   */
  readonly callTimeoutMs?: number | undefined;
  /** Sends the stacks of errors that methods throw. Off: they tell paths and versions. */
  readonly exposeStacks?: boolean | undefined;
  /**
   * What clients learn of errors that methods throw: all but the stack by default; with `true` nothing but a number that
   * `onError` hears too; with a function what it returns.
   */
  readonly redactErrors?: boolean | ((error: unknown) => Error) | undefined;
  /** Hears of every call and every lookup (`#name`) once, permitted or refused, also when its session ends before the answer. */
  readonly audit?: ((entry: AuditEntry) => void) | undefined;
  /** Listens beyond loopback without `acl` or `authenticate`: everybody who reaches the address may call. */
  readonly insecure?: boolean | undefined;
  /**
   * Hears of failures that concern no caller: refused handshakes, a `[Symbol.dispose]` that threw, calls nobody awaited. Of
   * peers that never become a session, turned away by `acl` or their origin or in the handshake, it hears ten times a second
   * for each code.
   */
  readonly onError?: ((error: Error, session?: Session) => void) | undefined;
  /** Aborting closes the service. */
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectOptions {
  /** How we prove who we are, when the service asks. */
  readonly credentials?: Credentials | undefined;
  /** What the service is called by: typed, sent and checked by it; what it lacks is not called. */
  readonly contract?: Contract | undefined;
  /** What the server may call back: `session.front()` at its end. */
  readonly front?: object | undefined;
  readonly limits?: LimitOptions | undefined;
  /**
   * Node's own options, for `tls:` and `wss:` addresses: `ca` to trust an authority of one's own, `key` and `cert` to show
   * a certificate. The server's certificate is verified unless `rejectUnauthorized: false` is written here; no environment
   * variable turns that off. A browser has its own settings instead.
   */
  readonly tls?: ConnectionOptions | undefined;
  /** Classes whose instances travel as data: what `registerValue` and `registerError` make of them. */
  readonly types?: readonly ValueType[] | undefined;
  readonly transports?: readonly Transport[] | undefined;
  /** Longest time to connect, in milliseconds; default 10,000. */
  readonly timeoutMs?: number | undefined;
  readonly heartbeatMs?: number | undefined;
  /** Sends a bearer token in the clear beyond loopback: whoever listens on the way has it. */
  readonly insecure?: boolean | undefined;
  /**
   * Off by default: the session ends with its channel. Planned: until sessions resume, all but `false` is refused as
   * `unimplemented`. Of an object, `initialMs` and `maxMs` are the shortest and the longest wait between two tries and
   * `giveUpMs` ends them, in milliseconds.
   */
  readonly reconnect?: boolean | Reconnect | undefined;
  /** Hears of calls that failed and that nobody awaited. */
  readonly onError?: ((error: Error) => void) | undefined;
  /** Covers connecting only. */
  readonly signal?: AbortSignal | undefined;
}

interface Reconnect {
  readonly initialMs?: number | undefined;
  readonly maxMs?: number | undefined;
  readonly giveUpMs?: number | undefined;
}
