/** farref with a callback in every call: the sum is made by a function of the client's. */
import { connect, type Remote, startService } from "farref";
import { type Contender, onlyAdds, type TransportName } from "./contender.ts";
import { calledBackName } from "./names.ts";

type Sum = (a: number, b: number) => number;

const front = {
  add: (sum: Remote<Sum>, a: number, b: number): Promise<number> => sum(a, b),
};

export function calledBack(transport: TransportName): Contender {
  return {
    name: calledBackName,
    transport,
    async serve() {
      const served = await startService(`${transport}://127.0.0.1:0`, front);
      return { address: served.uri, close: () => served.close() };
    },
    async connect(address) {
      const remote = await connect<typeof front>(address);
      const sum: Sum = (a, b) => a + b;
      return onlyAdds({
        add: (a, b) => remote.add(sum, a, b),
        async close() {
          remote[Symbol.dispose]();
        },
      });
    },
  };
}
