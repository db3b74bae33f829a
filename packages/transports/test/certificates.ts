/** A certificate authority of one test run: X.509 written by hand, so that no file expires and no program is needed. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/** What Node's TLS takes, in PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export interface Wish {
  /** The subject's common name. */
  readonly name: string;
  /** Host names and IPv4 addresses it is good for. */
  readonly hosts?: readonly string[] | undefined;
  /** In hours from now; a day into the past and into the future by default. */
  readonly validHours?: readonly [from: number, to: number] | undefined;
}

export interface Authority extends Identity {
  issue(wish: Wish): Identity;
}

export function createAuthority(name = "a test's authority"): Authority {
  const keys = generateKeys();
  const certify = (subject: KeyObject, wish: Wish, isAuthority: boolean) =>
    pem("CERTIFICATE", certificate({ issuer: name, issuerKey: keys.privateKey, subject, wish, isAuthority }));
  return {
    key: keyPem(keys.privateKey),
    cert: certify(keys.publicKey, { name }, true),
    issue(wish) {
      const { privateKey, publicKey } = generateKeys();
      return { key: keyPem(privateKey), cert: certify(publicKey, wish, false) };
    },
  };
}

/** Good for 127.0.0.1 and localhost; nobody vouches for it but itself. */
export function selfSigned(name = "127.0.0.1"): Identity {
  const { privateKey, publicKey: subject } = generateKeys();
  const wish = { name, hosts: ["127.0.0.1", "localhost"] };
  const body = certificate({ issuer: name, issuerKey: privateKey, subject, wish, isAuthority: true });
  return { key: keyPem(privateKey), cert: pem("CERTIFICATE", body) };
}

function generateKeys() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

interface Content {
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly subject: KeyObject;
  readonly wish: Wish;
  readonly isAuthority: boolean;
}

/** RFC 5280, section 4.1, signed with ECDSA and SHA-256. */
function certificate({ issuer, issuerKey, subject, wish, isAuthority }: Content): Buffer {
  const [from, to] = wish.validHours ?? [-24, 24];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    signatureAlgorithm,
    distinguishedName(issuer),
    sequence(time(from), time(to)),
    distinguishedName(wish.name),
    subject.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions(wish.hosts ?? [], isAuthority))),
  );
  return sequence(body, signatureAlgorithm, der(0x03, Buffer.of(0), sign("sha256", body, issuerKey)));
}

function extensions(hosts: readonly string[], isAuthority: boolean): Buffer[] {
  const constraints = sequence(...(isAuthority ? [der(0x01, Buffer.of(0xff))] : []));
  const basic = sequence(oid("551d13"), der(0x01, Buffer.of(0xff)), der(0x04, constraints));
  if (hosts.length === 0) return [basic];
  return [basic, sequence(oid("551d11"), der(0x04, sequence(...hosts.map(generalName))))];
}

function generalName(host: string): Buffer {
  return isIPv4(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host));
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))));
}

/** UTCTime, to the second. */
function time(hoursFromNow: number): Buffer {
  const text = new Date(Date.now() + hoursFromNow * 3_600_000).toISOString();
  return der(0x17, Buffer.from(`${text.slice(2, 19).replace(/[-T:]/g, "")}Z`));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

const signatureAlgorithm = sequence(oid("2a8648ce3d040302"));

/** A tag, a length, and what it is the length of. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function keyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function pem(what: string, body: Buffer): string {
  const lines = body.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${what}-----\n${lines}\n-----END ${what}-----\n`;
}
