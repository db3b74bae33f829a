/** What is measured: one way to call a method of another process. Each contender has a server and a client process. */
import type { Row } from "./records.ts";

export type TransportName = "tcp" | "ws";

export interface Contender {
  readonly name: string;
  readonly transport: TransportName;
  /** Serves on loopback, at any free port. */
  serve(): Promise<Server>;
  connect(address: string): Promise<Client>;
}

export interface Server {
  /** What `connect` of the same contender takes. */
  readonly address: string;
  close(): Promise<void>;
}

/** What scenarios do. */
export interface Client {
  add(a: number, b: number): Promise<number>;
  /** The same comes back. */
  echo(value: Payload): Promise<Payload>;
  /** Gets a new far object, calls it once and gives it up. */
  useFresh(n: number): Promise<number>;
  /** Calls the result of a call of the result of a call. */
  chain(n: number): Promise<number>;
  /** Reads a stream of so many small numbers to its end. */
  sumItems(count: number): Promise<number>;
  close(): Promise<void>;
}

export type Payload = readonly Row[] | Uint8Array;

/** A client of a contender that is measured by `add` alone. */
export function onlyAdds(client: Pick<Client, "add" | "close">): Client {
  const refuse = () => Promise.reject(new Error("this contender only adds"));
  return { echo: refuse, useFresh: refuse, chain: refuse, sumItems: refuse, ...client };
}
