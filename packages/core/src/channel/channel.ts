/** What a transport makes and a session uses: an ordered byte pipe between two processes. */

/** Who is at the other end of a channel, as the transport knows it. Never what the peer claims. */
export interface PeerAddress {
  /** The scheme's name: `tcp`, `unix`, `ws`, `memory`, … */
  readonly transport: string;
  /** The IP address where there is one. Channels without one are not asked for by ACLs. */
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** What the peer proved of itself in the TLS handshake. */
  readonly certificate?: unknown;
}

/**
 * An ordered byte pipe. Chunk boundaries mean nothing. Whoever writes gives the bytes away: it must not touch them
 * afterwards. After `closed` nothing more is called; `closed` comes exactly once, also after `end` and `destroy`.
 */
export interface Channel {
  readonly peer: PeerAddress;
  /**
   * How long it took from accepting the connection to this channel, in milliseconds: TLS, an HTTP upgrade. The session's
   * handshake has what is left of `handshakeTimeoutMs`; all of it where nothing is said.
   */
  readonly openingMs?: number | undefined;
  /** Begins delivery. Called once; nothing is delivered before, nothing of it is lost. Never calls back synchronously. */
  start(on: ChannelEvents): void;
  /** Takes bytes to send. `false` asks the writer to wait for `drained`; the bytes are taken all the same. */
  write(bytes: Uint8Array): boolean;
  /**
   * Whether nothing of what was written is held here any more: then the writer may use its memory again. Where it is not
   * said, it may not.
   */
  readonly isFlushed?: boolean | undefined;
  /**
   * Takes back a chunk of which the receiver has no view any more, and nobody else: the channel may detach it, or write over
   * it. Where there is no such method, the garbage collector has it.
   */
  giveBack?(chunk: Uint8Array): void;
  /** Stops reading from the peer as far as the platform can; a browser's WebSocket cannot. */
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes. */
  end(): void;
  /** Closes at once; what was not sent is dropped. `error` is handed to `closed`. */
  destroy(error?: Error): void;
  /** Whether the channel keeps the process alive, where the platform knows such a thing; it does until `unref`. */
  ref?(): void;
  unref?(): void;
}

export interface ChannelEvents {
  /** Bytes arrived. What the receiver wants of them after it has returned it copies. */
  chunk(bytes: Uint8Array): void;
  /** After a `write` that said `false`: there is room again. */
  drained(): void;
  /** The channel is gone: orderly without `error`, else why. */
  closed(error?: Error): void;
}

/** Accepts channels at one address. */
export interface Listener {
  /** The address really listened on, port filled in; `""` before. */
  readonly uri: string;
  /** Only this machine can reach it: loopback, a Unix socket, memory. */
  readonly isPrivate: boolean;
  /** Given the service's options before `start`, for a listener that was made without them. */
  configure?(options: ListenOptions): void;
  /** Listens. Rejects with `RpcError` `refused` when the address is in use or not permitted. */
  start(on: ListenerEvents): Promise<void>;
  /** Accepts nothing more. Channels made before are not its concern. */
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

export interface ListenerEvents {
  /** Asked with the peer's address before a byte is answered; `false` closes without a word. */
  accept(peer: PeerAddress): boolean;
  channel(channel: Channel): void;
  error(error: Error): void;
}

/** Makes channels for some schemes. */
export interface Transport {
  readonly schemes: readonly string[];
  /** Connects. Rejects with `RpcError`: `bad-uri`, `unreachable` or `timeout`, all `not-sent`. */
  dial(uri: string, options: DialOptions): Promise<Channel>;
  /** Prepares a listener; it listens when started. @throws RpcError `bad-uri` */
  listen?(uri: string, options: ListenOptions): Listener;
}

export interface DialOptions {
  /** Covers connecting only. Its reason is the error's cause. */
  readonly signal?: AbortSignal | undefined;
  /** Node's `tls.ConnectionOptions`, where the scheme is secure. */
  readonly tls?: object | undefined;
  /** Largest message the session accepts; a transport with messages of its own bounds them by it. */
  readonly maxMessageBytes?: number | undefined;
}

export interface ListenOptions {
  /** Node's `tls.TlsOptions`, where the scheme is secure. */
  readonly tls?: object | undefined;
  /** Origins whose pages may connect over WebSocket; default: the same host. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Addresses and ranges of proxies whose X-Forwarded-For header tells who connects over WebSocket. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Mode of a Unix socket file; default 0o600. */
  readonly unix?: { readonly mode?: number | undefined } | undefined;
  /** Longest time from accepting a connection to its session: who is no channel by then is cut off. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Most connections that may be on their way to a channel at once. */
  readonly maxConnections?: number | undefined;
  readonly maxMessageBytes?: number | undefined;
  /** Says that listening beyond loopback is meant: an ACL, authentication or `insecure` is there. */
  readonly isGuarded?: boolean | undefined;
}
