/** The hello of each side: what it says, how it is written and how it is believed. */
import { RpcError } from "../errors/rpc-error.ts";
import { maxTypeNameLength } from "../references/offers.ts";
import type { Codec, Exporter } from "../values/codec.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { protocolVersion } from "../wire/frames.ts";
import type { FrontNote, SharedLimits } from "./environment.ts";

/** The connecting side speaks first. */
export interface ClientHello {
  readonly versions: readonly number[];
  readonly features: readonly string[];
  readonly limits: SharedLimits;
  readonly heartbeatMs: number;
  readonly nonce: Uint8Array;
  /** Methods by which it can prove who it is. */
  readonly auth: readonly string[];
  /** What it offers the server to call; `null` when it offers nothing. */
  readonly front: FrontNote | null;
}

export interface ServerHello {
  readonly version: number;
  readonly features: readonly string[];
  readonly limits: SharedLimits;
  readonly heartbeatMs: number;
  readonly nonce: Uint8Array;
  readonly sessionId: string;
  /** The method by which the client has to prove who it is; `null` when nobody asks. */
  readonly auth: string | null;
}

const helloLimits = { maxDepth: 4, maxNodes: 128 };
const sharedLimitNames = [
  "maxMessageBytes",
  "maxDepth",
  "maxNodes",
  "maxRunningCalls",
  "maxQueuedCalls",
  "maxExports",
  "maxImports",
  "maxCallDepth",
  "maxStreams",
] as const satisfies readonly (keyof SharedLimits)[];

export function sharedLimits(limits: SharedLimits): SharedLimits {
  return Object.fromEntries(sharedLimitNames.map((name) => [name, limits[name]])) as unknown as SharedLimits;
}

/** A hello holds plain data only. */
const noReferences: Exporter = {
  reference: notInHello,
  stream: notInHello,
  signal: notInHello,
  isPinned: () => false,
  standIn: (value) => value,
};

function notInHello(): never {
  throw new RpcError("internal", "a hello holds neither references nor streams", "not-sent");
}

export function writeHello(writer: ByteWriter, codec: Codec, hello: ClientHello | ServerHello | ReadyNote): void {
  codec.encode(writer, hello, noReferences, helloLimits, "hello");
}

/** @throws RpcError `protocol`, also when no version is spoken by both */
export function readClientHello(reader: ByteReader, codec: Codec): ClientHello {
  const fields = readFields(reader, codec);
  const versions = fields["versions"];
  if (!Array.isArray(versions) || !versions.includes(protocolVersion)) {
    throw new RpcError("protocol", `this side speaks version ${protocolVersion}, the peer does not`, "not-sent");
  }
  return { ...readCommon(fields), versions, auth: readNames(fields["auth"] ?? [], "auth"), front: readFront(fields) };
}

/** @throws RpcError `protocol` */
export function readServerHello(reader: ByteReader, codec: Codec): ServerHello {
  const fields = readFields(reader, codec);
  const { version, sessionId, auth = null } = fields;
  if (version !== protocolVersion || typeof sessionId !== "string" || sessionId.length > 64) throw malformed("version");
  if (auth !== null && typeof auth !== "string") throw malformed("auth");
  return { ...readCommon(fields), version, sessionId, auth };
}

/** The server is content: the session begins. */
export interface ReadyNote {
  /** What there is to call; `null` when there is nothing. */
  readonly front: FrontNote | null;
}

export function readReady(reader: ByteReader, codec: Codec): ReadyNote {
  return { front: readFront(readFields(reader, codec)) };
}

function readFront({ front }: Fields): FrontNote | null {
  if (typeof front !== "object" || front === null) return null;
  const { kind, name } = front as Fields;
  return {
    kind: kind === "function" ? "function" : "object",
    name: typeof name === "string" ? name.slice(0, maxTypeNameLength) : "",
  };
}

type Fields = Readonly<Record<string, unknown>>;

function readFields(reader: ByteReader, codec: Codec): Fields {
  const { value } = codec.decode(reader.bytes, reader.position, reader.end, helloLimits);
  if (typeof value !== "object" || value === null) throw malformed("fields");
  return value as Fields;
}

function readCommon(fields: Fields): Pick<ClientHello, "features" | "limits" | "heartbeatMs" | "nonce"> {
  const { features, heartbeatMs, nonce } = fields;
  if (!Array.isArray(features) || !features.every((feature) => typeof feature === "string"))
    throw malformed("features");
  if (typeof heartbeatMs !== "number" || !(heartbeatMs > 0)) throw malformed("heartbeatMs");
  if (!(nonce instanceof Uint8Array) || nonce.length !== nonceBytes) throw malformed("nonce");
  return { features: readNames(features, "features"), limits: readLimits(fields["limits"]), heartbeatMs, nonce };
}

function readNames(given: unknown, field: string): readonly string[] {
  if (!Array.isArray(given) || !given.every((name) => typeof name === "string")) throw malformed(field);
  return given;
}

function readLimits(given: unknown): SharedLimits {
  if (typeof given !== "object" || given === null) throw malformed("limits");
  const limits = given as Fields;
  for (const name of sharedLimitNames) {
    const limit = limits[name];
    if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 1) throw malformed(`limits.${name}`);
  }
  return limits as unknown as SharedLimits;
}

function malformed(what: string): RpcError {
  return new RpcError("protocol", `a hello without proper ${what}`, "not-sent");
}

const nonceBytes = 32;

export function createNonce(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(nonceBytes));
}

export function createSessionId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
