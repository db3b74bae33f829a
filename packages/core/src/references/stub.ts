/** What stubs are asked: whether a value is one, which reference it stands for, how it calls. */
import { RpcError } from "../errors/rpc-error.ts";
import type { Stub } from "../types/remote.ts";
import { optionsKey } from "./call-options.ts";
import type { CallerContract } from "./contracts.ts";
import type { FarReference } from "./far-reference.ts";
import { type Manner, Target, targetOf } from "./stub-target.ts";

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

/** The contract a view is under. */
export function contractOf(value: object): CallerContract | undefined {
  return viewOf(value)?.contract;
}

/** The reference behind a stub or a view. */
export function referenceOf(value: unknown): FarReference | undefined {
  const target = targetOf(value);
  return target && Target.reference(target);
}

/** A look at a far object: which, and how its methods are called. */
export interface View extends Manner {
  readonly reference: FarReference;
}

/** What a stub, or a view of one, shows. */
export function viewOf(value: unknown): View | undefined {
  const target = targetOf(value);
  return target && { reference: Target.reference(target), ...Target.manner(target) };
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
