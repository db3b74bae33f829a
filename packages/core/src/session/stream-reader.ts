/** Reads what streams bring: items and ends when they are read by the program, and not before. */
import { RpcError } from "../errors/rpc-error.ts";
import type { Failure } from "../streams/steps.ts";
import type { Piece } from "../streams/unread.ts";
import type { Codec, Decoded, ValueLimits } from "../values/codec.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { streamFlag } from "../wire/frames.ts";
import type { Arrivals } from "./arrivals.ts";
import { refusalFrom, thrownFrom } from "./wire-error.ts";

export class StreamReader {
  readonly #codec: Codec;
  readonly #arrivals: Arrivals;
  readonly #limits: ValueLimits;
  /** Names the peer in errors. */
  readonly #address: string;

  constructor(codec: Codec, arrivals: Arrivals, limits: ValueLimits, address: string) {
    this.#codec = codec;
    this.#arrivals = arrivals;
    this.#limits = limits;
    this.#address = address;
  }

  /** The value in a piece, stubs in their places; into `references` go what they are. @throws RpcError */
  read(piece: Piece, references?: unknown[]): unknown {
    try {
      return this.#arrivals.hydrate(this.#decodeValue(piece), references);
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  readFailure(piece: Piece): Failure {
    const isOfEnding = (piece.flags & streamFlag.answersCancel) !== 0;
    try {
      const parts = this.#arrivals.hydrate(this.#decodeFailure(piece));
      const isThrown = (piece.flags & streamFlag.thrown) !== 0;
      return { error: isThrown ? thrownFrom(parts) : refusalFrom(parts, this.#told), isOfEnding };
    } catch (error) {
      return { error: this.#unreadable(error), isOfEnding };
    }
  }

  /** Why the consumer cancels: what can't be read is no reason to go on. */
  readReason({ bytes, position, end }: ByteReader): unknown {
    try {
      return this.read({ kind: "end", flags: 0, bytes, start: position, end, attachments: undefined, size: 0 });
    } catch {
      return undefined;
    }
  }

  /** Gives back what a piece refers to that nobody will read. */
  discard(piece: Piece): void {
    try {
      this.#arrivals.giveBack(this.#decode(piece).references);
    } catch {
      // What can't be read refers to nothing.
    }
  }

  #decode(piece: Piece): Decoded {
    if (piece.kind === "failure") return this.#decodeFailure(piece);
    return this.#decodeValue(piece);
  }

  #decodeValue({ bytes, start, end, attachments }: Piece): Decoded {
    return this.#codec.decode(bytes, start, end, this.#limits, attachments);
  }

  #decodeFailure({ bytes, start, end }: Piece): Decoded<unknown[]> {
    return this.#codec.decodeList(bytes, start, end, this.#limits);
  }

  get #told(): string {
    return `a stream from ${this.#address}`;
  }

  #unreadable(error: unknown): RpcError {
    const { code, detail } = error instanceof RpcError ? error : new RpcError("internal", String(error), "executed");
    return new RpcError(code, `${this.#told}: what came can't be read: ${detail}`, "executed", { cause: error });
  }
}
