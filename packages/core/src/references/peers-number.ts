/**
 * A number that the peer chooses, as the key of a table. Engines hash numbers without a secret: numbers chosen to fall into
 * one bucket would make a table of n take n² steps, half a minute for what fits into a message. They hash texts with one.
 */
export type PeersNumber = `#${number}`;

export function peersNumber(id: number): PeersNumber {
  return `#${id}`;
}
