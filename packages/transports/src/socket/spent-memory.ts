/**
 * Memory that nobody looks at any more, given back at once. A socket of Node reads each 64 KiB into new memory, and left to
 * the garbage collector it is walked through rather than used again: V8 runs a full collection, milliseconds long,
 * whenever some ten megabytes of it have come. Given back, the next read finds the same memory, still in the cache.
 */

/** Smaller ones cost more to give back than to leave. */
const minBytes = 16 * 1024;

/** Takes the memory from `bytes`, which are empty then, unless they are only a part of it. */
export function freeMemory(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (bytes.length < minBytes || bytes.length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  if (hasTransfer(buffer)) buffer.transfer(0);
  else postToNobody(buffer);
}

/** ES2024: Node has it from 21 on. */
function hasTransfer(buffer: object): buffer is { transfer(length: number): unknown } {
  return "transfer" in buffer;
}

let closedPort: MessagePort | undefined;

/** What is transferred with a message that nobody gets is freed with it. */
function postToNobody(buffer: ArrayBuffer): void {
  closedPort ??= createClosedPort();
  closedPort.postMessage(undefined, [buffer]);
}

function createClosedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}
