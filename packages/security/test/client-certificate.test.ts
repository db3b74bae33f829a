import type { PeerCertificate } from "node:tls";
import type { AuthExchange } from "@farref/core";
import { clientCertificate } from "@farref/security";
import { expect, test } from "vitest";

/** A client of whom no more is known than what TLS has told. */
function clientWith(certificate: unknown): AuthExchange {
  const never = () => {
    throw new Error("a certificate is not asked for by messages");
  };
  const nonces = { client: new Uint8Array(32), server: new Uint8Array(32) };
  return { role: "server", peer: { transport: "tls", certificate }, nonces, send: never, receive: never };
}

test("the principal is the subject's common name, without a word to the client", async () => {
  const authenticator = clientCertificate();
  expect(authenticator).toMatchObject({ method: "client-certificate", needsNoMessages: true });
  expect(await authenticator.verify(clientWith({ subject: { CN: "ann", O: "x" } }))).toEqual({ id: "ann" });
});

test.each([
  undefined,
  null,
  "ann",
  {},
  { subject: undefined },
  { subject: {} },
  { subject: { CN: "" } },
  { subject: { CN: ["ann", "root"] } },
  { subject: { O: "ann" } },
])("%j is nobody", async (certificate) => {
  expect(await clientCertificate().verify(clientWith(certificate))).toBeNull();
});

test("verify is asked with the certificate, and only if there is one", async () => {
  const asked: PeerCertificate[] = [];
  const authenticator = clientCertificate((certificate) => {
    asked.push(certificate);
    return certificate.subject.OU === "ops" ? { id: certificate.serialNumber, role: "ops" } : null;
  });
  const ops = { subject: { OU: "ops" }, serialNumber: "0A" };
  expect(await authenticator.verify(clientWith(ops))).toEqual({ id: "0A", role: "ops" });
  expect(await authenticator.verify(clientWith({ subject: { CN: "ann" } }))).toBeNull();
  expect(await authenticator.verify(clientWith(undefined))).toBeNull();
  expect(asked).toHaveLength(2);
});
