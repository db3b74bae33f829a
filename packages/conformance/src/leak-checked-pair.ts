/** A service and a connection to it that prove, when a test is done with them, that nothing of theirs is left. */
import {
  type Clock,
  type Connection,
  type ConnectionKernelOptions,
  connectionOf,
  type Front,
  openConnection,
  openService,
  type Remote,
  type Service,
  type ServiceKernelOptions,
  type Session,
  type SessionStats,
  type Transport,
} from "@farref/core";
import { collectGarbage } from "./collect-garbage.ts";
import { handleWatch } from "./handle-watch.ts";
import { ManualClock } from "./manual-clock.ts";
import { turns, turnsUntil } from "./turns.ts";

export interface PairSetUp {
  readonly transport: Transport;
  /** An address to listen on that nobody else uses. */
  freshUri(): string;
}

export interface PairOptions {
  /** The service's part. Its `onError` is the pair's own. */
  readonly service?: Omit<ServiceKernelOptions, "onError"> | undefined;
  /** The connection's part. */
  readonly connection?: Omit<ConnectionKernelOptions, "onError" | "address" | "name" | "front"> | undefined;
  /** What the service may call back. */
  readonly clientFront?: object | undefined;
  /** Objects to publish before the connection is made. */
  readonly published?: Readonly<Record<string, object>> | undefined;
  /** The published object to connect to, instead of the front. */
  readonly name?: string | undefined;
  /** One clock for both ends. */
  readonly clock?: Clock | undefined;
}

/** What both ends have told `onError`. A pair that is disposed with errors nobody took fails its test. */
export interface Reported {
  readonly service: Error[];
  readonly connection: Error[];
}

export interface LeakCheckedPair<F extends object> extends AsyncDisposable {
  readonly front: Remote<F>;
  readonly service: Service<F>;
  /** The service's end of the conversation. */
  readonly session: Session;
  readonly connection: Connection;
  readonly reported: Reported;
  /** Empties `reported`, and tells what was in it. */
  takeReported(): Reported;
  /** Waits until no table of either end holds anything; throws when one does not let go. */
  assertEmpty(): Promise<void>;
}

const boundMs = 3_000;

/**
 * Opens a service and a connection. Disposing them asserts that neither holds or imports anything and no call is open,
 * closes both, and asserts that no timer, socket or unheard error stays behind.
 *
 * @example
 * await using pair = await leakCheckedPair({ transport: memoryTransport, freshUri }, { add: (a: number, b: number) => a + b });
 * expect(await pair.front.add(5, 3)).toBe(8);
 */
export async function leakCheckedPair<F extends object>(
  setUp: PairSetUp,
  front: Front<F> | undefined,
  options: PairOptions = {},
): Promise<LeakCheckedPair<F>> {
  const watch = handleWatch();
  const reported = { service: [] as Error[], connection: [] as Error[] };
  const service = await listen(setUp, front, options, (error) => reported.service.push(error));
  const stub = await dial(setUp, service.uri, options, (error) => reported.connection.push(error)).catch(
    async (error: unknown) => {
      await service.close();
      throw error;
    },
  );
  const connection = connectionOf(stub);
  await turnsUntil(() => service.sessions.size > 0, boundMs);
  const [session] = service.sessions;
  if (!session) throw new Error("the service has no session although somebody is connected");
  const rooted = options.name === undefined ? none : { exports: 1, imports: 1 };
  const assertEmpty = () =>
    emptied(() => [
      ...holdings("service", session, { ...rooted, imports: 0 }),
      ...holdings("connection", connection, { ...rooted, exports: 0 }),
    ]);
  return {
    front: stub as Remote<F>,
    service,
    session,
    connection,
    reported,
    takeReported: () => ({ service: reported.service.splice(0), connection: reported.connection.splice(0) }),
    assertEmpty,
    async [Symbol.asyncDispose]() {
      try {
        await assertEmpty();
      } finally {
        await connection.close();
        await service.close();
      }
      await assertTimersGone(options.clock);
      await watch.assertClosed();
      assertSilent(reported);
    },
  };
}

async function listen<F extends object>(
  { transport, freshUri }: PairSetUp,
  front: Front<F> | undefined,
  { clock, published = {}, service: options }: PairOptions,
  onError: (error: Error) => void,
): Promise<Service<F>> {
  const listener = transport.listen?.(freshUri(), {});
  if (!listener) throw new Error(`${transport.schemes[0]} cannot listen`);
  const service = await openService([listener], front, { clock, ...options, onError });
  for (const [name, object] of Object.entries(published)) service.publish(name, object);
  return service;
}

async function dial(
  { transport }: PairSetUp,
  address: string,
  { clock, clientFront, name, connection: options }: PairOptions,
  onError: (error: Error) => void,
): Promise<object> {
  const channel = await transport.dial(address, {});
  return openConnection(channel, { clock, ...options, address, name, front: clientFront, onError });
}

type Counted = "exports" | "imports" | "pendingCalls" | "runningCalls" | "openStreams";
const counted: readonly Counted[] = ["exports", "imports", "pendingCalls", "runningCalls", "openStreams"];

const none = { exports: 0, imports: 0 };

/** What an end still holds beside the published object that the pair itself is on, for people. */
function holdings(end: string, conversation: Session | Connection, rooted: typeof none): string[] {
  const now: SessionStats = conversation.stats();
  const own: Partial<Record<Counted, number>> = conversation.state === "closed" ? none : rooted;
  return counted.filter((name) => now[name] > (own[name] ?? 0)).map((name) => `${end}: ${now[name]} ${name}`);
}

/** Stubs that a test has dropped are gone when the engine says so: it is asked until it does. */
async function emptied(left: () => string[]): Promise<void> {
  await turns(2);
  let isFirst = true;
  const isEmpty = () => {
    if (left().length === 0) return true;
    if (!isFirst) collectGarbage();
    isFirst = false;
    return false;
  };
  if (!(await turnsUntil(isEmpty, boundMs))) throw new Error(`not given up: ${left().join(", ")}`);
}

async function assertTimersGone(clock: Clock | undefined): Promise<void> {
  if (!(clock instanceof ManualClock)) return;
  if (!(await turnsUntil(() => clock.pendingTimers === 0, boundMs))) {
    throw new Error(`${clock.pendingTimers} timers are left`);
  }
}

function assertSilent({ service, connection }: Reported): void {
  const unheard = [...service, ...connection];
  if (unheard.length > 0) throw new AggregateError(unheard, `onError was told what no test expected: ${unheard[0]}`);
}
