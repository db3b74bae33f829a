/** What a hostile peer sends, a row each: bytes that repeat as fast as the server takes them. */
import { call, cancel, firstFragment, frame, lookup } from "./wire.ts";

export interface Attack {
  readonly name: string;
  /** Many frames at a time; `from` is the first call number that is free. Without it, the attack is no flood of frames. */
  readonly frames?: (from: number) => { readonly bytes: Uint8Array; readonly nextId: number };
  /** Whether the attacker reads what it is answered. */
  readonly reads: boolean;
  /** How many connections flood at once; one without it. */
  readonly connections?: number;
}

const framesAtATime = 2_000;
/** Batches of frames: ten megabytes or so. */
const maxKept = 250;

export const attacks: readonly Attack[] = [
  // Nobody is attacked: what a third busy process alone does to the figures of this machine.
  { name: "a busy process beside it", reads: true },
  { name: "pings", reads: true, frames: unnumbered(frame(0x04)) },
  { name: "pings, answers unread", reads: false, frames: unnumbered(frame(0x04)) },
  { name: "frames nobody knows", reads: true, frames: unnumbered(frame(0x3e)) },
  { name: "frames said to be unknown", reads: true, frames: unnumbered(frame(0x88, Uint8Array.of(0x3e))) },
  { name: "frames to skip, of a kibibyte", reads: true, frames: unnumbered(frame(0xbe, new Uint8Array(1_020))) },
  { name: "calls, all at once", reads: true, frames: repeated((id) => [call(id, "add")], 1) },
  { name: "calls of unknown methods", reads: true, frames: repeated((id) => [call(id, "nowhere")], 1) },
  { name: "calls cancelled at once", reads: true, frames: repeated((id) => [call(id, "add"), cancel(id)], 2) },
  { name: "lookups", reads: true, frames: repeated((id) => [lookup(id, "nowhere")], 1) },
  { name: "messages that never end", reads: true, frames: repeated((id) => [firstFragment(id)], 1) },
  { name: "pings, 20 connections", reads: true, connections: 20, frames: unnumbered(frame(0x04)) },
  { name: "calls, 20 connections", reads: true, connections: 20, frames: repeated((id) => [call(id, "add")], 1) },
];

/** One frame again and again, made once: it costs the attacker nothing. */
function unnumbered(each: Uint8Array): NonNullable<Attack["frames"]> {
  const bytes = Buffer.concat(Array.from({ length: framesAtATime }, () => each));
  return (from) => ({ bytes, nextId: from + framesAtATime });
}

/** The same frames with fresh numbers, again and again: made once too, as far as a connection gets in a round. */
function repeated(make: (id: number) => readonly Uint8Array[], framesEach: number): NonNullable<Attack["frames"]> {
  const count = framesAtATime / framesEach;
  const made = new Map<number, Uint8Array>();
  return (from) => {
    const bytes = made.get(from) ?? Buffer.concat(Array.from({ length: count }, (_, i) => make(from + i)).flat());
    if (made.size < maxKept) made.set(from, bytes);
    return { bytes, nextId: from + count };
  };
}
