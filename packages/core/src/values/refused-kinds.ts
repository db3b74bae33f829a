/** What can't be sent, and what to do instead: asked only once a value is known to be refused. */
import { printable } from "../errors/printable.ts";
import { className } from "./class-name.ts";
import { type Refusal, unsupported } from "./refusal.ts";

/** By the name a value's class goes by in `[object …]`, which needs no class of the platform to be there. */
const cures: readonly (readonly [kind: RegExp, cure: string])[] = [
  [/^Promise$/, "promises are not copied; await it before sending"],
  [/^SharedArrayBuffer$/, "shared memory is not copied; send a copy of its bytes"],
  [/^Weak/, "weak collections and references are not copied; send what they hold"],
  [/^(Number|String|Boolean|BigInt|Symbol)$/, "boxed primitives are not copied; send the plain value"],
  [/Iterator$/, "iterators that are not asynchronous are not copied; send an array of their items, or a generator"],
  [/^Arguments$/, "arguments are not copied; send an array of them"],
  [/^AbortSignal$/, "a signal of another realm is not sent; derive one of this realm: AbortSignal.any([signal])"],
];

export function refusalOf(value: object): Refusal {
  const name: string = Object.prototype.toString.call(value).slice(8, -1);
  return unsupported(cures.find(([kind]) => kind.test(name))?.[1] ?? classInstance(printable(className(value))));
}

function classInstance(name: string): string {
  const what = name === "" ? "class instances are" : `an instance of ${name} is`;
  return `${what} not copied; extend ByReference, use byReference(object), register the class, or send plain data`;
}
