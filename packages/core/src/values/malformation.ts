/** How decoding fails: what was found and where, made an `RpcError` of outcome `not-executed` at the top. */
import { RpcError } from "../errors/rpc-error.ts";

export class Malformation {
  readonly code: "protocol" | "limit-exceeded" | "unsupported-value";
  readonly what: string;
  readonly at: number;

  constructor(code: "protocol" | "limit-exceeded" | "unsupported-value", what: string, at: number) {
    this.code = code;
    this.what = what;
    this.at = at;
  }
}

export function malformed(what: string, at: number): Malformation {
  return new Malformation("protocol", what, at);
}

export function beyondLimit(what: string, at: number): Malformation {
  return new Malformation("limit-exceeded", what, at);
}

/** Offsets are told from `start`, where the message part begins. Text that is not UTF-8 is found by the platform. */
export function toDecodeError(error: unknown, start: number, position: number): RpcError {
  const { code, what, at } =
    error instanceof Malformation ? error : malformed(`bytes that don't decode: ${error}`, position);
  return new RpcError(code, `${what} at byte ${at - start}`, "not-executed");
}
