/** What is measured: one way to call a method of another process. Each contender has a server and a client process. */

export type TransportName = "tcp" | "ws";

export interface Contender {
  readonly name: string;
  readonly transport: TransportName;
  /** Serves `service` on loopback, at any free port. */
  serve(): Promise<Server>;
  connect(address: string): Promise<Client>;
}

export interface Server {
  /** What `connect` of the same contender takes. */
  readonly address: string;
  close(): Promise<void>;
}

/** The methods that scenarios call. */
export interface Service {
  add(a: number, b: number): number;
}

export interface Client {
  add(a: number, b: number): Promise<number>;
  close(): Promise<void>;
}

export const service: Service = {
  add: (a, b) => a + b,
};
