/** What strangers do before there is a session reaches `onError`, and no flood of it does. */
import { expect, test } from "vitest";
import { ManualClock } from "../../../conformance/src/index.ts";
import { memoryTransport } from "../../../transports/src/index.ts";
import { type Authenticator, openConnection, RpcError, type ServiceKernelOptions } from "../../src/index.ts";
import { preamble } from "../../src/wire/frames.ts";
import { leakCheckedPair } from "../session/pairs.ts";
import { RawPeer } from "../session/raw-peer.ts";
import { failureOf } from "../session/waiting.ts";

type Stranger = (uri: string) => Promise<void>;

const speaksHttp: Stranger = async (uri) => {
  await using raw = await RawPeer.dial(memoryTransport, uri);
  raw.write("GET / HTTP/1.1\r\n\r\n");
  await raw.closed();
};
const hangsUp: Stranger = async (uri) => {
  await using raw = await RawPeer.dial(memoryTransport, uri);
  raw.write(preamble);
};
const speaksNoVersion: Stranger = async (uri) => {
  await using raw = await RawPeer.dial(memoryTransport, uri);
  raw.write(preamble);
  raw.hello({ versions: [99] });
  await raw.closed();
};
const guesses: Stranger = async (uri) => {
  const credentials = { method: "word", prove: async () => {} };
  await failureOf(openConnection(await memoryTransport.dial(uri, {}), { address: uri, credentials }));
};

const word: Authenticator = { method: "word", verify: async () => null };
const brokenWord: Authenticator = {
  method: "word",
  verify: () => {
    throw new Error("the directory of users is down");
  },
};

test.each<[string, Stranger, ServiceKernelOptions, string]>([
  ["who do not speak farref", speaksHttp, {}, "protocol"],
  ["who hang up", hangsUp, {}, "unreachable"],
  ["of another version", speaksNoVersion, {}, "protocol"],
  ["who guess", guesses, { authenticators: [word] }, "unauthenticated"],
  ["for whom a verifier throws", guesses, { authenticators: [brokenWord] }, "internal"],
])("of strangers %s ten are told of in a second, then how many were left out", async (_what, knock, options, code) => {
  const clock = new ManualClock();
  await using pair = await leakCheckedPair({}, { clock, service: { ...options, ...admitsPair(options) }, connection });
  const { uri } = pair.service;
  for (let i = 0; i < 25; i++) await knock(uri);
  expect(pair.takeReported().service).toHaveLength(10);
  clock.advance(1_000);
  await knock(uri);
  const [summary, next, ...others] = pair.takeReported().service;
  expect(summary).toMatchObject({ code, message: expect.stringContaining("15 more peers were turned away") });
  expect(next).toBeInstanceOf(code === "internal" ? Error : RpcError);
  expect(others).toEqual([]);
});

/** The pair's own connection shows something else. */
const connection = { credentials: { method: "pair", prove: async () => {} } };

function admitsPair({ authenticators }: ServiceKernelOptions): ServiceKernelOptions {
  if (!authenticators) return {};
  return { authenticators: [{ method: "pair", verify: async () => ({ id: "pair" }) }, ...authenticators] };
}
