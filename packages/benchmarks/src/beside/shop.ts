/** What both ends know. */
import { type ByReferenceMark, byReference } from "farref";

const mebibyte = 1024 * 1024;

/** What travels beside small calls. */
export const large = new Uint8Array(64 * mebibyte).fill(7);

export const limits = { maxMessageBytes: 80 * mebibyte, maxSendBufferBytes: 160 * mebibyte };

export interface Shop {
  take(bytes: Uint8Array): number;
  give(): Uint8Array;
  /** Calls on one object keep their order: what is called beside is another. */
  small(): Small;
}

export type Small = { plus(n: number): number } & ByReferenceMark;

export const small: Small = byReference({ plus: (n: number) => n + 1 });
