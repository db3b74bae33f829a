/** The pass after decoding that puts stubs where markers stand. A message without references has none to put. */
import { RpcError } from "../errors/rpc-error.ts";
import type { Decoded, Importer } from "./codec.ts";
import { Marker } from "./references.ts";

export function hydrate<T>(decoded: Decoded<T>, importer: Importer): T {
  const { value, references } = decoded;
  if (references.length === 0) return value;
  const resolved = new Map<unknown, unknown>();
  const keyed = new Set<object>();
  for (const marker of references) {
    const target = importer.resolve(marker);
    resolved.set(marker, target);
    if (!(marker instanceof Marker) || marker.holder === undefined) continue;
    if (marker.holder instanceof Map || marker.holder instanceof Set) keyed.add(marker.holder);
    else put(marker.holder, marker.key, target);
  }
  for (const holder of keyed) rebuild(holder, resolved);
  // The root is a marker, and what it stands for is what the caller expects of the decoded value.
  return resolved.has(value) ? (resolved.get(value) as T) : value;
}

/** Keeps what the property is: `cause` of an error stays hidden, a key named `__proto__` stays data. */
function put(holder: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(holder, key, { value });
}

/** A Map or a Set anew, in its order. @throws RpcError `protocol` when two entries have become one */
function rebuild(holder: object, resolved: ReadonlyMap<unknown, unknown>): void {
  const stubFor = (item: unknown) => (resolved.has(item) ? resolved.get(item) : item);
  if (holder instanceof Map) {
    const entries = [...holder];
    holder.clear();
    for (const [key, value] of entries) holder.set(stubFor(key), stubFor(value));
    requireSize(holder.size, entries.length);
  } else if (holder instanceof Set) {
    const members = [...holder];
    holder.clear();
    for (const member of members) holder.add(stubFor(member));
    requireSize(holder.size, members.length);
  }
}

function requireSize(size: number, expected: number): void {
  if (size === expected) return;
  throw new RpcError("protocol", "two keys of one Map or members of one Set are the same reference", "not-executed");
}
