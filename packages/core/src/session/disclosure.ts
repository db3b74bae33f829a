/** What a peer may learn of errors, and what the program learns of the peer's calls. */
import type { PeerAddress } from "../channel/channel.ts";
import { printable } from "../errors/printable.ts";
import { RemoteError } from "../errors/remote-error.ts";
import { RpcError, type RpcErrorCode } from "../errors/rpc-error.ts";
import type { Principal, Session } from "../types/session.ts";
import type { Codec } from "../values/codec.ts";
import type { IncomingCall } from "./incoming-call.ts";
import { passedOn, passedOnRefusal, type Thrown, takeApart } from "./wire-error.ts";

/** One call of a peer's, or one lookup, when it has been answered or never will be. */
export interface AuditEntry {
  readonly sessionId: string;
  readonly peer: PeerAddress;
  readonly principal: Principal | undefined;
  /** As the peer sent it, made printable; `#` and the name for a lookup. */
  readonly method: string;
  /** Whether the method ran, or may have: a call that is passed on to another process is not always heard of again. */
  readonly permitted: boolean;
  /** Why it was refused, or why there was no result to send: `closed` where the session ended first. */
  readonly code: RpcErrorCode | undefined;
  /** Whether the method threw. */
  readonly threw: boolean;
  /** From the arrival of the call to its answer, or to the end of the session. */
  readonly durationMs: number;
}

export interface Disclosure {
  /** Sends the stacks of what methods throw. Off, for they tell paths and versions. */
  readonly exposeStacks?: boolean | undefined;
  /** `true` sends an error that says nothing but its number; a function says what is sent instead. */
  readonly redactErrors?: boolean | ((error: unknown) => Error) | undefined;
  readonly audit?: ((entry: AuditEntry) => void) | undefined;
}

/** Where something was thrown: by the program, or by the far side that it only passes on. */
export type Thrower = "program" | "relay";

/** What a peer is told of something thrown: of what is passed on, refusals as refusals and the rest as it came. */
export function toldOf(
  thrown: unknown,
  by: Thrower,
  disclosure: Disclosure,
  codec: Codec,
  report: (error: Error) => void,
): Thrown | RpcError {
  if (by === "relay" && thrown instanceof RpcError) return passedOnRefusal(thrown);
  if (by === "relay" && thrown instanceof RemoteError) return passedOn(thrown);
  const isPassedOn = by === "relay" && codec.keepsClass(thrown);
  const sent = isPassedOn ? thrown : disclosed(thrown, disclosure, report);
  return takeApart(sent, disclosure.exposeStacks ? "sent" : "kept", codec);
}

/** What is sent of something thrown. The program hears of it under the number that the peer gets. */
function disclosed(thrown: unknown, { redactErrors }: Disclosure, report: (error: Error) => void): unknown {
  if (!redactErrors) return thrown;
  if (typeof redactErrors === "function") return redactedBy(redactErrors, thrown, report);
  return redacted(thrown, report);
}

function redactedBy(redact: (error: unknown) => Error, thrown: unknown, report: (error: Error) => void): Error {
  try {
    return redact(thrown);
  } catch {
    return redacted(thrown, report);
  }
}

function redacted(thrown: unknown, report: (error: Error) => void): Error {
  const id = correlationId();
  report(new Error(`error ${id}, which a peer was told by this number`, { cause: thrown }));
  return Object.assign(new Error(`internal error ${id}`), { id });
}

function correlationId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** How a call ended, for the audit. */
export interface CallEnd {
  readonly permitted: boolean;
  readonly threw: boolean;
  readonly code: RpcErrorCode | undefined;
}

export function auditEntry(call: IncomingCall, session: Session, end: CallEnd, now: number): AuditEntry {
  return {
    sessionId: session.id,
    peer: session.peer,
    principal: session.principal,
    method: printable(call.method),
    ...end,
    durationMs: now - call.receivedAt,
  };
}
