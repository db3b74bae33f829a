/**
 * The local stand-in for a far object: a proxy whose string properties are methods. Everything a program does to a value
 * without meaning a call (awaiting, printing, comparing, spreading) is answered here, from what is known.
 */
import { referenceMark } from "../values/marks.ts";
import type { CallerContract } from "./contracts.ts";
import type { FarReference } from "./far-reference.ts";
import { type FarFunction, functionMember } from "./function-members.ts";
import { type Manner, plainly, Target, targetKey, targetOf } from "./stub-target.ts";

/** The stub of a reference; later calls give the same. */
export function stubOf(reference: FarReference): object {
  reference.stub ??= createStub(reference, plainly);
  return reference.stub;
}

/** The stub of a reference under a contract of this side; later calls give the same. */
export function stubUnder(reference: FarReference, contract: CallerContract): object {
  reference.views ??= new Map();
  let view = reference.views.get(contract);
  if (!view) {
    view = createStub(reference, { ...plainly, contract });
    reference.views.set(contract, view);
  }
  return view;
}

/** A stub that calls in a manner of its own: another with each call. */
export function createStub(reference: FarReference, manner: Manner): object {
  return reference.kind === "function"
    ? new Proxy(shadowFunction(new FunctionTarget(reference, manner)), functionTraps)
    : new Proxy(new ShadowObject(reference, manner), objectTraps);
}

/** What stands for a stub or a view of it when it is passed on: under two contracts it is two objects. */
export function passedOn(value: object): object {
  const target = targetOf(value);
  return target ? baseOf(target) : value;
}

function baseOf(target: Target): object {
  const { contract } = Target.manner(target);
  const reference = Target.reference(target);
  return contract ? stubUnder(reference, contract) : stubOf(reference);
}

/** Names that belong to promises, to printing, to comparing and to classes: `undefined`, so that nobody takes a stub for one. */
export const absentNames: ReadonlySet<string> = new Set([
  "then",
  "catch",
  "finally",
  "toJSON",
  "constructor",
  "prototype",
  "$$typeof",
  "asymmetricMatch",
  "@@__IMMUTABLE_ITERABLE__@@",
  "@@__IMMUTABLE_RECORD__@@",
]);

export const inspectKey: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;
/** Shown by what lists properties, as JSON does. */
const descriptionKey = "$remote";

/** The proxied object: Node prints this one, not the proxy. */
class ShadowObject extends Target {
  readonly [descriptionKey] = "";
  declare readonly [inspectKey]: () => string;
}

// Called on the proxy; on the proxied object, where proxies are shown.
Object.defineProperty(ShadowObject.prototype, inspectKey, {
  value(this: ShadowObject) {
    return Target.reference(targetOf(this) ?? this).describe();
  },
});

/** What a function's stub knows of the function. */
class FunctionTarget extends Target implements FarFunction {
  get name(): string {
    return Target.reference(this).name;
  }

  call(...args: unknown[]): unknown {
    return Target.method(this, "")(...args);
  }
}

interface ShadowFunction {
  (): void;
  readonly [targetKey]: FunctionTarget;
}

type Shadow = ShadowObject | ShadowFunction;

/** Any callable will do; it is never called itself. */
function shadowFunction(target: FunctionTarget): ShadowFunction {
  const shadow = Object.defineProperty(() => {}, targetKey, { value: target });
  // Configurable: the get trap may answer otherwise.
  Object.defineProperty(shadow, inspectKey, { configurable: true, value: () => Target.reference(target).describe() });
  return shadow as ShadowFunction; // defineProperty tells the type nothing
}

/** What every stub answers itself. */
function local(target: Target, key: string | symbol): unknown {
  if (typeof key === "symbol") return localSymbol(target, key);
  if (key === "toString") return () => Target.reference(target).describe();
  if (key === "valueOf") return () => baseOf(target);
  if (key === descriptionKey) return Target.reference(target).describe();
  return undefined;
}

function localSymbol(target: Target, key: symbol): unknown {
  const reference = Target.reference(target);
  switch (key) {
    case targetKey:
      return target;
    case referenceMark:
      return true;
    case Symbol.toPrimitive:
    case inspectKey:
      return () => reference.describe();
    case Symbol.dispose:
      return () => reference.release();
    case Symbol.asyncDispose:
      return reference.isRoot ? () => reference.owner.connection.close() : undefined;
    default:
      return undefined;
  }
}

const localNames: ReadonlySet<string> = new Set(["toString", "valueOf", descriptionKey]);

function refuseChange(shadow: Shadow, key: string | symbol): never {
  const target = shadow instanceof Target ? shadow : shadow[targetKey];
  throw new TypeError(`cannot change ${String(key)} of ${Target.reference(target).describe()}: call a method`);
}

const commonTraps = {
  set: (shadow: Shadow, key: string | symbol) => refuseChange(shadow, key),
  defineProperty: (shadow: Shadow, key: string | symbol) => refuseChange(shadow, key),
  deleteProperty: (shadow: Shadow, key: string | symbol) => refuseChange(shadow, key),
  setPrototypeOf: (shadow: Shadow) => refuseChange(shadow, "prototype"),
  preventExtensions: (shadow: Shadow) => refuseChange(shadow, "extensibility"),
};

const objectTraps: ProxyHandler<ShadowObject> = {
  ...commonTraps,
  get(target, key) {
    if (typeof key === "symbol") return localSymbol(target, key);
    const known = Target.known(target, key);
    if (known) return known;
    if (localNames.has(key)) return local(target, key);
    return absentNames.has(key) ? undefined : Target.method(target, key);
  },
};

const functionTraps: ProxyHandler<ShadowFunction> = {
  ...commonTraps,
  get(shadow, key) {
    const target = shadow[targetKey];
    return functionMember(key, target) ?? local(target, key);
  },
  apply: (shadow, _this, args: unknown[]) => Target.method(shadow[targetKey], "")(...args),
};
