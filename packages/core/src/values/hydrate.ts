/** The pass after decoding that puts stubs where markers stand. A message without references has none to put. */
import { RpcError, type RpcErrorCode } from "../errors/rpc-error.ts";
import type { Decoded, Importer } from "./codec.ts";
import { Marker } from "./references.ts";

export function hydrate<T>(decoded: Decoded<T>, importer: Importer): T {
  const { value, references } = decoded;
  if (references.length === 0) return value;
  const [first] = references;
  // What a marker stands for is what the caller expects of the value. Most results with a reference are no more than it.
  if (first !== undefined && first === value) return importer.resolve(first) as T;
  const resolved = new Map<unknown, unknown>();
  const keyed = new Set<object>();
  for (const marker of references) {
    const target = importer.resolve(marker);
    resolved.set(marker, target);
    if (!(marker instanceof Marker) || marker.holder === undefined) continue;
    if (marker.holder instanceof Map || marker.holder instanceof Set) keyed.add(marker.holder);
    else put(marker.holder, marker.key, target);
  }
  for (const holder of keyed) rebuild(holder, resolved, "protocol");
  // The root is a marker, and what it stands for is what the caller expects of the decoded value.
  return resolved.has(value) ? (resolved.get(value) as T) : value;
}

/** Keeps what the property is: `cause` of an error stays hidden, a key named `__proto__` stays data. */
export function put(holder: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(holder, key, { value });
}

/** A Map or a Set anew, in its order. @throws RpcError when two entries have become one */
export function rebuild(holder: object, resolved: ReadonlyMap<unknown, unknown>, code: RpcErrorCode): void {
  const standsFor = (item: unknown) => (resolved.has(item) ? resolved.get(item) : item);
  if (holder instanceof Map) {
    const entries = [...holder];
    holder.clear();
    for (const [key, value] of entries) holder.set(standsFor(key), standsFor(value));
    requireSize(holder.size, entries.length, code);
  } else if (holder instanceof Set) {
    const members = [...holder];
    holder.clear();
    for (const member of members) holder.add(standsFor(member));
    requireSize(holder.size, members.length, code);
  }
}

function requireSize(size: number, expected: number, code: RpcErrorCode): void {
  if (size === expected) return;
  throw new RpcError(code, "two keys of one Map or members of one Set are the same object", "not-executed");
}
