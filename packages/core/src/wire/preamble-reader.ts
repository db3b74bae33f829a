/** The first bytes of a peer: whether it speaks farref at all. */
import { RpcError } from "../errors/rpc-error.ts";
import { preamble } from "./frames.ts";

export class PreambleReader {
  #matched = 0;

  /** The whole preamble has come. */
  get isWhole(): boolean {
    return this.#matched === preamble.length;
  }

  /** Returns what stands behind the preamble, once there is something. @throws RpcError `protocol` */
  read(bytes: Uint8Array): Uint8Array | undefined {
    for (let i = 0; i < bytes.length; i++) {
      if (this.isWhole) return bytes.subarray(i);
      if (bytes[i] !== preamble[this.#matched]) throw foreign(bytes);
      this.#matched++;
    }
    return undefined;
  }
}

function foreign(bytes: Uint8Array): RpcError {
  return new RpcError("protocol", `the peer does not speak farref: it says ${excerpt(bytes)}`, "not-sent");
}

/** The first bytes of something foreign, printable and short. */
function excerpt(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, 32)) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";
  return JSON.stringify(text);
}
