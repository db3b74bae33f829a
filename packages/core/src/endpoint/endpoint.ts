/** What a process's presence has, whether it serves or connects: a codec, memory, tables of methods and held objects. */
import type { Clock } from "../clock/clock.ts";
import { systemClock } from "../clock/system-clock.ts";
import { RpcError } from "../errors/rpc-error.ts";
import { type LimitOptions, resolveLimits } from "../limits/limits.ts";
import { Collections } from "../references/collections.ts";
import { HeldObjects } from "../references/held-objects.ts";
import { MethodTables } from "../references/method-table.ts";
import { createCollectedSignals } from "../references/own-signals.ts";
import type { SessionEnvironment } from "../session/environment.ts";
import type { CallPasses } from "../session/passes.ts";
import { createDroppedStreams } from "../streams/incoming-streams.ts";
import type { Session } from "../types/session.ts";
import { createCodec } from "../values/message-pack.ts";
import type { TypeTable } from "../values/value-type.ts";
import { ReadingTurns } from "../wire/reading-turns.ts";
import { Slabs } from "../wire/slabs.ts";

/** What a platform knows that core can't. */
export interface Platform {
  /** Whether a prototype belongs to one of the platform's own modules: its methods are never offered. */
  isPlatformPrototype(prototype: object): boolean;
  /** Asks the engine to collect garbage, where it can be asked. */
  collectGarbage(): void;
  /** Keeps quiet about a signal with many listeners: each session that a program gives it to needs one. */
  expectListeners(signal: AbortSignal): void;
  /** Which call is part of which: what lets calls back into a serialized object. */
  readonly passes?: CallPasses | undefined;
}

/** Knows nothing: enough where built-in classes are recognised by themselves, as in browsers. */
export const plainPlatform: Platform = {
  isPlatformPrototype: () => false,
  collectGarbage: () => {},
  expectListeners: () => {},
};

export interface EndpointOptions {
  readonly limits?: LimitOptions | undefined;
  /** Classes whose instances travel as data. */
  readonly types?: TypeTable | undefined;
  readonly platform?: Platform | undefined;
  readonly clock?: Clock | undefined;
  readonly callTimeoutMs?: number | undefined;
  readonly onError?: ((error: Error, session?: Session) => void) | undefined;
  /** Memory for outgoing batches, shared where a process has many endpoints. */
  readonly slabs?: Slabs | undefined;
}

export class Endpoint {
  readonly environment: SessionEnvironment;
  readonly #published = new Map<string, object>();
  readonly #fronts: object[];
  /** Fronts and published objects. */
  #pinned: ReadonlySet<object>;

  /** @throws RpcError `invalid-argument` for a limit that is none */
  constructor(options: EndpointOptions, fronts: readonly object[]) {
    const { platform = plainPlatform, clock = systemClock } = options;
    const isPinned = (object: object) => this.#pinned.has(object);
    const onError = guarded(options.onError);
    this.#fronts = [...fronts];
    this.#pinned = new Set(fronts);
    this.environment = {
      clock,
      codec: createCodec(options.types),
      slabs: options.slabs ?? new Slabs(),
      turns: new ReadingTurns(clock),
      limits: resolveLimits(options.limits),
      methods: new MethodTables((prototype) => platform.isPlatformPrototype(prototype)),
      held: new HeldObjects(onError),
      collections: new Collections(),
      droppedStreams: createDroppedStreams(),
      collectedSignals: createCollectedSignals(),
      sourcesInUse: new WeakSet(),
      passes: platform.passes,
      isPinned,
      published: (name) => this.#published.get(name),
      callTimeoutMs: checkedCallTimeoutMs(options.callTimeoutMs),
      collectGarbage: () => platform.collectGarbage(),
      expectListeners: (signal) => platform.expectListeners(signal),
      onError,
    };
    for (const front of fronts) this.environment.held.keep(front);
  }

  publish(name: string, object: object): void {
    this.unpublish(name);
    this.#published.set(name, object);
    this.environment.held.keep(object);
    this.#pin();
  }

  unpublish(name: string): boolean {
    const object = this.#published.get(name);
    if (!object) return false;
    this.#published.delete(name);
    this.environment.held.unkeep(object);
    this.#pin();
    return true;
  }

  /** What it offered is offered no more. */
  close(): void {
    for (const object of this.#fronts.splice(0)) this.environment.held.unkeep(object);
    for (const name of [...this.#published.keys()]) this.unpublish(name);
  }

  #pin(): void {
    this.#pinned = new Set([...this.#fronts, ...this.#published.values()]);
  }
}

/** The interval of heartbeats a program asks for. @throws RpcError `invalid-argument` for anything but a positive number */
export function checkedHeartbeatMs(heartbeatMs: number = defaultHeartbeatMs): number {
  if (heartbeatMs > 0) return heartbeatMs;
  throw new RpcError("invalid-argument", `heartbeatMs: expected a positive number, got ${heartbeatMs}`, "not-sent");
}

const defaultHeartbeatMs = 15_000;

function checkedCallTimeoutMs(callTimeoutMs: number | undefined): number | undefined {
  if (callTimeoutMs === undefined || callTimeoutMs > 0) return callTimeoutMs;
  const detail = `callTimeoutMs: expected a positive number, got ${callTimeoutMs}`;
  throw new RpcError("invalid-argument", detail, "not-sent");
}

/** A program's listener that throws must not break the session that reports to it. */
function guarded(onError: EndpointOptions["onError"]): (error: Error, session?: Session) => void {
  return (error, session) => {
    try {
      onError?.(error, session);
    } catch {
      // There is nobody left to tell.
    }
  };
}
