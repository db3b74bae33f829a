/**
 * The local stand-in for a far object: a proxy whose string properties are methods. Everything a program does to a value
 * without meaning a call (awaiting, printing, comparing, spreading) is answered here, from what is known.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { Remote, Stub } from "../types/remote.ts";
import type { CallOptions } from "../types/session.ts";
import type { Oneway } from "../types/views.ts";
import { referenceMark } from "../values/marks.ts";
import type { CallerContract } from "./contracts.ts";
import type { FarReference } from "./far-reference.ts";

type LocalMethod = (...args: unknown[]) => unknown;

/** The stub of a reference; later calls give the same. */
export function stubOf(reference: FarReference): object {
  reference.stub ??= createStub(reference, plainly);
  return reference.stub;
}

/**
 * A view of a stub whose calls carry `options`: the same reference, with the view's options added to those it has.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub or `timeoutMs` is not a positive number.
 * @example
 * const patient = withOptions(report, { timeoutMs: 60_000, signal: controller.signal });
 */
export function withOptions<R>(remote: R, options: CallOptions): R {
  const seen = viewOf(remote);
  if (seen) return createStub(seen.reference, { ...seen, options: checkedOptions(seen.options, options) }) as R;
  const view = (remote as { readonly [optionsKey]?: (more: CallOptions) => R } | null | undefined)?.[optionsKey];
  if (typeof view !== "function") throw invalidStub("withOptions");
  return view(options);
}

/** Under this key a view that is no stub tells how it takes options. */
export const optionsKey: unique symbol = Symbol("farref.options");

/** Options added to those a view has. @throws RpcError `invalid-argument` */
export function checkedOptions(options: CallOptions | undefined, more: CallOptions): CallOptions {
  checkOptions(more);
  return { ...options, ...more };
}

/**
 * A view of a stub whose calls nobody waits for: a method's promise is fulfilled, with nothing, when the call is accepted
 * for sending. Calls keep their order, and their number is held to what the peer takes, as that of others is. What the
 * method returns is dropped; what it throws, or why it was refused, is told to `onError`.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 * @example
 * await oneway(log).write("started");
 */
export function oneway<T>(remote: Remote<T>): Oneway<T> {
  const seen = viewOf(remote);
  if (!seen) throw invalidStub("oneway", remote);
  return createStub(seen.reference, { ...seen, isOneway: true }) as Oneway<T>;
}

/**
 * A far object as a contract of this side sees it: calls go by the contract. Later calls give the same; another contract
 * gives another, and the stub itself stays without.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 */
export function underContract(remote: unknown, contract: CallerContract): object {
  const seen = viewOf(remote);
  if (!seen) throw invalidStub("a contract");
  if (seen.contract === contract) return remote as object;
  return viewUnder(seen.reference, contract);
}

function viewUnder(reference: FarReference, contract: CallerContract): object {
  reference.views ??= new Map();
  let view = reference.views.get(contract);
  if (!view) {
    view = createStub(reference, { ...plainly, contract });
    reference.views.set(contract, view);
  }
  return view;
}

/** Whether a value is a stub: what `connect`, a result or an argument gave for a far object or function. */
export function isRemote(value: unknown): value is Stub<unknown> {
  return targetOf(value) !== undefined;
}

/**
 * Whether two values are the same object. Two stubs are when they came by the same session as the same reference; views
 * are the same reference as their stub. A relayed stub is not the same reference as the one it relays.
 */
export function sameReference(a: unknown, b: unknown): boolean {
  const reference = referenceOf(a);
  return reference ? reference === referenceOf(b) : Object.is(a, b);
}

/**
 * Gives up a far object at once instead of at the next garbage collection. Calls already made finish; the stub is stale
 * for good. Releasing twice does nothing; releasing what `connect` returned closes its connection.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 */
export function release(remote: Stub<unknown>): void {
  const reference = referenceOf(remote);
  if (!reference) throw invalidStub("release", remote);
  reference.release();
}

/** What stands for a stub or a view of it when it is passed on: under two contracts it is two objects. */
export function passedOn(value: object): object {
  const target = targetOf(value);
  return target ? baseOf(target) : value;
}

function baseOf(target: Target): object {
  const { contract } = Target.manner(target);
  const reference = Target.reference(target);
  return contract ? viewUnder(reference, contract) : stubOf(reference);
}

/** The contract a view is under. */
export function contractOf(value: object): CallerContract | undefined {
  return viewOf(value)?.contract;
}

/** The reference behind a stub or a view. */
export function referenceOf(value: unknown): FarReference | undefined {
  const target = targetOf(value);
  return target && Target.reference(target);
}

/** Why a verb refuses a value that is not a stub. */
export function invalidStub(verb: string, value?: unknown): RpcError {
  const isStep = typeof value === "function" && isView(value);
  const what = isStep ? "the value is the step of a pipeline; await it first" : "the value is not a remote object";
  return new RpcError("invalid-argument", `${verb}: ${what}`, "not-sent");
}

function isView(value: object): boolean {
  return typeof (value as { readonly [optionsKey]?: unknown })[optionsKey] === "function";
}

const optionNames: ReadonlySet<string> = new Set(["timeoutMs", "signal", "idempotent", "context"]);

/** What is wrong here must not be found out when the call has already left. */
function checkOptions(options: CallOptions): void {
  const unknown = Object.keys(options).find((name) => !optionNames.has(name));
  if (unknown !== undefined) throw badOption(unknown, "a known option", options);
  const { timeoutMs, signal, context } = options;
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw badOption("timeoutMs", "a positive number", timeoutMs);
  if (signal !== undefined && !isSignal(signal)) throw badOption("signal", "an AbortSignal", signal);
  if (context !== undefined && !isPlainObject(context)) throw badOption("context", "an object of strings", context);
}

function badOption(name: string, expected: string, given: unknown): RpcError {
  const got = typeof given === "number" ? given : typeof given;
  return new RpcError("invalid-argument", `${name}: expected ${expected}, got ${got}`, "not-sent");
}

/** By its looks: a signal may come from another realm, or from a polyfill. */
function isSignal(value: Partial<AbortSignal>): boolean {
  return typeof value.aborted === "boolean" && typeof value.addEventListener === "function";
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How the methods of a far object are called. */
interface Manner {
  readonly options: CallOptions | undefined;
  readonly contract: CallerContract | undefined;
  readonly isOneway: boolean;
}

const plainly: Manner = { options: undefined, contract: undefined, isOneway: false };

/** A look at a far object: which, and how its methods are called. */
export interface View extends Manner {
  readonly reference: FarReference;
}

/** What a stub, or a view of one, shows. */
export function viewOf(value: unknown): View | undefined {
  const target = targetOf(value);
  return target && { reference: Target.reference(target), ...Target.manner(target) };
}

/**
 * What stands behind the proxy. Its parts are private and its methods static, for it may be the proxied object itself:
 * nothing of it must show there.
 */
class Target {
  readonly #reference: FarReference;
  readonly #manner: Manner;
  #taken: TakenMethod | Map<string, LocalMethod> | undefined;

  constructor(reference: FarReference, manner: Manner) {
    this.#reference = reference;
    this.#manner = manner;
  }

  static reference(target: Target): FarReference {
    return target.#reference;
  }

  static manner(target: Target): Manner {
    return target.#manner;
  }

  /** A method taken off twice is the same function, and costs its closure once. */
  static method(target: Target, name: string): LocalMethod {
    return Target.known(target, name) ?? Target.#take(target, name);
  }

  /** The method, if it was taken off before. */
  static known(target: Target, name: string): LocalMethod | undefined {
    const taken = target.#taken;
    if (taken instanceof Map) return taken.get(name);
    for (let method = taken; method; method = method.next) if (method.name === name) return method.call;
    return undefined;
  }

  static #take(target: Target, name: string): LocalMethod {
    const call = methodOf(target.#reference, name, target.#manner);
    const taken = target.#taken;
    if (taken instanceof Map) taken.set(name, call);
    else if (taken?.count === maxListed) target.#taken = mapOf(taken).set(name, call);
    else target.#taken = { name, call, next: taken, count: (taken?.count ?? 0) + 1 };
    return call;
  }
}

/** Methods in a list: most far objects are called by one or two, for which a Map would be the largest part of a stub. */
interface TakenMethod {
  readonly name: string;
  readonly call: LocalMethod;
  readonly next: TakenMethod | undefined;
  /** How many the list has. */
  readonly count: number;
}

const maxListed = 8;

function mapOf(listed: TakenMethod): Map<string, LocalMethod> {
  const map = new Map<string, LocalMethod>();
  for (let method: TakenMethod | undefined = listed; method; method = method.next) map.set(method.name, method.call);
  return map;
}

function methodOf(reference: FarReference, name: string, { options, contract, isOneway }: Manner): LocalMethod {
  const { owner } = reference;
  if (isOneway) return (...args) => owner.post(reference, name, args, options, contract);
  return (...args) => owner.invoke(reference, name, args, options, contract);
}

/** Under this key a stub tells its target, and nothing else in the world does. */
const targetKey: unique symbol = Symbol("farref.target");
export const inspectKey: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;
/** Shown by what lists properties, as JSON does. */
const descriptionKey = "$remote";

function targetOf(value: unknown): Target | undefined {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return undefined;
  const target = (value as { readonly [targetKey]?: unknown })[targetKey];
  return target instanceof Target ? target : undefined;
}

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

// biome-ignore lint/complexity/noBannedTypes: any callable will do; it is never called itself.
function shadowFunction(target: Target): Function {
  const shadow = () => {};
  Object.defineProperty(shadow, targetKey, { value: target });
  // Configurable: the get trap may answer otherwise.
  return Object.defineProperty(shadow, inspectKey, {
    configurable: true,
    value: () => Target.reference(target).describe(),
  });
}

function createStub(reference: FarReference, manner: Manner): object {
  return reference.kind === "function"
    ? new Proxy(shadowFunction(new Target(reference, manner)), functionTraps)
    : new Proxy(new ShadowObject(reference, manner), objectTraps);
}

function shadowed(shadow: object): Target {
  return shadow instanceof Target ? shadow : (shadow as { readonly [targetKey]: Target })[targetKey];
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

function refuseChange(shadow: object, key: string | symbol): never {
  throw new TypeError(
    `cannot change ${String(key)} of ${Target.reference(shadowed(shadow)).describe()}: call a method`,
  );
}

const commonTraps = {
  set: (shadow: object, key: string | symbol) => refuseChange(shadow, key),
  defineProperty: (shadow: object, key: string | symbol) => refuseChange(shadow, key),
  deleteProperty: (shadow: object, key: string | symbol) => refuseChange(shadow, key),
  setPrototypeOf: (shadow: object) => refuseChange(shadow, "prototype"),
  preventExtensions: (shadow: object) => refuseChange(shadow, "extensibility"),
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

const functionTraps: ProxyHandler<object> = {
  ...commonTraps,
  get(shadow, key) {
    const target = shadowed(shadow);
    switch (key) {
      case "name":
        return Target.reference(target).name;
      case "length":
        return 0;
      case "call":
        return (_this: unknown, ...args: unknown[]) => Target.method(target, "")(...args);
      case "apply":
        return (_this: unknown, args: readonly unknown[] = []) => Target.method(target, "")(...args);
      case "bind":
        return (_this: unknown, ...bound: unknown[]) =>
          (...args: unknown[]) =>
            Target.method(target, "")(...bound, ...args);
      default:
        return local(target, key);
    }
  },
  apply: (shadow, _this, args: unknown[]) => Target.method(shadowed(shadow), "")(...args),
};
