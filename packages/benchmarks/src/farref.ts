/** farref as a program uses it. */
import { connect, pipeline, startService } from "farref";
import type { Contender, TransportName } from "./contender.ts";
import { farrefName } from "./names.ts";
import { type Service, service } from "./service.ts";

export function farref(transport: TransportName): Contender {
  return {
    name: farrefName,
    transport,
    async serve() {
      const served = await startService(`${transport}://127.0.0.1:0`, service);
      return { address: served.uri, close: () => served.close() };
    },
    async connect(address) {
      const remote = await connect<Service>(address);
      return {
        add: (a, b) => remote.add(a, b),
        echo: (value) => remote.echo(value),
        async useFresh(n) {
          using adder = await remote.fresh();
          return await adder.plus(n);
        },
        chain: (n) => pipeline(remote).first().next().plus(n),
        async sumItems(count) {
          let sum = 0;
          for await (const item of await remote.items(count)) sum += item;
          return sum;
        },
        async close() {
          remote[Symbol.dispose]();
        },
      };
    },
  };
}
