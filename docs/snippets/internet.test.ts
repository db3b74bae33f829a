import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bearer, type ConnectOptions, connect, connectionOf, type RpcError, type Service } from "farref";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

// #region imports

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  type AuditEntry,
  type Authorize,
  defineContract,
  implement,
  method,
  type Principal,
  perSession,
  rateLimit,
  type Session,
  startService,
  verifyBearer,
} from "farref";
import * as z from "zod";

/** Whom you know, by the hash of their token: yours to keep, in a database or wherever accounts are. */
const accounts = new Map<string, { id: string; scopes: readonly string[]; expiresAt: number }>();

/** Where your program writes what happened. */
const logger = console;
// #endregion

/** The page connects to an address that only exists on paper, with a certificate that everybody vouches for. */
const onPaper = vi.hoisted(() => ({ address: "wss://notes.example/notes", uri: "", ca: "" }));
vi.mock("farref", async (importOriginal) => {
  const original = (await importOriginal()) as typeof import("farref");
  const connect: typeof original.connect = <T>(
    where: Parameters<typeof original.connect>[0],
    options?: ConnectOptions,
  ) =>
    where === onPaper.address
      ? original.connect<T>(onPaper.uri, { ...options, tls: { ca: onPaper.ca } })
      : original.connect<T>(where, options);
  return { ...original, connect };
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const home = process.cwd();
let folder = "";

/** A certificate for this machine that nobody vouches for. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "farref-docs-"));
  process.chdir(folder);
  if (!hasOpenssl) return;
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const names = ["-subj", "/CN=farref", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", "server.key", "-out", "server.crt"];
  execFileSync("openssl", ["req", ...kind, ...names, ...files], { stdio: "ignore" });
});
afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
  logged.length = 0;
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const services: Service<object>[] = [];
const logged: object[] = [];
for (const level of ["info", "error"] as const)
  vi.spyOn(logger, level).mockImplementation((entry) => logged.push(entry));
vi.spyOn(process, "once").mockImplementation(() => process);

// #region contract
const title = z.string().min(1).max(100);
const text = z.string().max(10_000);

export const notesContract = defineContract({
  titles: method([], z.array(title), { scope: "notes:read", timeoutMs: 5_000 }),
  read: method([title], text, { scope: "notes:read", timeoutMs: 5_000 }),
  write: method([title, text], undefined, { scope: "notes:write", timeoutMs: 5_000 }),
});
// #endregion

// #region object
export class NoSuchNote extends Error {}

/** The notes of one owner. Each session gets its own, so no method has to ask whose they are. */
class Notes {
  readonly #texts: Map<string, string>;

  constructor(texts: Map<string, string>) {
    this.#texts = texts;
  }

  titles() {
    return [...this.#texts.keys()];
  }

  read(title: string) {
    const text = this.#texts.get(title);
    if (text === undefined) throw new NoSuchNote("there is no such note");
    return text;
  }

  write(title: string, text: string) {
    if (this.#texts.size >= 1_000 && !this.#texts.has(title)) throw new NoSuchNote("there is no room for another");
    this.#texts.set(title, text);
  }
}

const textsOf = new Map<string, Map<string, string>>();

function notesOf(principal: Principal | undefined): Notes {
  if (!principal) throw new Error("nobody gets here without a principal");
  const texts = textsOf.get(principal.id) ?? new Map();
  textsOf.set(principal.id, texts);
  return new Notes(texts);
}
// #endregion

const hashOf = (token: string) => createHash("sha256").update(token).digest("hex");
for (const [token, id, scopes, validMs] of [
  ["anns token", "ann", ["notes:read", "notes:write"], 3_600_000],
  ["bobs token", "bob", ["notes:read"], 3_600_000],
  ["old token", "eve", ["notes:read"], -1],
] as const) {
  accounts.set(hashOf(token), { id, scopes, expiresAt: Date.now() + validMs });
}

// #region authenticate
const authenticate = verifyBearer(async (token) => {
  const hash = createHash("sha256").update(token).digest("hex");
  const account = accounts.get(hash); // by its hash: neither a leak nor a clock tells the token
  if (!account || account.expiresAt <= Date.now()) return null;
  return { id: account.id, scopes: account.scopes };
});
// #endregion

// #region authorize
const byScope: Authorize = ({ principal, scope }) => {
  const scopes = principal?.["scopes"];
  return scope !== undefined && Array.isArray(scopes) && scopes.includes(scope);
};

const authorize = [rateLimit({ perSecond: 20, burst: 100 }), byScope];
// #endregion

// #region limits
const limits = {
  maxConnections: 2_000,
  maxMessageBytes: 128 * 1024,
  maxNodes: 5_000,
  maxDepth: 8,
  maxRunningCalls: 16,
  maxQueuedCalls: 64,
  maxExports: 16,
  maxImports: 16,
  maxSendBufferBytes: 1024 * 1024,
};
// #endregion

// #region told
function redactErrors(error: unknown): Error {
  if (error instanceof NoSuchNote) return error; // meant for the caller
  throw error; // a number for the caller, the error itself for onError
}

function audit({ sessionId, principal, peer, method, permitted, code, threw, durationMs }: AuditEntry): void {
  const who = { session: sessionId, principal: principal?.id, address: peer.address };
  logger.info({ ...who, method, permitted, code, threw, durationMs });
}

function onError(error: Error, session?: Session): void {
  logger.error({ error, session: session?.id, principal: session?.principal?.id });
}
// #endregion

async function startNotes() {
  // #region start
  const service = await startService(
    process.env["NOTES_ADDRESS"] ?? "wss://127.0.0.1:0/notes", // wss://0.0.0.0:443/notes
    perSession(({ principal }) => implement(notesContract, notesOf(principal))),
    {
      tls: { key: readFileSync("server.key"), cert: readFileSync("server.crt") },
      authenticate,
      authorize,
      allowedOrigins: ["https://notes.example"],
      limits,
      redactErrors,
      audit,
      onError,
    },
  );
  // #endregion

  // #region drain
  process.once("SIGTERM", () => void service.drain({ timeoutMs: 10_000 }));
  // #endregion
  services.push(service);
  return service;
}

function tls(): ConnectOptions["tls"] {
  return { ca: readFileSync("server.crt") };
}

test.skipIf(!hasOpenssl)("each gets its own notes, as far as its scopes go", async () => {
  const { uri } = await startNotes();
  const as = (token: string) => connect(uri, { contract: notesContract, credentials: bearer(token), tls: tls() });
  await using ann = await as("anns token");
  await ann.write("list", "tea");
  await using bob = await as("bobs token");
  expect([await ann.titles(), await bob.titles()]).toEqual([["list"], []]);
  await expect(bob.write("list", "x")).rejects.toMatchObject({ code: "denied", outcome: "not-executed" });
  await expect(bob.read("list")).rejects.toMatchObject({ remoteName: "NoSuchNote", message: "there is no such note" });
  await expect(ann.write("x", 1 as never)).rejects.toMatchObject({ code: "invalid-argument", outcome: "not-executed" });
  for (const token of ["a guess", "old token"]) {
    await expect(as(token)).rejects.toMatchObject({ code: "unauthenticated", outcome: "not-sent" });
  }
  expect(logged).toContainEqual(
    expect.objectContaining({ principal: "bob", method: "write", permitted: false, code: "denied" }),
  );
});

test.skipIf(!hasOpenssl)("too many calls are refused, and a bigger message never leaves", async () => {
  const { uri } = await startNotes();
  await using ann = await connect(uri, { contract: notesContract, credentials: bearer("anns token"), tls: tls() });
  const settled = await Promise.allSettled(Array.from({ length: 150 }, () => ann.titles()));
  const codes = settled.map((end) => (end.status === "rejected" ? (end.reason as RpcError).code : "ok"));
  expect(codes).toContain("overloaded");
  await expect(ann.write("x", "y".repeat(200_000))).rejects.toMatchObject({ code: "limit-exceeded" });
});

test.skipIf(!hasOpenssl)("a token that is taken back", async () => {
  const service = await startNotes();
  await using ann = await connect(service.uri, {
    contract: notesContract,
    credentials: bearer("anns token"),
    tls: tls(),
  });
  // #region revoke
  function signOut(id: string): void {
    for (const session of service.sessions) {
      if (session.principal?.id === id) session.close("signed out");
    }
  }
  // #endregion
  signOut("ann");
  await connectionOf(ann).closed;
  await expect(ann.titles()).rejects.toMatchObject({ code: "closed" });
});

test.skipIf(!hasOpenssl)("a page", async () => {
  const service = await startNotes();
  Object.assign(onPaper, { uri: service.uri, ca: readFileSync("server.crt", "utf8") });
  const fetchToken = async () => "bobs token";
  // #region page
  const notes = await connect("wss://notes.example/notes", {
    contract: notesContract,
    credentials: bearer(fetchToken),
    limits: { maxMessageBytes: 1024 * 1024, maxExports: 16, maxImports: 100 },
  });
  // #endregion
  expect(await notes.titles()).toBeInstanceOf(Array);
  await connectionOf(notes).close();
});
