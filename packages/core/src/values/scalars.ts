/** Date, RegExp and URL, both ways. */
import type { Extension } from "./extension.ts";
import { dateType, regexpType, urlType } from "./extension-types.ts";
import { beginExtension, endExtension, writeExtensionHeader } from "./headers.ts";
import { beyondLimit, malformed } from "./malformation.ts";
import { readFloat64 } from "./numbers.ts";
import { requireBare } from "./own-properties.ts";
import { tooMuch, unsupported } from "./refusal.ts";
import { readText } from "./text.ts";

/** Compiling takes time by length, so a peer may not make it long. */
const maxSource = 65_536;
/** Names of hosts are decoded in quadratic time. */
const maxAuthority = 1_024;

export const dates: Extension<Date> = {
  type: dateType,
  prototypes: [Date.prototype],
  write({ writer }, date) {
    const ms = Date.prototype.getTime.call(date);
    requireBare(date);
    writeExtensionHeader(writer, dateType, 8);
    writer.float64(ms);
  },
  read(decoder, end) {
    const at = decoder.position;
    if (end - at !== 8) throw malformed("a date that is not 8 bytes", at);
    decoder.position = end;
    return decoder.keep(new Date(readFloat64(decoder.bytes, at)));
  },
};

export const regexps: Extension<RegExp> = {
  type: regexpType,
  prototypes: [RegExp.prototype],
  write(encoder, regexp, depth) {
    const { source, flags } = regexp;
    const lastIndex: unknown = regexp.lastIndex;
    requireBare(regexp);
    if (source.length > maxSource) throw tooMuch(`a RegExp of more than ${maxSource} characters`);
    encoder.charge(regexpCost(source, flags));
    if (typeof lastIndex !== "number") throw unsupported("a RegExp whose lastIndex is not a number can't be copied");
    const begun = beginExtension(encoder.writer, regexpType);
    for (const part of [source, flags, lastIndex]) encoder.value(part, depth);
    endExtension(encoder.writer, begun);
  },
  read(decoder, _end, depth) {
    const at = decoder.position;
    const [source, flags, lastIndex] = [decoder.value(depth), decoder.value(depth), decoder.value(depth)];
    if (typeof source !== "string" || typeof flags !== "string" || typeof lastIndex !== "number") {
      throw malformed("a RegExp that is not source, flags and lastIndex", at);
    }
    if (source.length > maxSource) throw beyondLimit(`a RegExp of more than ${maxSource} characters`, at);
    decoder.charge(regexpCost(source, flags));
    const regexp = decoder.keep(made(() => new RegExp(source, flags), "a RegExp", at));
    regexp.lastIndex = lastIndex;
    return regexp;
  },
};

/**
 * What compiling takes, in values of a message's budget: a Unicode property costs up to 40 µs with the flag `u`, and with
 * `v`, where it may be a property of strings, over a millisecond.
 */
function regexpCost(source: string, flags: string): number {
  const each = flags.includes("v") ? 4_096 : flags.includes("u") ? 96 : 0;
  const properties = each === 0 ? 0 : (source.match(/\\p/gi)?.length ?? 0);
  return (source.length >> 4) + each * properties;
}

export const urls: Extension<URL> = {
  type: urlType,
  prototypes: [URL.prototype],
  write({ writer }, url) {
    const { href } = url;
    requireBare(url);
    if (!isSafeUrl(href)) throw tooMuch(`a URL whose host has more than ${maxAuthority} characters`);
    writeExtensionHeader(writer, urlType, href.length);
    writer.utf8(href);
  },
  read(decoder, end) {
    const at = decoder.position;
    const href = made(() => readText(decoder.bytes, at, end), "a URL", at);
    if (!isSafeUrl(href)) throw malformed("a URL not in its normal form", at);
    decoder.position = end;
    return decoder.keep(made(() => new URL(href), "a URL", at));
  },
};

/** Whether parsing costs time by length: printable ASCII, as every `href` is, and no long host. */
function isSafeUrl(href: string): boolean {
  const parts = /^(?=[\x20-\x7e]+$)([a-z][a-z0-9+.-]*):[\\/]*([^\\/?#]*)/.exec(href);
  if (!parts) return false;
  return !/^(?:https?|wss?|ftp|file)$/.test(parts[1]!) || parts[2]!.length <= maxAuthority;
}

/** What a constructor of the platform refuses, the peer must not have sent. */
function made<T>(make: () => T, what: string, at: number): T {
  try {
    return make();
  } catch {
    throw malformed(`${what} that is none`, at);
  }
}
