/**
 * IP addresses and ranges of them, as numbers. Only the plain spellings are addresses: what C would also read as one
 * (`127.1`, `0177.0.0.1`, `2130706433`) is not, nor is a name or an address with a port.
 */

export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** The addresses of a family whose bits under `mask` are `bits`. */
export interface AddressRange extends Address {
  readonly mask: bigint;
}

/** Reads a peer's address: its zone is dropped, and an IPv4-mapped one is the IPv4 address it maps. */
export function readPeerAddress(text: string): Address | undefined {
  if (text.length > maxLength) return undefined;
  const zone = text.indexOf("%");
  if (zone === -1) return unmapped(readAddress(text));
  const address = readAddress(text.slice(0, zone));
  return address?.family === 6 && zone < text.length - 1 ? unmapped(address) : undefined;
}

/**
 * Reads what a rule may name: `10.1.2.3`, `192.168.1.*`, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `fe80::/10`. A last `*`
 * stands for all segments that follow. A range of IPv4-mapped addresses is the IPv4 range.
 */
export function readRange(text: string): AddressRange | undefined {
  if (text.length > maxLength) return undefined;
  if (text.endsWith("*")) return readWildcard(text.split("."));
  const slash = text.indexOf("/");
  const address = readAddress(slash === -1 ? text : text.slice(0, slash));
  if (!address) return undefined;
  const mask = slash === -1 ? allOnes(address.family) : readMask(text.slice(slash + 1), address.family);
  return mask === undefined ? undefined : unmappedRange({ ...address, bits: address.bits & mask, mask });
}

export function isWithin(address: Address, range: AddressRange): boolean {
  return address.family === range.family && (address.bits & range.mask) === range.bits;
}

/**
 * Whether an IPv6 address carries an IPv4 address in a way that some network gear translates: `::a.b.c.d`,
 * `::ffff:0:a.b.c.d`, NAT64 and 6to4. It is not that IPv4 address, and nobody should pass as it.
 */
export function embedsIPv4(address: Address): boolean {
  return address.bits > 1n && embeddings.some((range) => isWithin(address, range));
}

/**
 * What is counted as one where addresses are counted: an IPv4 address, and of an IPv6 address the first 64 bits, as
 * everybody has as many of the others as they like. What is no address is itself.
 */
export function networkOf(text: string): string {
  const address = text.includes(":") ? readPeerAddress(text) : undefined;
  return address?.family === 6 ? `${(address.bits >> 64n).toString(16)}::/64` : text;
}

/** Longer than any address or range that is one. */
const maxLength = 128;

function unmapped(address: Address | undefined): Address | undefined {
  if (address?.family !== 6 || address.bits >> 32n !== 0xffffn) return address;
  return { family: 4, bits: address.bits & allOnes(4) };
}

function unmappedRange(range: AddressRange): AddressRange {
  const isMapped = range.family === 6 && range.bits >> 32n === 0xffffn && range.mask >> 32n === allOnes(6) >> 32n;
  return isMapped ? { family: 4, bits: range.bits & allOnes(4), mask: range.mask & allOnes(4) } : range;
}

function readAddress(text: string): Address | undefined {
  const family = text.includes(":") ? 6 : 4;
  const bits = family === 6 ? readIPv6(text) : readIPv4(text);
  return bits === undefined ? undefined : { family, bits };
}

function readIPv4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every(isOctet)) return undefined;
  return joined(octets.map(BigInt), 8n);
}

function isOctet(text: string): boolean {
  return /^(0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= 255;
}

function readIPv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(readGroups);
  if (halves.length === 1) return head?.length === 8 ? joined(head, 16n) : undefined;
  if (!head || !tail || head.length + tail.length > 7 || halves[0]?.includes(".")) return undefined;
  const zeros = new Array<bigint>(8 - head.length - tail.length).fill(0n);
  return joined([...head, ...zeros, ...tail], 16n);
}

/** The 16-bit groups of a part of an address; the last may be an IPv4 address, which makes two. */
function readGroups(text: string): bigint[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const last = groups.at(-1) ?? "";
  const dotted = last.includes(".") ? readIPv4(last) : undefined;
  if (dotted !== undefined) groups.pop();
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const numbers = groups.map((group) => BigInt(`0x${group}`));
  return dotted === undefined ? numbers : [...numbers, dotted >> 16n, dotted & 0xffffn];
}

function joined(parts: readonly bigint[], width: bigint): bigint {
  return parts.reduce((bits, part) => (bits << width) | part, 0n);
}

function readWildcard(segments: readonly string[]): AddressRange | undefined {
  if (segments.length > 4 || !segments.every((segment) => segment === "*" || isOctet(segment))) return undefined;
  const filled = [...segments, "*", "*", "*"].slice(0, 4);
  const bits = filled.map((segment) => (segment === "*" ? 0n : BigInt(segment)));
  const mask = filled.map((segment) => (segment === "*" ? 0n : 255n));
  return { family: 4, bits: joined(bits, 8n), mask: joined(mask, 8n) };
}

/** `8`, `255.0.0.0` or `ffff::`: ones, then zeros. */
function readMask(text: string, family: 4 | 6): bigint | undefined {
  const width = family === 4 ? 32 : 128;
  if (/^(0|[1-9][0-9]{0,2})$/.test(text)) {
    return Number(text) > width ? undefined : prefixMask(Number(text), family);
  }
  const mask = readAddress(text);
  if (mask?.family !== family) return undefined;
  const rest = allOnes(family) ^ mask.bits;
  return (rest & (rest + 1n)) === 0n ? mask.bits : undefined;
}

function prefixMask(length: number, family: 4 | 6): bigint {
  const zeros = BigInt((family === 4 ? 32 : 128) - length);
  return (allOnes(family) >> zeros) << zeros;
}

function allOnes(family: 4 | 6): bigint {
  return family === 4 ? 0xffff_ffffn : (1n << 128n) - 1n;
}

const embeddings: readonly AddressRange[] = [
  { family: 6, bits: 0n, mask: prefixMask(96, 6) },
  { family: 6, bits: 0xffffn << 48n, mask: prefixMask(96, 6) },
  { family: 6, bits: 0x64_ff9bn << 96n, mask: prefixMask(96, 6) },
  { family: 6, bits: 0x2002n << 112n, mask: prefixMask(16, 6) },
];
