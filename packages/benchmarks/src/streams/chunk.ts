/** What is streamed where it is bytes. */
export const chunk = new Uint8Array(64 * 1024).fill(7);
