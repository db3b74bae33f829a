/** What a session needs from the endpoint it belongs to, and what the handshake has agreed on. */
import type { Clock } from "../clock/clock.ts";
import type { Limits } from "../limits/limits.ts";
import type { Collections } from "../references/collections.ts";
import type { HeldObjects } from "../references/held-objects.ts";
import type { MethodTables } from "../references/method-table.ts";
import type { CollectedSignals } from "../references/own-signals.ts";
import type { DroppedStreams } from "../streams/incoming-streams.ts";
import type { SourcesInUse } from "../streams/outgoing-streams.ts";
import type { Session } from "../types/session.ts";
import type { Codec } from "../values/codec.ts";
import type { ReadingTurns } from "../wire/reading-turns.ts";
import type { Slabs } from "../wire/slabs.ts";
import type { CallPasses } from "./passes.ts";

export interface SessionEnvironment {
  readonly clock: Clock;
  readonly codec: Codec;
  readonly slabs: Slabs;
  readonly turns: ReadingTurns;
  readonly limits: Limits;
  readonly methods: MethodTables;
  readonly held: HeldObjects;
  readonly collections: Collections;
  readonly droppedStreams: DroppedStreams;
  readonly collectedSignals: CollectedSignals;
  readonly sourcesInUse: SourcesInUse;
  /** Missing where nothing is serialized. */
  readonly passes: CallPasses | undefined;
  /** The longest a call that is served may take; `undefined` for no limit. */
  readonly callTimeoutMs: number | undefined;
  /** Fronts and published objects of the endpoint. */
  isPinned(object: object): boolean;
  /** The object published under a name. */
  published(name: string): object | undefined;
  collectGarbage(): void;
  /** A signal of the program's gets more listeners than platforms find usual. */
  expectListeners(signal: AbortSignal): void;
  onError(error: Error, session?: Session): void;
}

/** The limits that the other side must know. */
export type SharedLimits = Pick<
  Limits,
  | "maxMessageBytes"
  | "maxDepth"
  | "maxNodes"
  | "maxRunningCalls"
  | "maxQueuedCalls"
  | "maxExports"
  | "maxImports"
  | "maxCallDepth"
  | "maxStreams"
>;

/** What both hellos together say. */
export interface Agreement {
  readonly sessionId: string;
  readonly peerLimits: SharedLimits;
  readonly heartbeatMs: number;
  /** What the peer offers; `null` when it offers nothing. */
  readonly peerFront: FrontNote | null;
}

/** A front as its owner announces it: enough for a stub. */
export interface FrontNote {
  readonly kind: "object" | "function";
  /** The class's or function's name, for printing. */
  readonly name: string;
}
