/** `serialized`: an object whose methods run one at a time. */
import { isRemote, MethodTables, type Platform, RpcError } from "@farref/core";
import { Line } from "./line.ts";
import { serializedKey, serializedObject } from "./object.ts";
import type { Turns } from "./turns.ts";

/**
 * The same object, but its methods run one at a time, in the order of their calls: the next begins when what the last
 * one returned has settled, whether it came from afar or from this process. It cures the race of methods that await
 * between reading and writing. Which methods: those that farref offers. All else is the original's.
 *
 * A method that calls the object again while it runs is let in, by whatever way: directly, by another object, by a
 * callback in another process (a browser knows of calls before a method's first `await` only). A call that is cancelled,
 * or late, while it waits is dropped: `cancelled` or `timeout`, `not-executed`.
 *
 * In this process a method that has to wait returns a promise, even if it is synchronous: await it.
 *
 * An object has one line: serializing it twice gives the same object, unless it is frozen or the like.
 *
 * @throws RpcError `invalid-argument` for a stub, `unsupported-value` for an object with a method named `then`.
 * @example
 * await startService("tcp://127.0.0.1:8787", serialized(new Account()));
 */
export type Serialized = <T extends object>(object: T) => T;

/** `serialized` for a platform, which must be that of its services and connections. */
export function createSerialized(platform: Platform, turns: Turns): Serialized {
  const methods = new MethodTables((prototype) => platform.isPlatformPrototype(prototype));
  return <T extends object>(object: T) => {
    requireOwn(object);
    const serialized = serializedOf(object) ?? serializedObject(object, new Line(turns), methods.of(object));
    if (Object.isExtensible(object)) remember(object, serialized);
    // It has the type of its original: that is all it is made for.
    return serialized as T;
  };
}

interface WithSerialized {
  readonly [serializedKey]?: object;
}

/** What was made of this very object: others may inherit from it. */
function serializedOf(object: object): object | undefined {
  const serialized = (object as WithSerialized)[serializedKey];
  const isItsOwn = serialized === object || Object.hasOwn(object, serializedKey);
  return isItsOwn ? serialized : undefined;
}

function remember(object: object, serialized: object): void {
  if (serialized !== object) Object.defineProperty(object, serializedKey, { configurable: true, value: serialized });
}

function requireOwn(object: object): void {
  const isObject = (typeof object === "object" && object !== null) || typeof object === "function";
  if (isObject && !isRemote(object)) return;
  const got = isObject ? "a remote object, which is serialized where it lives" : typeof object;
  throw new RpcError("invalid-argument", `serialized: expected an object of this process, got ${got}`, "not-sent");
}
