/** Where values of registered classes will be. */
import { Placeholder } from "./placeholder.ts";

/** A value as it came. Its data may be a placeholder too: this is the holder then. */
export class PackedMarker extends Placeholder {
  readonly name: string;
  data: unknown = undefined;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** The same value in a further place. */
export class RepeatedMarker extends Placeholder {
  readonly first: PackedMarker;

  constructor(first: PackedMarker) {
    super();
    this.first = first;
  }
}
