/** Text from a peer on its way into messages and logs: on one line, of bounded length, nothing that steers a terminal. */

/** Control characters, line separators, and the marks that turn text around (Unicode UAX #9). */
const unprintable = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]/gu;

export function printable(text: string, maxLength = 256): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return short.replace(unprintable, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
