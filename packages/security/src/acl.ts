/** Access control lists: which addresses may connect, in the words of DRb's `acl.rb`. */
import { RpcError } from "@farref/core";
import { type Address, type AddressRange, embedsIPv4, isWithin, readPeerAddress, readRange } from "./address.ts";

/** Decides by address alone. A channel without an IP address is never asked about. */
export interface Acl {
  /** `false` for whatever is not an IP address in its usual spelling. */
  allows(address: string): boolean;
}

/** `deny-allow`: an allow rule wins. `allow-deny`: a deny rule wins. Where no rule matches, both deny. */
export type AclOrder = "deny-allow" | "allow-deny";

/**
 * Makes an access control list of rules: `allow` or `deny`, then `all` (or `*`), `localhost` (127.0.0.0/8 and ::1), an
 * address, a wildcard such as `192.168.1.*`, or a range such as `10.0.0.0/8`, `10.0.0.0/255.0.0.0` or `fe80::/10`.
 * Names are never looked up. The rules are a list, or lines of one string; `#` begins a comment.
 *
 * An IPv4-mapped IPv6 address is the IPv4 address. Other IPv6 addresses with an IPv4 address inside (NAT64, 6to4, …)
 * match no IPv4 rule, and not `all` either where the list has IPv4 rules: only an IPv6 rule speaks of them.
 *
 * @throws RpcError `invalid-argument` naming the rule that can't be read.
 * @example
 * const lan = acl(["deny all", "allow localhost", "allow 192.168.1.*"]);
 */
export function acl(rules: string | readonly string[], options: { order?: AclOrder | undefined } = {}): Acl {
  const order = checkedOrder(options.order ?? "deny-allow");
  const parsed = rulePairs(words(rules)).map(readRule);
  const hasIPv4Rules = parsed.some((rule) => rule.ranges !== everything && rule.ranges.some((r) => r.family === 4));

  function isMatched(verb: Rule["verb"], address: Address): boolean {
    const isForeign = hasIPv4Rules && embedsIPv4(address);
    return parsed.some(
      (rule) => rule.verb === verb && matches(rule, address) && !(isForeign && rule.ranges === everything),
    );
  }
  return {
    allows(text) {
      const address = readPeerAddress(text);
      if (!address || !isMatched("allow", address)) return false;
      return order === "deny-allow" || !isMatched("deny", address);
    },
  };
}

interface Rule {
  readonly verb: "allow" | "deny";
  readonly ranges: readonly AddressRange[];
}

const everything: readonly AddressRange[] = [
  { family: 4, bits: 0n, mask: 0n },
  { family: 6, bits: 0n, mask: 0n },
];

const localhost: readonly AddressRange[] = ["127.0.0.0/8", "::1"].flatMap((text) => readRange(text) ?? []);

function matches(rule: Rule, address: Address): boolean {
  return rule.ranges.some((range) => isWithin(address, range));
}

/** DRb takes its rules as one list of words, and so does this: a line is as good as a list of two. */
function words(rules: string | readonly string[]): string[] {
  const lines = typeof rules === "string" ? [rules] : rules;
  return lines
    .flatMap((line) => line.split(/\r\n|\r|\n/))
    .flatMap((line) => (line.split("#", 1)[0] ?? "").split(/\s+/))
    .filter((word) => word !== "");
}

function rulePairs(list: readonly string[]): [verb: string, pattern: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i] ?? "", list[i + 1] ?? ""]);
  return pairs;
}

function readRule([word, pattern]: [verb: string, pattern: string]): Rule {
  const verb = word.toLowerCase();
  if (verb !== "allow" && verb !== "deny") throw badRule(word, pattern, "expected allow or deny");
  const ranges = readPattern(pattern);
  if (!ranges) throw badRule(word, pattern, "expected all, localhost, an IP address, a wildcard or a range");
  return { verb, ranges };
}

function readPattern(pattern: string): readonly AddressRange[] | undefined {
  if (pattern === "all" || pattern === "*") return everything;
  if (pattern === "localhost") return localhost;
  const range = readRange(pattern);
  return range && [range];
}

function badRule(verb: string, pattern: string, expected: string): RpcError {
  const rule = `${verb} ${pattern}`.trim().slice(0, 100);
  return new RpcError("invalid-argument", `acl rule "${rule}": ${expected}`, "not-sent");
}

function checkedOrder(order: AclOrder): AclOrder {
  if (order === "deny-allow" || order === "allow-deny") return order;
  throw new RpcError("invalid-argument", `acl order "${String(order)}": expected deny-allow or allow-deny`, "not-sent");
}
