import fc from "fast-check";
import { expect, test } from "vitest";
import { Numbered } from "../../src/wire/numbered.ts";

interface Thing {
  readonly name: string;
}

const thing = (name: string): Thing => ({ name });
const numbers = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const steps = fc.array(fc.record({ number: numbers, isSet: fc.boolean() }), { maxLength: 200 });

const owners = ["ours", "the peer's"] as const;

test.each(owners)("has what a Map would have, after any steps, by numbers that are %s", (owner) => {
  fc.assert(
    fc.property(steps, (taken) => {
      const numbered = new Numbered<Thing>(owner);
      const map = new Map<number, Thing>();
      for (const [i, { number, isSet }] of taken.entries()) {
        if (isSet) {
          numbered.set(number, thing(`${i}`));
          map.set(number, thing(`${i}`));
        } else {
          expect(numbered.delete(number)).toBe(map.delete(number));
        }
        expect(numbered.get(number)).toEqual(map.get(number));
        expect(numbered.has(number)).toBe(map.has(number));
      }
      expect(numbered.size).toBe(map.size);
      const byName = (a: Thing, b: Thing) => Number(a.name) - Number(b.name);
      expect([...numbered.values()].sort(byName)).toEqual([...map.values()].sort(byName));
      for (const number of map.keys()) expect(numbered.get(number)).toEqual(map.get(number));
    }),
  );
});

test("lists what stays while it is being listed, whatever comes and goes meanwhile", () => {
  const numbered = new Numbered<Thing>("ours");
  for (let i = 0; i < 100; i++) numbered.set(i, thing(`${i}`));
  const seen: string[] = [];
  for (const { name } of numbered.values()) {
    seen.push(name);
    for (let i = 0; i < 100; i += 2) numbered.delete(i);
    numbered.set(99, thing("99"));
    numbered.set(1_000, thing("1000"));
  }
  for (let i = 1; i < 100; i += 2) expect(seen).toContain(`${i}`);
  numbered.clear();
  expect([numbered.size, [...numbered.values()], numbered.get(1)]).toEqual([0, [], undefined]);
});
