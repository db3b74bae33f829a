/** A stub handed on: what goes wrong where the object lives is told to the third process as it was. */
import { expect, test } from "vitest";
import { ByReference } from "../../src/index.ts";
import { leakCheckedPair } from "../session/pairs.ts";

class Doc extends ByReference {
  fail() {
    throw Object.assign(new RangeError("bad page"), { code: "E_PAGE", page: 7 });
  }
  read() {
    return "text";
  }
}

class Origin {
  doc() {
    return new Doc();
  }
}

class Reader {
  async read(doc: { read(): Promise<string> }) {
    return doc.read();
  }
  async failureOf(doc: Record<string, () => Promise<unknown>>, method: string) {
    return doc[method]?.().catch(({ name, code, outcome, remoteName, message, data }) => {
      return { name, code, outcome, remoteName, message, data };
    });
  }
}

test("what the method threw, and why it was not run", async () => {
  await using origin = await leakCheckedPair(new Origin());
  await using reader = await leakCheckedPair(new Reader());
  const doc = await origin.front.doc();
  expect(await reader.front.read(doc)).toBe("text");
  const handedOn = doc as unknown as Record<string, () => Promise<unknown>>;
  expect(await reader.front.failureOf(handedOn, "fail")).toEqual({
    name: "RemoteError",
    remoteName: "RangeError",
    message: "bad page",
    code: "E_PAGE",
    outcome: "executed",
    data: { page: 7 },
  });
  expect(await reader.front.failureOf(handedOn, "missing")).toMatchObject({
    name: "RpcError",
    code: "not-exposed",
    outcome: "not-executed",
  });
  origin.session.close("gone");
  await origin.session.closed;
  expect(await reader.front.failureOf(handedOn, "read")).toMatchObject({ code: "closed", outcome: "not-executed" });
});
