/** Puts what they stand for in the places of all placeholders of a message, each behind those that are part of it. */
import { RpcError } from "../errors/rpc-error.ts";
import { put, rebuild } from "./hydrate.ts";
import { PackedMarker, RepeatedMarker } from "./packed-marker.ts";
import type { Placeholder } from "./placeholder.ts";

/** Adds to `resolved` what each stands for. @param standsFor is told once all that it holds is in its place */
export function fillInOrder(
  placeholders: readonly Placeholder[],
  resolved: Map<unknown, unknown>,
  standsFor: (placeholder: Placeholder) => unknown,
): void {
  const left = countByHolder(placeholders);
  for (const placeholder of placeholders) {
    const { holder, key } = placeholder;
    const value = placeholder instanceof RepeatedMarker ? again(placeholder.first, resolved) : standsFor(placeholder);
    resolved.set(placeholder, value);
    if (holder && !left.has(holder)) put(holder, key, value);
    else if (holder && isLast(holder, left)) rebuild(holder, resolved, codeOf(placeholder));
  }
}

/** @throws RpcError `protocol` for a value that holds itself, if one could get this far */
function again(first: PackedMarker, resolved: ReadonlyMap<unknown, unknown>): unknown {
  if (resolved.has(first)) return resolved.get(first);
  throw new RpcError("protocol", "a registered value that holds itself", "not-executed");
}

/** For each Map and Set the placeholders in it: it is rebuilt when the last is filled, before what holds it is unpacked. */
function countByHolder(placeholders: readonly Placeholder[]): Map<object, number> {
  const counts = new Map<object, number>();
  for (const { holder } of placeholders) {
    if (holder instanceof Map || holder instanceof Set) counts.set(holder, (counts.get(holder) ?? 0) + 1);
  }
  return counts;
}

function isLast(holder: object, left: Map<object, number>): boolean {
  const count = left.get(holder)! - 1;
  left.set(holder, count);
  return count === 0;
}

/** Whose doing it is when two entries become one. */
function codeOf(placeholder: Placeholder): "invalid-argument" | "protocol" {
  return placeholder instanceof PackedMarker || placeholder instanceof RepeatedMarker ? "invalid-argument" : "protocol";
}
