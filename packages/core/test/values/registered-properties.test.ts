import fc from "fast-check";
import { expect, test } from "vitest";
import { RpcError } from "../../src/errors/rpc-error.ts";
import { registerError } from "../../src/values/register.ts";
import { UnknownValue } from "../../src/values/unknown-values.ts";
import { Box, box, Money, money, TypedCodec } from "./registered-support.ts";
import { limits, TestExporter } from "./support.ts";

const seed = 20_240_607;

class Refused extends Error {
  override readonly name = "Refused";
}
const knowing = new TypedCodec([money, box, registerError(Refused)]);
const lacking = new TypedCodec([]);

const callbacks = [() => 1, () => 2];

/** Values of registered classes in one another, references among them, and the same object in several places. */
const { value } = fc.letrec<{ value: unknown; shared: unknown }>((tie) => {
  const list = fc.array(tie("value"), { maxLength: 4 });
  const entries = fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 });
  return {
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(null, undefined, true, 7, "text"),
      fc.constantFrom(...callbacks),
      fc.tuple(fc.integer(), fc.string({ maxLength: 3 })).map(([cents, currency]) => new Money(cents, currency)),
      tie("value").map((content) => new Box(content)),
      list.map((content) => new Box(content)),
      list,
      fc.dictionary(fc.string({ maxLength: 4 }), tie("value"), { maxKeys: 4, noNullPrototype: true }),
      entries.map((given) => new Map(given)),
      list.map((members) => new Set(members)),
      tie("value").map((cause) => new Refused("no", { cause })),
      tie("value").map((cause) => new RangeError("far", { cause })),
      tie("shared"),
    ),
    shared: tie("value").map((given) => [given, new Map([[given, new Box(given)]]), new Box([given])]),
  };
});

test("any value of registered classes comes back as it was, shared objects shared", () => {
  fc.assert(
    fc.property(value, (given) => {
      const copy = knowing.roundTrip(given);
      expect(outline(copy)).toEqual(outline(given));
    }),
    { seed, numRuns: 300 },
  );
});

test("any such value goes through who knows none of its classes, byte by byte", () => {
  fc.assert(
    fc.property(value, (given) => {
      const exporter = new TestExporter();
      const bytes = knowing.encode(given, exporter);
      const far = lacking.read(bytes, exporter);
      const onward = new TestExporter();
      const passedOn = lacking.encode(far, onward);
      expect(passedOn).toEqual(bytes);
      expect(outline(knowing.read(passedOn, onward))).toEqual(outline(given));
    }),
    { seed, numRuns: 300 },
  );
});

test("bytes that were changed are a value or refused, also where what they hold is unpacked", () => {
  const changed = fc
    .tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }))
    .map(([given, changes]) => {
      const message = knowing.encode(given);
      for (const [at, byte] of changes) message[at % message.length] = byte;
      return message;
    });
  fc.assert(
    fc.property(changed, (message) => {
      try {
        knowing.codec.hydrate(knowing.decode(message, { ...limits, maxNodes: 1_000 }), { resolve: () => callbacks[0] });
      } catch (error) {
        if (!(error instanceof RpcError) || error.outcome !== "not-executed") throw error;
      }
    }),
    { seed, numRuns: 1_000 },
  );
});

const node = fc.record({
  kind: fc.constantFrom("box", "list", "map", "object", "error"),
  edges: fc.array(fc.nat(7), { maxLength: 3 }),
});

test("of any graph just what has a registered value that holds itself is refused, at both ends", () => {
  let refused = 0;
  const property = fc.property(fc.array(node, { minLength: 8, maxLength: 8 }), (nodes) => {
    const graph = linked(nodes, () => new Box([]));
    // Who knows no class does not look for cycles: so a peer's bytes may have them.
    const bytes = lacking.encode(linked(nodes, () => new UnknownValue("box", [])));
    if (!graph.some((given) => given instanceof Box && partsOf(given).some((part) => reaches(part, given)))) {
      expect(outline(knowing.roundTrip(graph))).toEqual(outline(graph));
      expect(outline(knowing.read(bytes))).toEqual(outline(graph));
      return;
    }
    refused++;
    expect(() => knowing.encode(graph)).toThrow(
      expect.objectContaining({ code: "unsupported-value", outcome: "not-sent" }),
    );
    expect(() => knowing.decode(bytes)).toThrow(expect.objectContaining({ code: "protocol", outcome: "not-executed" }));
  });
  fc.assert(property, { seed, numRuns: 500 });
  expect(refused).toBeGreaterThan(100);
  expect(refused).toBeLessThan(400);
});

interface Node {
  readonly kind: "box" | "list" | "map" | "object" | "error";
  readonly edges: readonly number[];
}

function linked(nodes: readonly Node[], emptyBox: () => object): object[] {
  const graph = nodes.map(({ kind }) => (kind === "box" ? emptyBox() : empty(kind)));
  for (const [i, { edges }] of nodes.entries()) {
    for (const [j, to] of edges.entries()) link(graph[i]!, `${j}`, graph[to]);
  }
  return graph;
}

function empty(kind: Node["kind"]): object {
  if (kind === "list") return [];
  if (kind === "map") return new Map();
  return kind === "error" ? new RangeError("x") : {};
}

function link(from: object, key: string, to: unknown): void {
  if (from instanceof Box) (from.content as unknown[]).push(to);
  else if (from instanceof UnknownValue) (from.data as unknown[]).push(to);
  else if (Array.isArray(from)) from.push(to);
  else if (from instanceof Map) from.set(key === "0" ? to : key, to);
  else if (from instanceof Error) from.cause = to;
  else Reflect.set(from, key, to);
}

function reaches(from: unknown, target: object, seen = new Set<unknown>()): boolean {
  if (from === target) return true;
  if (typeof from !== "object" || from === null || seen.has(from)) return false;
  seen.add(from);
  return partsOf(from).some((part) => reaches(part, target, seen));
}

/** What a value is made of, with a number for each object: the same for a value and its exact copy. */
function outline(root: unknown): unknown[] {
  const met = new Map<object, number>();
  const outlined: unknown[] = [];
  const walk = (given: unknown): void => {
    if (typeof given !== "object" || given === null) {
      outlined.push(given);
      return;
    }
    const number = met.get(given);
    outlined.push(number ?? given.constructor.name);
    if (number !== undefined) return;
    met.set(given, met.size);
    for (const part of partsOf(given)) walk(part);
  };
  walk(root);
  return outlined;
}

function partsOf(object: object): unknown[] {
  if (object instanceof Money) return [object.cents, object.currency];
  if (object instanceof Box) return [object.content];
  if (object instanceof UnknownValue) return [object.name, object.data];
  if (object instanceof Error) return [object.name, object.message, object.cause];
  if (object instanceof Map || object instanceof Set) return [...object.entries()].flat();
  return Object.entries(object).flat();
}
