/**
 * Stands in a decoded value where something else will be: inert, without methods, and it knows its place. Each kind has a
 * class of its own.
 */
export abstract class Placeholder {
  /** The container it stands in; none for the root. A Map or a Set is rebuilt, so a key says nothing there. */
  holder: object | undefined = undefined;
  key: PropertyKey = "";
}
