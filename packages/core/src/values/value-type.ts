/**
 * Registered classes, as far as an endpoint knows of them that has none: the rest of their code comes with the types that
 * `registerValue` and `registerError` make, so that a browser which registers none does not load it.
 */
import { RpcError } from "../errors/rpc-error.ts";
import type { Decoded, Importer } from "./codec.ts";
import type { Decoder } from "./decoder.ts";
import type { Extension } from "./extension.ts";
import type { Placeholder } from "./placeholder.ts";

/** A registered class, made by `registerValue` or `registerError`: goes into `types` of `startService` and `connect`. */
export interface ValueType {
  readonly name: string;
}

/** Whether peers may read what `pack` and `unpack` throw. */
export type Words = "told" | "kept";

/** Types of another copy of farref don't have it: their table would not fit. */
export const tableOf: unique symbol = Symbol("farref.tableOf");

/** What `registerValue` and `registerError` make. */
export interface RegisteredType extends ValueType {
  /** The table of types it is one of. @throws RpcError `invalid-argument` for a list that can't be one */
  [tableOf](types: readonly ValueType[], words: Words): TypeTable;
}

/** The registered classes of one endpoint. */
export interface TypeTable {
  /** How their instances are written and read. */
  readonly row: Extension<object>;
  /** What `Codec.hydrate` does. */
  hydrate<T>(decoded: Decoded<T>, importer: Importer): T;
  /** Whether what was thrown is an error of exactly a class that it keeps then. */
  isThrowable(thrown: unknown): boolean;
}

/** Watches the registered values of a message being written: none may hold itself, for it could not be unpacked first. */
export interface WriteWatch {
  /** An object was met again. */
  met(object: object): void;
  /** All of the message was written. @throws Refusal */
  ended(root: unknown): void;
}

/** The same for a message being read. */
export interface ReadWatch {
  /** An object was met again. What is given stands for it there, as a placeholder has one place only. */
  met(object: object, decoder: Decoder): object | undefined;
  /** All of the message was read. @throws Malformation */
  ended<T>(value: T, placeholders: readonly Placeholder[], at: number): Decoded<T>;
}

/** The table of types that a program gives; none for no types. @throws RpcError `invalid-argument` */
export function resolveTypes(types: readonly ValueType[] = [], words: Words = "told"): TypeTable | undefined {
  if (!Array.isArray(types)) throw invalidType(notTypes);
  const [first] = types as readonly Partial<RegisteredType>[]; // the table looks at the others
  if (types.length > 0 && !first?.[tableOf]) throw invalidType(notTypes);
  return first?.[tableOf]?.(types, words);
}

export const notTypes = "types: expected registered types";

export function invalidType(why: string): RpcError {
  return new RpcError("invalid-argument", why, "not-sent");
}
