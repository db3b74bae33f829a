/**
 * The floor: the least an RPC over one socket can do. Ids for method names, a Map of pending calls, a promise for each,
 * one write a turn; objects are numbers in a Map, given up by a message without an answer; a stream's items are sent as
 * they come. No limits, no checks, no deadlines, nothing that notices a lost object or a slow reader. It marks what Node
 * allows.
 *
 * Here is what a message's tag says: in a call the method, in an answer what it is.
 */

export const methodIds = { add: 0, echo: 1, fresh: 2, plus: 3, release: 4, first: 5, next: 6, items: 7 } as const;

export const status = { fulfilled: 0, rejected: 1, item: 2 } as const;

/** The call id of a message without an answer. */
export const noAnswer = 0;
