/** What is kept of registered values while a message is written or read. */
import type { Decoded, Exporter } from "./codec.ts";
import type { Decoder } from "./decoder.ts";
import { malformed } from "./malformation.ts";
import { isMarked } from "./marks.ts";
import { type Look, Nesting, type Packed } from "./nesting.ts";
import { PackedMarker, RepeatedMarker } from "./packed-marker.ts";
import { Placeholder } from "./placeholder.ts";
import { Marker } from "./references.ts";
import { unsupported, within } from "./refusal.ts";
import { isAbortSignal } from "./signals.ts";
import type { ReadWatch, WriteWatch } from "./value-type.ts";

const cycle = "a registered value that holds itself can't be unpacked";

export class Writing implements WriteWatch, Look {
  readonly nesting = new Nesting();
  readonly packedOf = new Map<object, Packed>();
  readonly #exporter: Exporter;

  constructor(exporter: Exporter) {
    this.#exporter = exporter;
  }

  met(object: object): void {
    this.nesting.met(this.packedFrom(object));
  }

  ended(root: unknown): void {
    const path = this.nesting.cycle(root, this);
    if (path !== undefined) throw within(path, unsupported(`${cycle}; pack it without what leads back to it`));
  }

  packedFrom(part: object): Packed | undefined {
    return this.packedOf.get(part);
  }

  reasonOf(part: object): unknown {
    return isAbortSignal(part) ? part.reason : undefined;
  }

  /** References are told apart by those who hand them out. */
  isOpaque(part: object): boolean {
    return isMarked(part) || this.#exporter.isPinned(part);
  }
}

export class Reading implements ReadWatch {
  readonly nesting = new Nesting();

  met(object: object, decoder: Decoder): object | undefined {
    const marker = markerFrom(object);
    this.nesting.met(marker);
    return marker && decoder.mark(new RepeatedMarker(marker));
  }

  ended<T>(value: T, placeholders: readonly Placeholder[], at: number): Decoded<T> {
    const path = this.nesting.cycle(value, decodedLook);
    if (path !== undefined) throw malformed(`${cycle}: ${path},`, at);
    return { value, references: placeholders.filter((placeholder) => placeholder instanceof Marker), placeholders };
  }
}

/** A message as it was read, but for what has been put into the places of placeholders since. */
export function lookOf(put: ReadonlySet<unknown>): Look {
  return {
    packedFrom: markerFrom,
    reasonOf: (part) => (part instanceof Marker ? part.reason : undefined),
    isOpaque: (part) => part instanceof Placeholder || put.has(part),
  };
}

const decodedLook = lookOf(new Set());

function markerFrom(part: object): PackedMarker | undefined {
  if (part instanceof RepeatedMarker) return part.first;
  return part instanceof PackedMarker ? part : undefined;
}
