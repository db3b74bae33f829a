/** Who connects proves who they are, and a server that shares a secret proves it too. */
import { afterEach, describe, expect, test } from "vitest";
import {
  type Authenticator,
  bearer,
  type Credentials,
  connect,
  connectionOf,
  currentCall,
  perSession,
  type Service,
  sharedSecret,
  startService,
  verifyBearer,
} from "../src/index.ts";

class Whoami {
  principal() {
    return currentCall().principal;
  }
}

const services: Service<object>[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function serve(authenticate: Authenticator | readonly Authenticator[], uri = "tcp://127.0.0.1:0") {
  const errors: Error[] = [];
  const service = await startService(uri, new Whoami(), { authenticate, onError: (error) => errors.push(error) });
  services.push(service);
  return { service, errors };
}

const refused = { code: "unauthenticated", outcome: "not-sent" };
const tokens = verifyBearer((token) => (token === "good" ? { id: "ann", role: "admin" } : null));

describe.each(["tcp://127.0.0.1:0", "ws://127.0.0.1:0", "memory:authentication"])("over %s", (uri) => {
  test("a shared secret gives the principal shared-secret, in calls and in sessions", async () => {
    const { service } = await serve(sharedSecret("s3cret"), uri);
    await using stub = await connect<Whoami>(service.uri, { credentials: sharedSecret("s3cret") });
    expect(await stub.principal()).toEqual({ id: "shared-secret" });
    expect([...service.sessions].map(({ principal }) => principal)).toEqual([{ id: "shared-secret" }]);
  });

  test("another secret, another method or no credentials are refused, and no session begins", async () => {
    const { service, errors } = await serve(sharedSecret("s3cret"), uri);
    await expect(connect(service.uri, { credentials: sharedSecret("other") })).rejects.toMatchObject(refused);
    await expect(connect(service.uri, { credentials: bearer("s3cret") })).rejects.toMatchObject(refused);
    await expect(connect(service.uri)).rejects.toMatchObject(refused);
    expect(service.sessions.size).toBe(0);
    expect(errors).toHaveLength(3);
  });

  test("one of several methods is enough", async () => {
    const { service } = await serve([sharedSecret("s3cret"), tokens], uri);
    await using stub = await connect<Whoami>(service.uri, { credentials: bearer(async () => "good") });
    expect(await stub.principal()).toEqual({ id: "ann", role: "admin" });
    await expect(connect(service.uri, { credentials: bearer("bad") })).rejects.toMatchObject(refused);
  });
});

test("a client with a shared secret refuses a server that proves nothing", async () => {
  const open = await serve([], "memory:open");
  await expect(connect(open.service.uri, { credentials: sharedSecret("s3cret") })).rejects.toMatchObject(refused);
  const liar: Authenticator = {
    method: "shared-secret",
    verify: async (exchange) => {
      exchange.send(await exchange.receive());
      return { id: "anybody" };
    },
  };
  const reflecting = await serve(liar, "memory:reflecting");
  await expect(connect(reflecting.service.uri, { credentials: sharedSecret("s3cret") })).rejects.toMatchObject(refused);
});

test("a recorded proof is worth nothing in another connection", async () => {
  const { service } = await serve(sharedSecret("s3cret"));
  const recorded: Uint8Array[] = [];
  const honest = sharedSecret("s3cret");
  const recording: Credentials = {
    method: "shared-secret",
    prove: (exchange) =>
      honest.prove({
        role: exchange.role,
        peer: exchange.peer,
        nonces: exchange.nonces,
        receive: () => exchange.receive(),
        send: (bytes) => {
          recorded.push(bytes);
          exchange.send(bytes);
        },
      }),
  };
  await using first = await connect<Whoami>(service.uri, { credentials: recording });
  expect(await first.principal()).toEqual({ id: "shared-secret" });
  const replaying: Credentials = {
    method: "shared-secret",
    prove: async (exchange) => {
      for (const bytes of recorded) exchange.send(bytes);
    },
  };
  await expect(connect(service.uri, { credentials: replaying })).rejects.toMatchObject(refused);
});

test("an empty secret is refused when made", () => {
  expect(() => sharedSecret("")).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  expect(() => sharedSecret(new Uint8Array(0))).toThrow(expect.objectContaining({ code: "invalid-argument" }));
});

test("a token is not sent in the clear beyond loopback", async () => {
  const dialled: string[] = [];
  const transport = {
    schemes: ["tcp"],
    dial: async (uri: string) => {
      dialled.push(uri);
      throw new Error("dialled");
    },
  };
  const options = { credentials: bearer("good"), transports: [transport] };
  await expect(connect("tcp://192.0.2.7:1", options)).rejects.toMatchObject({ code: "refused", outcome: "not-sent" });
  expect(dialled).toEqual([]);
  await expect(connect("tcp://192.0.2.7:1", { ...options, insecure: true })).rejects.toThrow("dialled");
  await expect(connect("tcp://127.0.0.1:1", options)).rejects.toThrow("dialled");
});

test("what a verifier throws is told to the program, not to the client", async () => {
  const { service, errors } = await serve(
    verifyBearer(() => {
      throw new Error("database password is hunter2");
    }),
  );
  await expect(connect(service.uri, { credentials: bearer("good") })).rejects.toMatchObject({
    ...refused,
    message: expect.not.stringContaining("hunter2"),
  });
  expect(errors.map(({ message }) => message)).toContain("database password is hunter2");
});

test("a front of one's own is made for the principal, and the server may call back at once", async () => {
  const service = await startService(
    "tcp://127.0.0.1:0",
    perSession((session) => {
      const greeted = session.front<{ greet(name: string): string }>().greet(String(session.principal?.id));
      return { greeting: () => greeted };
    }),
    { authenticate: tokens },
  );
  services.push(service);
  const front = { greet: (name: string) => `hello ${name}` };
  const stub = await connect<{ greeting(): Promise<string> }>(service.uri, { credentials: bearer("good"), front });
  expect(await stub.greeting()).toBe("hello ann");
  await connectionOf(stub).close();
});
