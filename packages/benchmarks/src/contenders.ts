/** Everybody who is measured. */
import { bareSocket } from "./bare-socket.ts";
import { calledBack } from "./called-back.ts";
import type { Contender } from "./contender.ts";
import { farref } from "./farref.ts";
import { floorTcp } from "./floor/tcp.ts";
import { floorWebSocket } from "./floor/websocket.ts";
import { guarded } from "./guarded.ts";

export const contenders: readonly Contender[] = [
  bareSocket,
  floorTcp,
  farref("tcp"),
  guarded("tcp"),
  calledBack("tcp"),
  floorWebSocket,
  farref("ws"),
];

export function contenderNamed(name: string, transport: string): Contender {
  const found = contenders.find((contender) => contender.name === name && contender.transport === transport);
  if (!found) throw new Error(`no contender ${name} over ${transport}`);
  return found;
}
