import { connect, serialized, startService } from "farref";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HandleWatch, handleWatch } from "../../../conformance/src/index.ts";
import type { Agent } from "../fixtures/agent.ts";
import { startProgram } from "../program.ts";
import { Account } from "./accounts.ts";

let watch: HandleWatch;
beforeEach(() => {
  watch = handleWatch();
});
afterEach(() => watch.assertClosed());

test("two processes call a third one's account, each with a connection of its own, and are let in when it called them", async () => {
  const account = serialized(new Account());
  await using service = await startService("tcp://127.0.0.1:0", account);
  await using first = await startProgram("agent", service.uri);
  await using second = await startProgram("agent", service.uri);
  await using one = await connect<Agent>(await first.line());
  await using other = await connect<Agent>(await second.line());

  const within = account.during(async () => {
    await one.deposit(1);
    await Promise.all([one.deposit(1), other.deposit(1)]);
    return account.deposit(1);
  });
  const waits = [account.deposit(10), one.deposit(10), other.deposit(10)];
  expect(await within).toBe(4);
  expect(Math.max(...(await Promise.all(waits)))).toBe(34);
  expect(account.seen.atOnce).toBe(2);

  for (const program of [first, second]) {
    program.endInput();
    expect(await program.exited).toEqual({ code: 0, signal: null });
  }
});
