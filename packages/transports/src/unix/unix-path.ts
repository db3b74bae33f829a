/** The path in a `unix:` address. Its length is bounded by the kernel, and some platforms cut a longer one silently. */
import { badUri, parseOpaqueUri } from "../uri.ts";

/** Room for a path in the kernel's socket address, its end mark left out. */
const maxPathBytes = process.platform === "linux" ? 107 : 103;

/** `unix:///run/a.sock` means the same as `unix:/run/a.sock`. */
export function parseUnixUri(uri: string): string {
  const rest = parseOpaqueUri(uri, "unix");
  const path = rest.startsWith("///") ? rest.slice(2) : rest;
  if (path.startsWith("//")) throw badUri(uri, "expected a path; a Unix socket has no host");
  if (path.includes("#")) throw badUri(uri, "a fragment is not part of an address");
  if (!fits(path))
    throw badUri(uri, `a path of ${Buffer.byteLength(path)} bytes; at most ${maxPathBytes} are possible`);
  return path;
}

export function fits(path: string): boolean {
  return Buffer.byteLength(path) <= maxPathBytes;
}
