/**
 * farref over SSH: what `ssh -L` does is relay bytes, so a relay stands in for it. One tunnel is enough: callbacks,
 * references and the server's own calls come back by the connection they belong to.
 */
import { ByReference, connect, connectionOf, perSession, type Remote, type Service, startService } from "farref";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HandleWatch, handleWatch } from "../../conformance/src/index.ts";
import { portIn, relayTo } from "../../transports/test/relay.ts";
import { openDirectory } from "./directory.ts";

interface Greeter {
  name(): string;
}

class Kept extends ByReference implements Greeter {
  name(): string {
    return "kept";
  }
}

/** Calls back by every way there is: the client's front, a callback, an object kept for later. */
class Reception {
  readonly #caller: Remote<Greeter>;
  #kept: Remote<Greeter> | undefined;

  constructor(caller: Remote<Greeter>) {
    this.#caller = caller;
  }

  async greet(): Promise<string> {
    return `hello ${await this.#caller.name()}`;
  }

  async call(back: Remote<(text: string) => string>): Promise<string> {
    return `answered ${await back("asked")}`;
  }

  keep(greeter: Remote<Greeter>): void {
    this.#kept = greeter;
  }

  async greetKept(): Promise<string> {
    return `hello ${await this.#kept?.name()}`;
  }
}

let watch: HandleWatch;
const services: Service<object>[] = [];
beforeEach(() => {
  watch = handleWatch();
});
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
  await watch.assertClosed();
});

async function serve(where: string): Promise<Service<Reception>> {
  const service = await startService(
    where,
    perSession((session) => new Reception(session.front<Greeter>())),
  );
  services.push(service);
  return service;
}

async function expectCallsBothWays(uri: string): Promise<void> {
  const reception = await connect<Reception>(uri, { front: { name: () => "front" } });
  expect(await reception.greet()).toBe("hello front");
  expect(await reception.call((text) => `${text} by callback`)).toBe("answered asked by callback");
  await reception.keep(new Kept());
  expect(await reception.greetKept()).toBe("hello kept");
  await connectionOf(reception).close();
}

test("a TCP port is forwarded to a TCP port: ssh -L 8787:127.0.0.1:8787 host", async () => {
  const service = await serve("tcp://127.0.0.1:0");
  await using tunnel = await relayTo({ host: "127.0.0.1", port: portIn(service.uri) });
  await expectCallsBothWays(`tcp://127.0.0.1:${tunnel.port}`);
  expect(tunnel.connections).toBe(1);
});

test("a Unix socket is forwarded to a Unix socket: ssh -L near.sock:/run/far.sock host", async () => {
  await using directory = await openDirectory();
  const [near, far] = [`${directory.path}/near.sock`, `${directory.path}/far.sock`];
  await serve(`unix:${far}`);
  await using tunnel = await relayTo({ path: far }, near);
  await expectCallsBothWays(`unix:${near}`);
  expect(tunnel.connections).toBe(1);
});

test("a TCP port is forwarded to a Unix socket: ssh -L 8787:/run/far.sock host", async () => {
  await using directory = await openDirectory();
  const far = `${directory.path}/far.sock`;
  await serve(`unix:${far}`);
  await using tunnel = await relayTo({ path: far });
  await expectCallsBothWays(`tcp://127.0.0.1:${tunnel.port}`);
  expect(tunnel.connections).toBe(1);
});

test("a tunnel that breaks ends what ran through it, and says so", async () => {
  const service = await serve("tcp://127.0.0.1:0");
  await using tunnel = await relayTo({ host: "127.0.0.1", port: portIn(service.uri) });
  const reception = await connect<Reception>(`tcp://127.0.0.1:${tunnel.port}`, { front: { name: () => "front" } });
  const pending = reception.call(() => new Promise<string>(() => {}));
  expect(await reception.greet()).toBe("hello front");
  tunnel.breakOff();
  await expect(pending).rejects.toMatchObject({ outcome: "unknown" });
  expect((await connectionOf(reception).closed).code).toBe("lost");
});
