/**
 * Node's own streams, which are async iterables that live already before they are iterated: one that fails meanwhile
 * would end the process, and one that nobody iterates would stay open.
 */

/** What is asked of one: core knows no module of Node's. */
interface NodeStream {
  on(event: "error", listener: () => void): unknown;
  off(event: "error", listener: () => void): unknown;
  pipe(destination: never): unknown;
  destroy(): unknown;
}

export interface AdoptedNodeStream {
  destroy(): void;
  /** Its errors are its owner's to hear again. */
  letGo(): void;
}

/** Hears the errors of a stream until it is iterated, which tells of them too. `undefined` for what is no such stream. */
export function adoptNodeStream(value: object): AdoptedNodeStream | undefined {
  if (!isNodeStream(value)) return undefined;
  const ignore = () => {};
  value.on("error", ignore);
  return {
    destroy: () => void value.destroy(),
    letGo: () => void value.off("error", ignore),
  };
}

const methods = ["on", "off", "pipe", "destroy"] as const;

function isNodeStream(value: object): value is NodeStream {
  return methods.every((name) => typeof (value as Partial<NodeStream>)[name] === "function");
}
