/** A contender's two processes, as the benchmark holds them. */
import { Child } from "./child.ts";
import type { Contender } from "./contender.ts";
import type { Bounds } from "./load.ts";

export class Pair {
  readonly #server: Child;
  readonly #client: Child;

  private constructor(server: Child, client: Child) {
    this.#server = server;
    this.#client = client;
  }

  static async start(contender: Contender): Promise<Pair> {
    const server = await Child.server(contender);
    try {
      return new Pair(server, await Child.client(contender, server.address));
    } catch (error) {
      server.stop();
      throw error;
    }
  }

  /** One round. */
  async measure(scenario: number, bounds: Bounds): Promise<number> {
    const { callsPerSecond } = await this.#client.ask({ kind: "run", scenario, bounds }, "measured", bounds.seconds);
    return callsPerSecond;
  }

  stop(): void {
    for (const child of [this.#client, this.#server]) child.stop();
  }
}
