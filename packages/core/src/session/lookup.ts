/**
 * Looking a published name up is a call: of a method that has the name of what is looked up, with `#` before it as in
 * addresses, and returns it. So it passes policies, limits and the audit as all calls do. No object has such a method: all
 * lookups are on one target of their own.
 */
import { refusal } from "../errors/refusal.ts";
import { guardMethod } from "../references/contracts.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { maxNameBytes } from "../wire/names.ts";
import type { Callee } from "./callee.ts";
import { type CallHeader, noContext } from "./incoming-call.ts";

/** What policies see where nothing is published: they decide before anybody is told that. */
const nothing: object = Object.freeze({});

const prefix = "#";
/** No object's. */
const targetId = -1;

/** @throws RpcError `protocol` */
export function readLookup(reader: ByteReader): { readonly header: CallHeader; readonly name: string } {
  const id = reader.varint();
  const name = reader.text(maxNameBytes);
  const method = `${prefix}${name}`;
  const header = { id, targetId, flags: 0, method, timeoutMs: undefined, depth: 0, context: noContext, passes: [] };
  return { header, name };
}

/**
 * What the lookup runs on when its turn has come. While somebody decides, the name may be taken back or given to another
 * object, which nobody has decided on.
 */
export function lookupOf(name: string, published: (name: string) => object | undefined): Callee {
  const object = published(name);
  const method = guardMethod(() => object, {
    prepare: () => {
      if (object && published(name) === object) return [];
      throw refusal("not-found", "nothing is published so", "not-executed");
    },
    complete: (result) => result,
  });
  return { object: object ?? nothing, self: undefined, method: () => method };
}
