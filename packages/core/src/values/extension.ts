/** What a row of the extension table says: how one kind of object is known, written and read. */
import type { Decoder } from "./decoder.ts";
import type { Encoder } from "./encoder.ts";

export interface Extension<T = unknown> {
  readonly type: number;
  /** Prototypes of the objects this row carries; none where it is chosen in another way. */
  readonly prototypes: readonly object[];
  /** Writes the whole value, its extension header included. Throws what it can't read; the caller names the path. */
  write(encoder: Encoder, value: T, depth: number): void;
  /** Reads the payload `[decoder.position, end)`; the caller checks that it ended exactly. */
  read(decoder: Decoder, end: number, depth: number): unknown;
}
