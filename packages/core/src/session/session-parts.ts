/** The parts of a session, and what each is told of the others. */
import { ExportTable } from "../references/export-table.ts";
import type { ReferenceOwner } from "../references/far-reference.ts";
import { ImportTable } from "../references/import-table.ts";
import { Offers } from "../references/offers.ts";
import type { Principal, Session } from "../types/session.ts";
import type { Link } from "../wire/link.ts";
import { Arrivals } from "./arrivals.ts";
import { relayedOptions } from "./current-call.ts";
import { Departures } from "./departures.ts";
import type { Disclosure } from "./disclosure.ts";
import { Downs } from "./downs.ts";
import type { Agreement, SessionEnvironment } from "./environment.ts";
import { HeldCalls } from "./held-calls.ts";
import { OutgoingCalls } from "./outgoing-calls.ts";
import { Pipelines, type PipelinesOptions } from "./pipelines.ts";
import type { Authorize } from "./policy.ts";
import { Releases } from "./releases.ts";
import { Serving } from "./serving.ts";
import { SessionSignals } from "./session-signals.ts";
import { SessionStreams } from "./session-streams.ts";
import { Settlement } from "./settlement.ts";

export interface SessionOptions {
  readonly environment: SessionEnvironment;
  readonly agreement: Agreement;
  readonly link: Link;
  /** The peer's address as people know it. */
  readonly address: string;
  readonly principal: Principal | undefined;
  readonly authorize: readonly Authorize[];
  readonly disclosure: Disclosure;
}

/** What the parts ask of their session. */
export interface SessionPartsHost extends Pick<PipelinesOptions, "callOn" | "requireSession"> {
  readonly session: Session & ReferenceOwner;
  /** An answer was written, which the peer may leave unread. */
  answered(): void;
  /** A stream has ended. */
  streamEnded(): void;
}

export interface SessionParts {
  readonly exports: ExportTable;
  readonly imports: ImportTable;
  readonly streams: SessionStreams;
  readonly signals: SessionSignals;
  readonly outgoing: OutgoingCalls;
  readonly releases: Releases;
  readonly downs: Downs;
  readonly serving: Serving;
  readonly settlement: Settlement;
  readonly pipelines: Pipelines;
}

/** Nothing happens before all of them are there: what the first tell the last, they tell later. */
export function joinParts(options: SessionOptions, host: SessionPartsHost): SessionParts {
  const { environment, agreement, link } = options;
  const { clock, codec, limits } = environment;
  const { session } = host;
  const { outbox } = link;
  const { peerLimits } = agreement;
  const shared = { ...options, session, outbox, peerLimits };
  const onError = (error: Error) => environment.onError(error, session);
  const held = new HeldCalls();
  const exports = new ExportTable({
    maxExports: Math.min(limits.maxExports, peerLimits.maxImports),
    offers: new Offers(environment.methods, relayedOptions),
    held: environment.held,
    isPinned: (object) => environment.isPinned(object),
    isOurImport: (reference) => reference.owner === session,
    tellDown: (id, down) => downs.add(id, down),
  });
  const streams = new SessionStreams({ ...shared, ended: host.streamEnded });
  const signals = new SessionSignals({ ...shared, held });
  const departures = new Departures(exports, session, streams.outgoing, signals);
  const outgoing = new OutgoingCalls({
    ...shared,
    departures,
    held,
    runningForPeer: (): number => serving.running.size,
    awaiting: () => serving.pump(),
    unheard: onError,
  });
  const releases = new Releases(clock, outbox, held);
  const downs = new Downs({ clock, outbox, held });
  const imports = new ImportTable({
    owner: session,
    clock,
    collections: environment.collections,
    front: agreement.peerFront ?? { kind: "object", name: "" },
    maxImports: limits.maxImports,
    maxPeerExports: peerLimits.maxExports,
    release: (id, count) => releases.add(id, count),
    collectGarbage: () => environment.collectGarbage(),
    onError,
  });
  const arrivals = new Arrivals({ codec, exports, imports, releases, streams: streams.incoming, signals });
  streams.join(departures, arrivals);
  signals.join(departures, arrivals);
  const serving = new Serving({
    ...shared,
    exports,
    departures,
    arrivals,
    awaitedCalls: () => outgoing.awaitedCount,
    occupied: () => outgoing.pump(),
    answered: host.answered,
  });
  const settlement = new Settlement(environment, outgoing, arrivals, streams);
  const pipelines = new Pipelines({ ...host, clock, outgoing, arrivals, streams });
  return { exports, imports, streams, signals, outgoing, releases, downs, serving, settlement, pipelines };
}
