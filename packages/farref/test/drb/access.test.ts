/**
 * Carries over what DRb's access control lists are for, where its suite does not look: at the socket. Lists themselves are
 * tested beside `acl`. The lists are those that DRb's users write.
 */
import { acl, connect, connectionOf, startService } from "farref";
import { describe, expect, test } from "vitest";
import { handleWatch } from "../../../conformance/src/index.ts";
import { type Place, places, securePlaces } from "../places.ts";

/** Whether somebody on this machine gets in; what the service was told of it. */
async function knock({ at, serving, connecting }: Place, rules: readonly string[]) {
  const watch = handleWatch();
  const failures: Error[] = [];
  const service = await startService(
    at.freshUri(),
    { hello: () => "hello" },
    {
      ...serving,
      acl: acl(rules),
      onError: (error) => failures.push(error),
    },
  );
  const connected = await connect<{ hello(): string }>(service.uri, connecting).catch(
    (error: unknown) => error as Error,
  );
  const sessions = service.sessions.size;
  if (!(connected instanceof Error)) {
    expect(await connected.hello()).toBe("hello");
    await connectionOf(connected).close();
  }
  await service.close();
  await watch.assertClosed();
  return { error: connected instanceof Error ? connected : undefined, sessions, failures };
}

const withAddresses = [...places, ...securePlaces()].filter(({ place }) => place !== "unix");

describe.each(withAddresses)("a list of who may connect, over $place,", (place) => {
  test.each([
    [["deny", "all", "allow", "localhost"]],
    [["deny all", "allow localhost", "allow 192.168.1.*"]],
    [["allow", "127.0.0.1"]],
    [["deny all", "allow 127.0.0.0/255.0.0.0"]],
    [["allow ::ffff:127.0.0.0/104"]],
  ])("%j lets this machine in", async (rules) => {
    expect(await knock(place, rules)).toMatchObject({ error: undefined, sessions: 1, failures: [] });
  });

  test.each([[["deny", "all"]], [["deny all", "allow 192.168.1.*"]], [["deny 10.0.0.0/8"]], [[]]])(
    "%j does not, tells nobody a word, and onError who it was",
    async (rules) => {
      const { error, sessions, failures } = await knock(place, rules);
      expect(error).toMatchObject({ name: "RpcError", outcome: "not-sent" });
      expect(sessions).toBe(0);
      expect(failures).toMatchObject([{ code: "denied", outcome: "not-sent" }]);
    },
  );
});

describe.each(places.filter(({ place }) => place === "unix"))("a list, over $place,", (place) => {
  test("is not asked: there are no addresses, the file's mode decides", async () => {
    expect(await knock(place, ["deny all"])).toMatchObject({ error: undefined, sessions: 1 });
  });
});
