/**
 * Calls on results that are not there yet: what `pipeline` gives has the methods of a far object, and each of them gives
 * a step, which is a promise of the result and has the result's methods already.
 */
import type { Remote } from "../types/remote.ts";
import type { CallOptions } from "../types/session.ts";
import type { Pipelined } from "../types/views.ts";
import { checkedOptions, optionsKey } from "./call-options.ts";
import type { PipelinedCall } from "./far-reference.ts";
import { functionMember } from "./function-members.ts";
import { invalidStub, viewOf } from "./stub.ts";
import { absentNames, inspectKey } from "./stub-proxy.ts";

/**
 * A view of a far object whose results can be called before they are there: a chain of calls costs one round trip.
 * Steps may be continued several times, and passed as arguments to other calls of the same connection. When a step fails,
 * all that depends on it fails with the same error and the outcome `not-executed`.
 *
 * A step is a promise. Await it if you want to keep its result: an object that was only continued from is released when
 * the calls on it are done.
 *
 * @throws RpcError `invalid-argument` when `remote` is not a stub.
 * @example
 * const name = await pipeline(bank).account(7).owner().name();
 */
export function pipeline<T>(remote: Remote<T>): Pipelined<T> {
  const view = viewOf(remote);
  if (!view) throw invalidStub("pipeline", remote);
  const { reference, options, contract } = view;
  const begin = (method: string, args: readonly unknown[], given: CallOptions | undefined) =>
    reference.owner.pipeline(reference, method, args, given, contract);
  const functionName = reference.kind === "function" ? reference.name : undefined;
  return beginning({ begin, describe: () => reference.describe(), functionName }, options) as Pipelined<T>;
}

/** The call behind a step. */
export function stepOf(value: unknown): PipelinedCall | undefined {
  if (typeof value !== "function") return undefined;
  const step = (value as { readonly [stepKey]?: unknown })[stepKey];
  return step instanceof Step ? step.call : undefined;
}

/** Whether a value is the step of a pipeline: a promise of what a call will return. */
export function isStep(value: unknown): boolean {
  return stepOf(value) !== undefined;
}

/** Under this key the proxy of a step tells what it stands for, and nothing else in the world does. */
const stepKey: unique symbol = Symbol("farref.step");

/** What stands behind the proxy of a step. */
class Step {
  readonly call: PipelinedCall;

  constructor(call: PipelinedCall) {
    this.call = call;
  }
}

interface Beginning {
  begin(method: string, args: readonly unknown[], options: CallOptions | undefined): PipelinedCall;
  describe(): string;
  /** Of a function, which has no methods. Of a step nobody knows yet whether it will be one. */
  readonly functionName: string | undefined;
}

/** The view that a pipeline begins with: it has methods, and nothing to wait for. */
function beginning(on: Beginning, options: CallOptions | undefined): object {
  const { functionName: name } = on;
  const method = (called: string) => proxiedMethod(on.begin, called, options);
  const call = method("");
  const withOptions = (more: CallOptions) => beginning(on, checkedOptions(options, more));
  const member = (key: string | symbol) =>
    name === undefined ? methodOf(key, method) : functionMember(key, { name, call });
  return proxied(on, (key) => local(key, on, withOptions) ?? member(key), call);
}

function stepProxy(step: PipelinedCall, options: CallOptions | undefined): object {
  const proceed: Beginning["begin"] = (method, args, given) => step.continue(method, args, given);
  const call = (method: string) => proxiedMethod(proceed, method, options);
  const withOptions = (more: CallOptions) => stepProxy(step, checkedOptions(options, more));
  const stood = new Step(step);
  return proxied(
    step,
    (key) => {
      if (key === stepKey) return stood;
      return promised(key, step) ?? local(key, step, withOptions) ?? methodOf(key, call);
    },
    call(""),
  );
}

type Called = (...args: unknown[]) => unknown;

function proxiedMethod(begin: Beginning["begin"], method: string, options: CallOptions | undefined): Called {
  return (...args) => stepProxy(begin(method, args, options), options);
}

/** The result may be a function, so what stands for it can be called. */
function proxied(on: { describe(): string }, get: (key: string | symbol) => unknown, call: Called): object {
  // Node prints the shadow, not the proxy.
  const shadow = Object.defineProperty(() => {}, inspectKey, { configurable: true, value: () => on.describe() });
  return new Proxy(shadow, {
    get: (_shadow, key) => get(key),
    apply: (_shadow, _this, args) => call(...args),
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  });
}

/** What `await` looks for. Who asks for the promise waits for the result. */
function promised(key: string | symbol, step: PipelinedCall): unknown {
  switch (key) {
    case Symbol.toStringTag:
      return "Promise";
    case "then":
      return step.promise.then.bind(step.promise);
    case "catch":
      return step.promise.catch.bind(step.promise);
    case "finally":
      return step.promise.finally.bind(step.promise);
    default:
      return undefined;
  }
}

function local(key: string | symbol, on: { describe(): string }, withOptions: (more: CallOptions) => object): unknown {
  if (key === optionsKey) return withOptions;
  if (key === "toString" || key === "valueOf" || key === Symbol.toPrimitive) return () => on.describe();
  return undefined;
}

function methodOf(key: string | symbol, call: (method: string) => Called): Called | undefined {
  return typeof key === "symbol" || absentNames.has(key) ? undefined : call(key);
}
