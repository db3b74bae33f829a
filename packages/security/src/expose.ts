/** An allowlist for one object: what is named can be called from afar, nothing else. */
import {
  type ByReferenceMark,
  boundMethod,
  byReference,
  isOfferable,
  type Method,
  type MethodName,
  offerInPlaceOf,
  RpcError,
} from "@farref/core";

/**
 * Offers the named methods of an object, and only those; built-in ones too, which are never offered of themselves. The
 * result travels as a reference, may be a front or be published, and disposes the object when it is disposed; revoking one
 * revokes the other.
 *
 * @throws RpcError `invalid-argument` for a name that is no method or can never be offered (`then`, `constructor`, `_…`).
 * @example
 * await startService("tcp://127.0.0.1:8787", expose(new Map<string, number>(), ["get", "set"]));
 */
export function expose<T extends object, M extends MethodName<T>>(
  object: T,
  methods: readonly M[],
): Pick<T, M> & ByReferenceMark {
  const exposed: Record<string, unknown> = {};
  for (const name of methods) exposed[name] = boundMethod(object, methodOf(object, name));
  const dispose = findValue(object, Symbol.dispose);
  if (typeof dispose === "function") {
    Object.defineProperty(exposed, Symbol.dispose, { value: () => Reflect.apply(dispose, object, []) });
  }
  return byReference(offerInPlaceOf(exposed, object)) as Pick<T, M> & ByReferenceMark;
}

function methodOf(object: object, name: string): Method {
  const method = isOfferable(name) && name !== "then" ? findValue(object, name) : undefined;
  if (typeof method === "function") return method;
  throw new RpcError("invalid-argument", `expose: ${JSON.stringify(name)} is not a method to be offered`, "not-sent");
}

/** The value of a property, wherever it is declared; `undefined` for accessors, which are not run. */
export function findValue(object: object, key: PropertyKey): unknown {
  for (let holder: object | null = object; holder; holder = Object.getPrototypeOf(holder)) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key);
    if (descriptor) return descriptor.value;
  }
  return undefined;
}
