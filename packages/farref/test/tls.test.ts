/** TLS as a program meets it: who the server is, who the client is, and what is refused. */
import { once } from "node:events";
import { createServer } from "node:http";
import { createConnection } from "node:net";
import {
  type Authenticator,
  acl,
  bearer,
  type ConnectOptions,
  clientCertificate,
  connect,
  connectionOf,
  currentCall,
  perSession,
  type Service,
  type ServiceOptions,
  sharedSecret,
  startService,
  verifyBearer,
  webSocketListener,
} from "farref";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type HandleWatch, handleWatch, turnsUntil } from "../../conformance/src/index.ts";
import { createAuthority, selfSigned } from "../../transports/test/certificates.ts";
import { requestUpgrade } from "../../transports/test/upgrade-request.ts";
import { startProgram } from "./program.ts";

class Whoami {
  principal() {
    return currentCall().principal;
  }
  ask(question: (text: string) => string) {
    return question("who?");
  }
}

const authority = createAuthority();
const { cert: ca } = authority;
const hosts = ["127.0.0.1", "localhost"];
const server = authority.issue({ name: "a server", hosts });
const ann = authority.issue({ name: "ann" });
const asking = { ...server, ca, requestCert: true };

let watch: HandleWatch;
const services: Service<object>[] = [];
beforeEach(() => {
  watch = handleWatch();
});
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
  await watch.assertClosed();
});

async function serve(uri: string, options: ServiceOptions) {
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const service = await startService(uri, new Whoami(), { onError, ...options });
  services.push(service);
  return { service, errors };
}

/** Connects, asks, and closes. */
async function principalOf(uri: string, options: ConnectOptions): Promise<unknown> {
  const whoami = await connect<Whoami>(uri, options);
  try {
    return await whoami.principal();
  } finally {
    await connectionOf(whoami).close();
  }
}

const unauthenticated = { code: "unauthenticated", outcome: "not-sent" };

describe.each(["tls://127.0.0.1:0", "wss://127.0.0.1:0/farref"])("%s", (uri) => {
  const scheme = uri.slice(0, 3);

  test("carries calls and callbacks, at the address it tells", async () => {
    const { service } = await serve(uri, { tls: server });
    expect(service.uri).toMatch(new RegExp(`^${uri.replace(":0", ":[1-9]\\d*")}$`));
    const whoami = await connect<Whoami>(service.uri, { tls: { ca } });
    expect(await whoami.ask((text) => `${text} me`)).toBe("who? me");
    expect([...service.sessions]).toMatchObject([{ peer: { transport: scheme, address: "127.0.0.1" } }]);
    await connectionOf(whoami).close();
  });

  describe("a server that cannot be verified", () => {
    test.each([
      ["nobody vouches for it", server, {}, "verify"],
      ["another authority vouches for it", server, { ca: createAuthority("another").cert }, "verify"],
      ["it vouches for itself", selfSigned(), { ca }, "self-signed"],
      ["it is expired", authority.issue({ name: "a server", hosts, validHours: [-48, -24] }), { ca }, "expired"],
      ["it is another host's", authority.issue({ name: "a server", hosts: ["a.example"] }), { ca }, "not in the cert"],
    ])("is refused: %s", async (_, tls, trust, reason) => {
      const { service } = await serve(uri, { tls });
      const connecting = connect(service.uri, { tls: trust });
      await expect(connecting).rejects.toMatchObject({ ...unauthenticated, message: expect.stringContaining(reason) });
      expect(service.sessions.size).toBe(0);
    });

    test("is refused whatever the environment says, and let pass only by the program", async () => {
      const { service } = await serve(uri, { tls: server });
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
      vi.stubEnv("NODE_NO_WARNINGS", "1");
      await using program = await startProgram("tls-client", service.uri);
      vi.unstubAllEnvs();
      for (let i = 0; i < 3; i++) expect(await program.line()).toBe("unauthenticated");
      expect(await program.line()).toBe("connected");
      expect(await program.exited).toEqual({ code: 0, signal: null });
    });
  });

  describe("a client's certificate", () => {
    test("makes the principal, in calls, in sessions and for fronts", async () => {
      const front = perSession(({ principal, peer }) => ({ met: () => [principal, peer.certificate !== undefined] }));
      const service = await startService(uri, front, { tls: asking, authenticate: clientCertificate() });
      services.push(service);
      const stub = await connect<{ met(): unknown }>(service.uri, { tls: { ca, ...ann } });
      expect(await stub.met()).toEqual([{ id: "ann" }, true]);
      expect([...service.sessions]).toMatchObject([
        { principal: { id: "ann" }, peer: { certificate: { subject: { CN: "ann" } } } },
      ]);
      await connectionOf(stub).close();
      const plain = await serve(uri, { tls: asking, authenticate: clientCertificate() });
      expect(await principalOf(plain.service.uri, { tls: { ca, ...ann } })).toEqual({ id: "ann" });
    });

    test("may be read by the program, which may refuse it", async () => {
      const authenticate = clientCertificate(({ subject, fingerprint256 }) =>
        subject.CN === "ann" ? { id: "a. nonymous", fingerprint256 } : null,
      );
      const { service } = await serve(uri, { tls: asking, authenticate });
      const principal = await principalOf(service.uri, { tls: { ca, ...ann } });
      expect(principal).toEqual({ id: "a. nonymous", fingerprint256: expect.stringMatching(/^[\dA-F:]{95}$/) });
      const bob = authority.issue({ name: "bob" });
      await expect(connect(service.uri, { tls: { ca, ...bob } })).rejects.toMatchObject(unauthenticated);
    });

    const others = [
      ["none", {}],
      ["one of another authority", createAuthority().issue({ name: "ann" })],
      ["one that vouches for itself", selfSigned("ann")],
    ] as const;

    test.each(others)("has to be there and verified: %s", async (_, identity) => {
      const { service, errors } = await serve(uri, { tls: asking, authenticate: clientCertificate() });
      await expect(connect(service.uri, { tls: { ca, ...identity } })).rejects.toMatchObject({ outcome: "not-sent" });
      expect(service.sessions.size).toBe(0);
      expect(errors).toHaveLength(1);
    });

    test.each(others)("is one way of several where the program says so: %s", async (_, identity) => {
      const tls = { ...asking, rejectUnauthorized: false };
      const secret = sharedSecret("s3cret");
      const either: Authenticator[][] = [
        [clientCertificate(), secret],
        [secret, clientCertificate()],
      ];
      for (const authenticate of either) {
        const { service } = await serve(uri, { tls, authenticate });
        expect(await principalOf(service.uri, { tls: { ca, ...ann } })).toEqual({ id: "ann" });
        const options = { tls: { ca, ...identity } };
        expect(await principalOf(service.uri, { ...options, credentials: secret })).toEqual({ id: "shared-secret" });
        await expect(connect(service.uri, options)).rejects.toMatchObject(unauthenticated);
      }
    });

    test("does nothing where the service does not ask for it", async () => {
      const { service } = await serve(uri, { tls: server, authenticate: clientCertificate() });
      await expect(connect(service.uri, { tls: { ca, ...ann } })).rejects.toMatchObject(unauthenticated);
    });
  });

  test("a token and a shared secret travel inside", async () => {
    const tokens = verifyBearer((token) => (token === "good" ? { id: "ann" } : null));
    const { service } = await serve(uri, { tls: server, authenticate: [tokens, sharedSecret("s3cret")] });
    const tls = { ca };
    expect(await principalOf(service.uri, { tls, credentials: bearer("good") })).toEqual({ id: "ann" });
    expect(await principalOf(service.uri, { tls, credentials: sharedSecret("s3cret") })).toEqual({
      id: "shared-secret",
    });
    for (const credentials of [bearer("bad"), sharedSecret("other")]) {
      await expect(connect(service.uri, { tls, credentials })).rejects.toMatchObject(unauthenticated);
    }
  });

  test("a token may go beyond loopback", async () => {
    const transport = {
      schemes: [scheme],
      dial: async () => {
        throw new Error("dialled");
      },
    };
    const options = { credentials: bearer("good"), transports: [transport] };
    await expect(connect(`${scheme}://192.0.2.7:1`, options)).rejects.toThrow("dialled");
  });

  test("listening beyond loopback is guarded as everywhere", async () => {
    const where = uri.replace("127.0.0.1", "0.0.0.0");
    await expect(startService(where, {}, { tls: server })).rejects.toMatchObject({ code: "refused" });
    const { service } = await serve(where, { tls: asking, authenticate: clientCertificate() });
    const near = service.uri.replace("0.0.0.0", "127.0.0.1");
    expect(await principalOf(near, { tls: { ca, ...ann } })).toEqual({ id: "ann" });
  });

  test("whoever the acl denies gets no TLS", async () => {
    const { service, errors } = await serve(uri, { tls: server, acl: acl("deny all allow 192.0.2.0/24") });
    await expect(connect(service.uri, { tls: { ca } })).rejects.toMatchObject({ outcome: "not-sent" });
    expect(errors).toMatchObject([{ code: "denied", message: expect.stringContaining("(acl)") }]);
  });

  test("without a certificate there is no listening", async () => {
    await expect(startService(uri, {})).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-sent" });
  });

  test("a handshake has the time that the limits give", async () => {
    const { service, errors } = await serve(uri, { tls: server, limits: { handshakeTimeoutMs: 50 } });
    const silent = createConnection(Number(new URL(service.uri).port), "127.0.0.1").resume();
    await once(silent, "close");
    await turnsUntil(() => errors.length > 0, 1_000);
    expect(errors).toMatchObject([{ code: "unreachable", outcome: "not-sent" }]);
  });
});

describe("the wrong one of two", () => {
  test("tls: to a plain service fails at once, and says that TLS is what failed", async () => {
    const { service } = await serve("tcp://127.0.0.1:0", {});
    const connecting = connect(service.uri.replace("tcp", "tls"), { tls: { ca } });
    const failure = { code: "unreachable", outcome: "not-sent", message: expect.stringContaining("TLS") };
    await expect(connecting).rejects.toMatchObject(failure);
  });

  test("tcp: to a service of TLS fails at once, and the service knows why", async () => {
    const { service, errors } = await serve("tls://127.0.0.1:0", { tls: server });
    const connecting = connect(service.uri.replace("tls", "tcp"));
    // TLS may answer with an alert, which is no farref, or close at once.
    const code = expect.stringMatching(/^(protocol|unreachable)$/);
    await expect(connecting).rejects.toMatchObject({ code, outcome: "not-sent" });
    expect(errors).toMatchObject([{ code: "protocol", message: expect.stringContaining("TLS") }]);
  });
});

describe("behind a proxy", () => {
  const lan = acl("deny all allow 203.0.113.0/24");

  /** As a proxy forwards it. 0: hung up without a word. */
  const askAs = (uri: string, client: string) => requestUpgrade(uri, { "X-Forwarded-For": client });

  test("it is the client's address that counts, if the proxy is trusted", async () => {
    const options = { acl: lan, trustedProxies: ["127.0.0.0/8"] };
    const http = createServer().listen(0, "127.0.0.1");
    await once(http, "listening");
    const shared = await startService(webSocketListener(http), {}, { ...options, onError: () => {} });
    services.push(shared);
    const { service } = await serve("ws://127.0.0.1:0", options);
    for (const { uri } of [shared, service]) {
      expect(await askAs(uri, "203.0.113.7")).toBe(101);
      expect(await askAs(uri, "203.0.113.7, 198.51.100.9")).toBe(0);
      expect(await askAs(uri, "nonsense")).toBe(400);
      await expect(connect(uri)).rejects.toMatchObject({ outcome: "not-sent" });
    }
    http.close();
    http.closeAllConnections();
  });

  test("anybody else can say what he likes", async () => {
    const { service } = await serve("ws://127.0.0.1:0", { acl: lan });
    expect(await askAs(service.uri, "203.0.113.7")).toBe(0);
  });

  test("a list that cannot be read is refused", async () => {
    const trustedProxies = ["my proxy"];
    await expect(startService("ws://127.0.0.1:0", {}, { trustedProxies })).rejects.toMatchObject({
      code: "invalid-argument",
    });
  });
});
