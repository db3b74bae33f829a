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
  reference.stub ??= createStub(plainView(reference, undefined));
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
  const target = targetOf(remote);
  if (target) return createStub({ ...target, options: checkedOptions(target.options, options) }) as R;
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
  const target = targetOf(remote);
  if (!target) throw invalidStub("oneway");
  return createStub({ ...target, isOneway: true }) as Oneway<T>;
}

/**
 * A far object as a contract of this side sees it: calls go by the contract. Later calls give the same; another contract
 * gives another, and the stub itself stays without.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 */
export function underContract(remote: unknown, contract: CallerContract): object {
  const target = targetOf(remote);
  if (!target) throw invalidStub("a contract");
  if (target.contract === contract) return remote as object;
  return viewUnder(target.reference, contract);
}

function viewUnder(reference: FarReference, contract: CallerContract): object {
  reference.views ??= new Map();
  let view = reference.views.get(contract);
  if (!view) {
    view = createStub(plainView(reference, contract));
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
  if (!reference) throw invalidStub("release");
  reference.release();
}

/** What stands for a stub or a view of it when it is passed on: under two contracts it is two objects. */
export function passedOn(value: object): object {
  const target = targetOf(value);
  return target ? baseOf(target) : value;
}

function baseOf({ reference, contract }: Target): object {
  return contract ? viewUnder(reference, contract) : stubOf(reference);
}

/** The contract a view is under. */
export function contractOf(value: object): CallerContract | undefined {
  return targetOf(value)?.contract;
}

/** The reference behind a stub or a view. */
export function referenceOf(value: unknown): FarReference | undefined {
  return targetOf(value)?.reference;
}

/** Why a verb refuses a value that is not a stub. */
export function invalidStub(verb: string): RpcError {
  return new RpcError("invalid-argument", `${verb}: the value is not a remote object`, "not-sent");
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

/** A look at a far object: which, and how its methods are called. */
export interface View {
  readonly reference: FarReference;
  readonly options: CallOptions | undefined;
  readonly contract: CallerContract | undefined;
  readonly isOneway: boolean;
}

function plainView(reference: FarReference, contract: CallerContract | undefined): View {
  return { reference, options: undefined, contract, isOneway: false };
}

/** What a stub, or a view of one, shows. */
export function viewOf(value: unknown): View | undefined {
  return targetOf(value);
}

/** What stands behind the proxy. */
class Target implements View {
  readonly reference: FarReference;
  readonly options: CallOptions | undefined;
  readonly contract: CallerContract | undefined;
  readonly isOneway: boolean;
  /** A method taken off twice is the same function, and costs its closure once. */
  readonly methods = new Map<string, LocalMethod>();

  constructor({ reference, options, contract, isOneway }: View) {
    this.reference = reference;
    this.options = options;
    this.contract = contract;
    this.isOneway = isOneway;
  }

  method(name: string): LocalMethod {
    let method = this.methods.get(name);
    if (!method) {
      method = this.#create(name);
      this.methods.set(name, method);
    }
    return method;
  }

  #create(name: string): LocalMethod {
    const { reference, options, contract } = this;
    const { owner } = reference;
    if (this.isOneway) return (...args) => owner.post(reference, name, args, options, contract);
    return (...args) => owner.invoke(reference, name, args, options, contract);
  }
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
class ShadowObject {
  readonly [descriptionKey] = "";
  declare readonly [inspectKey]: () => string;

  constructor(target: Target) {
    hide(this, target);
  }
}

function hide(shadow: object, target: Target): void {
  Object.defineProperty(shadow, targetKey, { value: target });
}

// biome-ignore lint/complexity/noBannedTypes: any callable will do; it is never called itself.
function shadowFunction(target: Target): Function {
  const shadow = () => {};
  hide(shadow, target);
  // Configurable: the get trap may answer otherwise.
  return Object.defineProperty(shadow, inspectKey, {
    configurable: true,
    value: () => target.reference.describe(),
  });
}

Object.defineProperty(ShadowObject.prototype, inspectKey, {
  value(this: { readonly [targetKey]: Target }) {
    return this[targetKey].reference.describe();
  },
});

function createStub(view: View): object {
  const target = new Target(view);
  return view.reference.kind === "function"
    ? new Proxy(shadowFunction(target), functionTraps)
    : new Proxy(new ShadowObject(target), objectTraps);
}

function shadowed(shadow: object): Target {
  return (shadow as { readonly [targetKey]: Target })[targetKey];
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
  if (key === "toString") return () => target.reference.describe();
  if (key === "valueOf") return () => baseOf(target);
  if (key === descriptionKey) return target.reference.describe();
  return undefined;
}

function localSymbol(target: Target, key: symbol): unknown {
  switch (key) {
    case targetKey:
      return target;
    case referenceMark:
      return true;
    case Symbol.toPrimitive:
    case inspectKey:
      return () => target.reference.describe();
    case Symbol.dispose:
      return () => target.reference.release();
    case Symbol.asyncDispose:
      return target.reference.isRoot ? () => target.reference.owner.connection.close() : undefined;
    default:
      return undefined;
  }
}

const localNames: ReadonlySet<string> = new Set(["toString", "valueOf", descriptionKey]);

function refuseChange(shadow: object, key: string | symbol): never {
  throw new TypeError(`cannot change ${String(key)} of ${shadowed(shadow).reference.describe()}: call a method`);
}

const commonTraps = {
  set: (shadow: object, key: string | symbol) => refuseChange(shadow, key),
  defineProperty: (shadow: object, key: string | symbol) => refuseChange(shadow, key),
  deleteProperty: (shadow: object, key: string | symbol) => refuseChange(shadow, key),
  setPrototypeOf: (shadow: object) => refuseChange(shadow, "prototype"),
  preventExtensions: (shadow: object) => refuseChange(shadow, "extensibility"),
};

const objectTraps: ProxyHandler<object> = {
  ...commonTraps,
  get(shadow, key) {
    const target = shadowed(shadow);
    if (typeof key === "symbol" || localNames.has(key)) return local(target, key);
    return absentNames.has(key) ? undefined : target.method(key);
  },
};

const functionTraps: ProxyHandler<object> = {
  ...commonTraps,
  get(shadow, key) {
    const target = shadowed(shadow);
    switch (key) {
      case "name":
        return target.reference.name;
      case "length":
        return 0;
      case "call":
        return (_this: unknown, ...args: unknown[]) => target.method("")(...args);
      case "apply":
        return (_this: unknown, args: readonly unknown[] = []) => target.method("")(...args);
      case "bind":
        return (_this: unknown, ...bound: unknown[]) =>
          (...args: unknown[]) =>
            target.method("")(...bound, ...args);
      default:
        return local(target, key);
    }
  },
  apply: (shadow, _this, args: unknown[]) => shadowed(shadow).method("")(...args),
};
