/** Where limits are reached: a peer without manners on one connection, and honest neighbours on others. */
import { acceptAt, type ManualClock } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import {
  type Clock,
  type Connection,
  connectionOf,
  type Limits,
  openConnection,
  type Remote,
  type Session,
} from "../../src/index.ts";
import { leakCheckedPair, memory } from "../session/pairs.ts";
import { type RawHello, RawPeer } from "../session/raw-peer.ts";
import { until } from "../session/waiting.ts";

export const calculator = { add: (a: number, b: number) => a + b };

interface ServiceOptions {
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
  /** What the raw peer says in its hello. */
  readonly hello?: Partial<RawHello>;
}

/** A service with an honest client and, beside it, a peer that does as the test likes. */
export async function rawClient<F extends object>(front: F, { limits, clock, hello }: ServiceOptions = {}) {
  const pair = await leakCheckedPair(
    { ...calculator, ...front },
    { clock, service: limits === undefined ? undefined : { limits } },
  );
  const raw = await RawPeer.connect(memoryTransport, pair.service.uri, hello);
  const session = [...pair.service.sessions].find((candidate) => candidate !== pair.session) as Session;
  return {
    pair,
    raw,
    /** The service's end of the raw peer's conversation. */
    session,
    /** The honest client's calls answer. */
    othersAreWell: async () => (await pair.front.add(5, 3)) === 8,
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await until(() => pair.service.sessions.size <= 1, "the end of the raw peer's session");
      await pair[Symbol.asyncDispose]();
    },
  };
}

interface ClientOptions {
  readonly limits?: Partial<Limits>;
  readonly clock?: ManualClock;
  /** What the raw server may call back. */
  readonly front?: object;
}

/** A client of a server that does as the test likes; beside it, the same program has a connection to an honest one. */
export async function rawServer<F extends object>({ limits, clock, front }: ClientOptions = {}) {
  const pair = await leakCheckedPair(calculator, { clock });
  await using acceptor = await acceptAt(memoryTransport, memory.freshUri());
  const dialled = memoryTransport.dial(acceptor.uri, {});
  const raw = new RawPeer(await acceptor.next());
  const serving = raw.serve();
  const address = acceptor.uri;
  const errors: Error[] = [];
  const stub = await openConnection(await dialled, {
    address,
    limits,
    clock,
    front,
    onError: (error) => errors.push(error),
  });
  await serving;
  const connection: Connection = connectionOf(stub);
  return {
    raw,
    connection,
    remote: stub as Remote<F>,
    errors,
    /** Another connection of the program's answers. */
    othersAreWell: async () => (await pair.front.add(5, 3)) === 8,
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await connection.close();
      await pair[Symbol.asyncDispose]();
    },
  };
}
