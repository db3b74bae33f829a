/** farref as a careful team serves it: an address list, a shared secret, and a contract that checks two numbers. */
import { acl, connect, defineContract, implement, method, sharedSecret, startService } from "farref";
import * as z from "zod";
import { type Contender, onlyAdds, type TransportName } from "./contender.ts";
import { guardedName } from "./names.ts";
import { service } from "./service.ts";

const contract = defineContract({ add: method([z.number(), z.number()], z.number()) });
const secret = sharedSecret("measured, not guessed");

export function guarded(transport: TransportName): Contender {
  return {
    name: guardedName,
    transport,
    async serve() {
      const front = implement(contract, { add: service.add });
      const options = { acl: acl(["deny all", "allow localhost"]), authenticate: secret };
      const served = await startService(`${transport}://127.0.0.1:0`, front, options);
      return { address: served.uri, close: () => served.close() };
    },
    async connect(address) {
      const remote = await connect(address, { credentials: secret, contract });
      return onlyAdds({
        add: (a, b) => remote.add(a, b),
        async close() {
          remote[Symbol.dispose]();
        },
      });
    },
  };
}
