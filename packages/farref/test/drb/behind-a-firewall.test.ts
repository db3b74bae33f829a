/**
 * Carries over drbfire's suite in its intent: a client behind a firewall is called back though nobody could connect to it.
 * It listens nowhere; its objects are called, and called from within calls, over the one connection it made; under TLS too.
 */
import { ByReference, connect, connectionOf, type Remote } from "farref";
import { describe, expect, test } from "vitest";
import { leakCheckedPair, places, securePlaces } from "../places.ts";

class Ours extends ByReference {
  name(): string {
    return "ours";
  }

  async nameOf(theirs: Remote<Theirs>): Promise<string> {
    using far = theirs;
    return `ours of ${await far.name()}`;
  }
}

class Theirs extends ByReference {
  name(): string {
    return "theirs";
  }
}

class Office {
  #kept: Remote<Ours> | undefined;

  async nameOf(ours: Remote<Ours>): Promise<string> {
    using far = ours;
    return `theirs of ${await far.name()}`;
  }

  async introduce(ours: Remote<Ours>): Promise<string> {
    using far = ours;
    return far.nameOf(new Theirs());
  }

  keep(ours: Remote<Ours>): void {
    this.#kept = ours;
  }

  async nameOfKept(): Promise<string | undefined> {
    return this.#kept?.name();
  }

  forget(): void {
    this.#kept?.[Symbol.dispose]();
  }
}

/** How many ports of this process others could connect to. */
function listeningPorts(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
}

describe.each([...places, ...securePlaces()])(
  "a client that listens nowhere, over $place,",
  ({ place, at, connecting }) => {
    test("is called back, and its caller is called back in turn", async () => {
      const before = listeningPorts();
      await using pair = await leakCheckedPair(at, new Office());
      expect(await pair.front.nameOf(new Ours())).toBe("theirs of ours");
      expect(await pair.front.introduce(new Ours())).toBe("ours of theirs");
      expect(listeningPorts() - before).toBe(place === "unix" ? 0 : 1);
      expect(pair.service.sessions.size).toBe(1);
    });

    test("is called back later, when no call of its own is under way", async () => {
      const office = new Office();
      await using pair = await leakCheckedPair(at, office);
      await pair.front.keep(new Ours());
      expect(pair.connection.stats().pendingCalls).toBe(0);
      expect(await office.nameOfKept()).toBe("ours");
      office.forget();
    });

    test("connects twice, and each connection is called back by itself", async () => {
      await using pair = await leakCheckedPair(at, new Office());
      const again = await connect<Office>(pair.service.uri, connecting);
      await using _connection = connectionOf(again);
      expect(await Promise.all([pair.front.introduce(new Ours()), again.introduce(new Ours())])).toEqual([
        "ours of theirs",
        "ours of theirs",
      ]);
    });
  },
);
