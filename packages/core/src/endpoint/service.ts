/** A listening endpoint with a front object. */

import type { Channel, Listener, PeerAddress } from "../channel/channel.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { toError } from "../errors/to-error.ts";
import { typeName } from "../references/offers.ts";
import { referenceOf } from "../references/stub.ts";
import { inspectKey } from "../references/stub-proxy.ts";
import type { Disclosure } from "../session/disclosure.ts";
import type { Authorize } from "../session/policy.ts";
import { acceptSession } from "../session/server-handshake.ts";
import type { OfferedFront } from "../session/serving.ts";
import type { LiveSession } from "../session/session.ts";
import type { Authenticator } from "../types/authentication.ts";
import type { Session } from "../types/session.ts";
import { encodeName } from "../wire/names.ts";
import { AddressTries } from "./address-tries.ts";
import { checkedHeartbeatMs, Endpoint, type EndpointOptions } from "./endpoint.ts";
import { checkReferable, type Front, PerCall, PerSession } from "./front.ts";
import { TurnedAway } from "./turned-away.ts";

declare const frontOf: unique symbol;

/** A listening endpoint: made by `startService`, ended by `close`, `drain` or `await using`. */
export interface Service<F> extends AsyncDisposable {
  readonly [frontOf]?: F;
  /** The first address really listened on, port filled in; it stays when the service has closed. */
  readonly uri: string;
  readonly uris: readonly string[];
  /** The established sessions. */
  readonly sessions: ReadonlySet<Session>;
  /** Settles when nothing is left of the service. */
  readonly closed: Promise<void>;
  /** Makes an object reachable as `uri + "#" + name`; a taken name is replaced. */
  publish(name: string, object: object): void;
  /** Takes a name back; stubs of the object live on. `false` when it was not published. */
  unpublish(name: string): boolean;
  /** Finishes running calls, refuses new ones as `not-executed`, then closes; after `timeoutMs` (30 s) in any case. */
  drain(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /** Ends every session at once; settles when nothing is left. */
  close(): Promise<void>;
  /** Whether the service keeps the process alive; it does until `unref`. */
  ref(): this;
  unref(): this;
}

/** What a client writes as `T`: `connect<FrontOf<typeof service>>(…)`. */
// biome-ignore lint/suspicious/noExplicitAny: any service will do; `unknown` would refuse all others.
export type FrontOf<S extends Service<any>> = S extends Service<infer F> ? F : never;

export interface ServiceKernelOptions extends EndpointOptions, Disclosure {
  /** Whether a peer may connect at all: asked before a byte is answered. */
  readonly admits?: ((peer: PeerAddress) => boolean) | undefined;
  /** Who connects has to prove who they are by one of these. */
  readonly authenticators?: readonly Authenticator[] | undefined;
  readonly authorize?: readonly Authorize[] | undefined;
  readonly heartbeatMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const defaultDrainMs = 30_000;

/** Serves a front on listeners that are not started yet. Rejects with RpcError `refused` if one can't listen. */
export async function openService<F extends object>(
  listeners: readonly Listener[],
  front: Front<F> | undefined,
  options: ServiceKernelOptions,
): Promise<Service<F>> {
  const service = new LiveService<F>(listeners, front, options);
  await service.start();
  return service;
}

class LiveService<F extends object> implements Service<F> {
  declare readonly [frontOf]?: F;
  readonly closed: Promise<void>;
  readonly #listeners: readonly Listener[];
  /** Those that are ours to close: one that did not let us start it may be another service's. */
  readonly #started = new Set<Listener>();
  readonly #front: Front<F> | undefined;
  readonly #options: ServiceKernelOptions;
  readonly #endpoint: Endpoint;
  readonly #tries: AddressTries;
  readonly #turnedAway: TurnedAway;
  readonly #heartbeatMs: number;
  readonly #sessions = new Set<LiveSession>();
  /** Channels that are not sessions yet, or never will be and are not gone. */
  readonly #channels = new Set<Channel>();
  /** A listener that has stopped forgets where it listened. */
  #lastUris: readonly string[] = [];
  #state: "open" | "draining" | "closed" = "open";
  #isUnreferenced = false;
  #closing: Promise<void> | undefined;
  #tellClosed!: () => void;

  constructor(listeners: readonly Listener[], front: Front<F> | undefined, options: ServiceKernelOptions) {
    this.#listeners = listeners;
    this.#front = front;
    this.#options = options;
    this.#heartbeatMs = checkedHeartbeatMs(options.heartbeatMs);
    if (isShared(front)) checkReferable(front, "a front");
    this.#endpoint = new Endpoint(options, isShared(front) ? [front] : []);
    const { clock, onError } = this.#endpoint.environment;
    this.#tries = new AddressTries(clock);
    this.#turnedAway = new TurnedAway(clock, onError);
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  get uri(): string {
    return this.uris[0] ?? "";
  }

  get uris(): readonly string[] {
    return this.#listeners.map((listener, i) => listener.uri || (this.#lastUris[i] ?? ""));
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  async start(): Promise<void> {
    const { signal } = this.#options;
    try {
      if (isShared(this.#front)) checkOffered(this.#endpoint, this.#front);
      signal?.throwIfAborted();
      signal?.addEventListener("abort", this.#onAbort, { once: true });
      for (const listener of this.#listeners) await this.#startListener(listener);
      this.#lastUris = this.uris;
      signal?.throwIfAborted();
    } catch (error) {
      await this.close();
      throw asStartError(error, signal);
    }
  }

  publish(name: string, object: object): void {
    checkName(name);
    checkReferable(object, "what is published");
    checkOffered(this.#endpoint, object);
    this.#endpoint.publish(name, object);
  }

  unpublish(name: string): boolean {
    return this.#endpoint.unpublish(name);
  }

  async drain({ timeoutMs = defaultDrainMs }: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    if (this.#state === "open") this.#state = "draining";
    const timer = this.#endpoint.environment.clock.setTimer(timeoutMs, () => void this.close());
    await this.#stopListening();
    for (const session of this.#sessions) session.drain();
    await Promise.all(Array.from(this.#sessions, (session) => session.closed));
    timer.cancel();
    await this.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  ref(): this {
    this.#isUnreferenced = false;
    for (const part of [...this.#listeners, ...this.#sessions]) part.ref();
    return this;
  }

  unref(): this {
    this.#isUnreferenced = true;
    for (const part of [...this.#listeners, ...this.#sessions]) part.unref();
    return this;
  }

  /** How Node prints it, in the manner of stubs. */
  [inspectKey](): string {
    const name = isShared(this.#front) ? typeName(this.#front) : "";
    const what = ["service", name, this.uris.join(" ")].filter((word) => word !== "").join(" ");
    return `[${what}${this.#state === "open" ? "" : `, ${this.#state}`}]`;
  }

  readonly #onAbort = (): void => void this.close();

  async #startListener(listener: Listener): Promise<void> {
    this.#started.add(listener);
    try {
      await listener.start({
        accept: (peer) => this.#accepts(peer),
        channel: (channel) => void this.#accept(channel),
        error: (error) => this.#turnedAway.tell(error),
      });
    } catch (error) {
      this.#started.delete(listener);
      throw error;
    }
  }

  #accepts(peer: PeerAddress): boolean {
    if (this.#state !== "open") return false;
    const { maxConnections } = this.#endpoint.environment.limits;
    if (this.#sessions.size + this.#channels.size >= maxConnections) {
      const detail = `${addressOf(peer)} finds ${maxConnections} connections here (limits.maxConnections)`;
      this.#turnedAway.tell(new RpcError("overloaded", detail, "not-sent"));
      return false;
    }
    const isAdmitted = this.#options.admits?.(peer) ?? true;
    if (!isAdmitted)
      this.#turnedAway.tell(new RpcError("denied", `${addressOf(peer)} may not connect (acl)`, "not-sent"));
    return isAdmitted;
  }

  /** Makes a session of a channel. What goes wrong meanwhile concerns the peer and `onError`, never the service. */
  async #accept(channel: Channel): Promise<void> {
    const { environment } = this.#endpoint;
    this.#channels.add(channel);
    try {
      const session = await acceptSession(channel, {
        environment,
        heartbeatMs: this.#heartbeatMs,
        address: addressOf(channel.peer),
        authenticators: this.#options.authenticators ?? [],
        tries: this.#tries,
        authorize: this.#options.authorize ?? [],
        disclosure: this.#options,
        offer: (made) => this.#offer(made),
        gone: () => this.#channels.delete(channel),
      });
      this.#channels.delete(channel);
      this.#add(session);
    } catch (error) {
      if (this.#state !== "closed") this.#turnedAway.tell(toReport(error));
    }
  }

  #add(session: LiveSession): void {
    if (session.state === "closed" || this.#sessions.has(session)) return;
    this.#sessions.add(session);
    if (this.#isUnreferenced) session.unref();
    void session.closed.then(() => this.#sessions.delete(session));
    if (this.#state === "draining") session.drain();
    if (this.#state === "closed") session.close();
  }

  async #offer(session: Session): Promise<OfferedFront> {
    const front = this.#front;
    if (front === undefined) return { kind: "none" };
    if (front instanceof PerSession) return { kind: "own", object: await PerSession.make(front, session) };
    if (front instanceof PerCall) return { kind: "perCall", make: (caller) => PerCall.make(front, caller) };
    return { kind: "shared", object: front };
  }

  async #stopListening(): Promise<void> {
    this.#lastUris = this.uris;
    await Promise.all(Array.from(this.#started, (listener) => listener.close()));
  }

  async #close(): Promise<void> {
    this.#state = "closed";
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const sessions = [...this.#sessions];
    for (const session of sessions) session.close("the service was closed");
    for (const channel of this.#channels) channel.destroy();
    await this.#stopListening();
    await Promise.all(sessions.map((session) => session.gone));
    this.#endpoint.close();
    this.#tellClosed();
  }
}

function isShared<F extends object>(front: Front<F> | undefined): front is F {
  return front !== undefined && !(front instanceof PerSession) && !(front instanceof PerCall);
}

/** @throws RpcError `invalid-argument` for a name that an address could not select */
function checkName(name: unknown): void {
  if (typeof name !== "string" || name === "" || name.includes("#")) {
    throw new RpcError("invalid-argument", "publish: expected a name without #, of one character or more", "not-sent");
  }
  encodeName(name, "publish: the name");
}

/** A front that can't be offered is told at once, not to the first client. */
function checkOffered({ environment }: Endpoint, object: object): void {
  try {
    if (typeof object !== "function" && !referenceOf(object)) environment.methods.of(object);
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError("unsupported-value", "the object does not let its methods be read", "not-sent", {
      cause: error,
    });
  }
}

function addressOf({ transport, address, port }: PeerAddress): string {
  if (address === undefined) return `${transport}:`;
  return `${transport}://${address.includes(":") ? `[${address}]` : address}${port === undefined ? "" : `:${port}`}`;
}

/** Of what the program's own code threw it hears itself, not what the client was told of it. */
function toReport(error: unknown): Error {
  const isOurs = error instanceof RpcError && (error.code === "internal" || error.code === "unauthenticated");
  const told = isOurs && error.cause !== undefined ? error.cause : error;
  return toError(told);
}

function asStartError(cause: unknown, signal: AbortSignal | undefined): RpcError {
  if (signal?.aborted) {
    return new RpcError("cancelled", "starting the service was cancelled", "not-sent", { cause: signal.reason });
  }
  if (cause instanceof RpcError) return cause;
  return new RpcError("refused", "the service could not be started", "not-sent", { cause });
}
