/**
 * What Node knows that core can't: which classes are its own, how its engine is asked to collect garbage, and which call
 * a function is part of beyond its first `await`.
 */
import { setMaxListeners } from "node:events";
import { builtinModules } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Platform } from "@farref/core";
import { AsyncContext } from "./serialized/async-context.ts";
import { Turns } from "./serialized/turns.ts";

export const nodeTurns = new Turns(new AsyncContext());
export const nodePlatform: Platform = {
  isPlatformPrototype,
  collectGarbage,
  expectListeners,
  passes: nodeTurns,
};

/** Loading these for a look would change how the process behaves, or warn. */
const untouched = new Set(["domain", "inspector", "inspector/promises", "punycode", "repl", "sys", "test", "wasi"]);

/**
 * Whether a prototype is of a class that one of Node's modules exports. Modules loaded after the first look count as
 * well, as a class can't be extended before its module is loaded.
 */
function isPlatformPrototype(prototype: object): boolean {
  for (const name of builtinModules) {
    if (untouched.has(name) || name.startsWith("_") || !isLoaded(name)) continue;
    if (exportsOf(name).some((exported) => typeof exported === "function" && exported.prototype === prototype))
      return true;
  }
  return false;
}

function isLoaded(name: string): boolean {
  const loaded: unknown = Reflect.get(process, "moduleLoadList");
  return !Array.isArray(loaded) || loaded.includes(`NativeModule ${name}`);
}

function exportsOf(name: string): readonly unknown[] {
  const module: unknown = process.getBuiltinModule(name);
  if (module === null || (typeof module !== "object" && typeof module !== "function")) return [];
  const descriptors = Object.values(Object.getOwnPropertyDescriptors(module));
  return [module, ...descriptors.map((descriptor) => descriptor.value)];
}

/** Node offers its collector only behind a flag, which may be set at any time. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}

/** Node warns of eleven listeners; a signal that ends many calls, on many connections, has as many. */
function expectListeners(signal: AbortSignal): void {
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
}
