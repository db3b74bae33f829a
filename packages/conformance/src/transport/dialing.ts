/** Dialing ends with a channel or with one of farref's errors, and nothing has been sent then. */
import { RpcError } from "@farref/core";
import { describe, expect, test } from "vitest";
import { acceptAt } from "./acceptor.ts";
import { probe } from "./channel-probe.ts";
import type { TransportSetUp } from "./describe-transport.ts";

export function testDialing({ transport, freshUri, badUris }: TransportSetUp): void {
  describe("dialing", () => {
    test("nobody there is unreachable, and the error names the address", async () => {
      const acceptor = await acceptAt(transport, freshUri());
      const { uri } = acceptor;
      await acceptor.listener.close();
      const refusal = await transport.dial(uri, {}).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(RpcError);
      expect(refusal).toMatchObject({ code: "unreachable", outcome: "not-sent" });
      expect(refusal).toMatchObject({ message: expect.stringContaining(uri), cause: expect.any(Error) });
    });

    test("an aborted dial is cancelled with the signal's reason as cause", async () => {
      await using acceptor = await acceptAt(transport, freshUri());
      const reason = new Error("changed my mind");
      const early = transport.dial(acceptor.uri, { signal: AbortSignal.abort(reason) });
      await expect(early).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent", cause: reason });
      const controller = new AbortController();
      const late = transport.dial(acceptor.uri, { signal: controller.signal });
      controller.abort(reason);
      await expect(late).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent", cause: reason });
    });

    test("an RpcError as the signal's reason is what the dial fails with", async () => {
      await using acceptor = await acceptAt(transport, freshUri());
      const reason = new RpcError("timeout", "connecting took too long", "not-sent");
      const controller = new AbortController();
      const dial = transport.dial(acceptor.uri, { signal: controller.signal });
      controller.abort(reason);
      await expect(dial).rejects.toBe(reason);
    });

    test("an abort after connecting changes nothing", async () => {
      await using acceptor = await acceptAt(transport, freshUri());
      const controller = new AbortController();
      const near = await transport.dial(acceptor.uri, { signal: controller.signal });
      const far = probe(await acceptor.next());
      controller.abort();
      near.write(Uint8Array.of(1));
      await far.bytes(1);
      near.destroy();
      await far.closed();
    });

    test.each(badUris)("%j is a bad address", async (uri) => {
      await expect(transport.dial(uri, {})).rejects.toMatchObject({ code: "bad-uri", outcome: "not-sent" });
      expect(() => transport.listen?.(uri, {})).toThrow(expect.objectContaining({ code: "bad-uri" }));
    });
  });
}
