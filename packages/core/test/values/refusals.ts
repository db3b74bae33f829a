/**
 * What its sender refuses, one row for each, with what the refusal says. Every run takes all rows in all places of the
 * table: nothing of them leaves, and the path and the cure are told.
 */
import { sparse } from "./table.ts";

export interface RefusalRow {
  readonly name: string;
  make(): unknown;
  /** What to do instead. */
  readonly cure: RegExp;
  /** Where in the value the path ends. */
  readonly path: string;
  /** A method or a block that returns it alone is asked for its `then`, before anything is sent. */
  readonly isAwaited: boolean;
}

class Account {
  readonly balance = 1;
}

/** Must not be run. */
const never = () => {
  throw new Error("code of the program ran");
};
const accessor = { get: never, enumerable: true };

type Refused = readonly [name: string, make: () => unknown, cure: RegExp, path?: string];

const cure = "not copied; extend ByReference, use byReference\\(object\\), register the class, or send plain data$";
const nameless = new RegExp(`class instances are ${cure}`);
const instanceOf = (name: string) => new RegExp(`an instance of ${name} is ${cure}`);
const classInstances: readonly Refused[] = [
  ["a class instance", () => new Account(), instanceOf("Account")],
  ["an instance of a class without a name", () => new (class {})(), nameless],
  ["an object with an object for a prototype", () => Object.create({ a: 1 }), nameless],
  ["a subclass of Array", () => new (class List extends Array {})(), instanceOf("List")],
  ["a subclass of Map", () => new (class Cache extends Map {})(), instanceOf("Cache")],
  ["a subclass of Set", () => new (class Bag extends Set {})(), instanceOf("Bag")],
  ["a subclass of Date", () => new (class Day extends Date {})(), instanceOf("Day")],
  ["a subclass of Uint8Array", () => new (class Bytes extends Uint8Array {})(2), instanceOf("Bytes")],
  [
    "an instance of a class with a name that is not to be printed",
    () => new (named("A\n\u202e"))(),
    instanceOf("A\\\\u\\{a\\}\\\\u\\{202e\\}"),
  ],
  ["an instance of a class with a name without end", () => new (named("A".repeat(1_000)))(), instanceOf("A{64}")],
  ["URLSearchParams", () => new URLSearchParams("a=1"), instanceOf("URLSearchParams")],
  ["a Blob", () => new Blob(["a"]), instanceOf("Blob")],
];

const tagged =
  /an object with a Symbol\.toStringTag of its own is not plain data; send its properties in a plain one, or /;
const notPlain: readonly Refused[] = [
  ...["Math", "JSON", "Intl", "Atomics", "Reflect", "WebAssembly"].map(
    (name): Refused => [`the namespace ${name}`, () => Reflect.get(globalThis, name), tagged],
  ),
  ["an object with a tag", () => Object.defineProperty({ a: 1 }, Symbol.toStringTag, { value: "Tagged" }), tagged],
  ["an object with an accessor for a tag", () => Object.defineProperty({}, Symbol.toStringTag, { get: never }), tagged],
  ["the arguments of a function", argumentsOf, /arguments are not copied; send an array of them$/],
];

const symbols: readonly Refused[] = [
  ["a symbol", () => Symbol("s"), /symbols are not copied; send a string$/],
  ["a symbol that all share", () => Symbol.for("s"), /symbols are not copied/],
  ["a symbol key", () => ({ [Symbol("s")]: 1 }), /symbol keys are not copied; use string keys$/],
  ["a symbol key without a prototype", () => Object.assign(Object.create(null), { [Symbol("s")]: 1 }), /symbol keys/],
  ["a symbol key on an array", () => Object.assign([], { [Symbol("s")]: 1 }), /symbol keys/],
  ["a symbol key on a Map", () => Object.assign(new Map(), { [Symbol("s")]: 1 }), /symbol keys/],
  ["a symbol key on an error", () => Object.assign(new Error("e"), { [Symbol("s")]: 1 }), /symbol keys/],
];

const accessors: readonly Refused[] = [
  ["an accessor", () => Object.defineProperty({ a: 1 }, "b", accessor), /accessors are not copied/, ".b"],
  [
    "an accessor without a prototype",
    () => Object.defineProperty(Object.create(null), "b", accessor),
    /accessors/,
    ".b",
  ],
  ["an accessor on an error", () => Object.defineProperty(new Error("e"), "b", accessor), /accessors/, ".b"],
  ["an accessor in an array", () => Object.defineProperty([1, 2], 1, accessor), /accessors are not copied/, "[1]"],
  [
    "an accessor in a long array",
    () => Object.defineProperty(new Array(100).fill(0), 70, accessor),
    /accessors/,
    "[70]",
  ],
  ["a setter in an array", () => Object.defineProperty([1, 2], 0, { set() {}, enumerable: true }), /accessors/, "[0]"],
  ["a setter alone", () => ({ set only(_value: number) {} }), /accessors/, ".only"],
];

const ofItsOwn = /properties of its own are not copied with a built-in object; send them beside it$/;
const extras: readonly Refused[] = [
  ["an extra property on an array", () => Object.assign([1, 2], { extra: 1 }), ofItsOwn],
  ["an extra property on a sparse array", () => Object.assign(sparse(2, { 1: 2 }), { extra: 1 }), ofItsOwn],
  ["an extra property on a long array", () => Object.assign(new Array(100).fill(0), { extra: 1 }), ofItsOwn],
  ["an accessor beside the elements of an array", () => Object.defineProperty([1], "b", accessor), ofItsOwn],
  ["the match of a RegExp", () => /b/.exec("abc"), ofItsOwn],
  ["an extra property on a Map", () => Object.assign(new Map(), { extra: 1 }), ofItsOwn],
  ["an extra property on a Set", () => Object.assign(new Set(), { extra: 1 }), ofItsOwn],
  ["an extra property on a Date", () => Object.assign(new Date(), { extra: 1 }), ofItsOwn],
  ["an extra property on a RegExp", () => Object.assign(/a/, { extra: 1 }), ofItsOwn],
  ["an extra property on a URL", () => Object.assign(new URL("a:b"), { extra: 1 }), ofItsOwn],
  ["an extra property on bytes", () => Object.assign(new Uint8Array(2), { extra: 1 }), ofItsOwn],
  ["an extra property on a typed array", () => Object.assign(new Int32Array(2), { extra: 1 }), ofItsOwn],
  ["an extra property on a DataView", () => Object.assign(new DataView(new ArrayBuffer(2)), { extra: 1 }), ofItsOwn],
  ["an extra property on an ArrayBuffer", () => Object.assign(new ArrayBuffer(2), { extra: 1 }), ofItsOwn],
];

const promises: readonly Refused[] = [
  ["a promise", () => Promise.resolve(1), /promises are not copied; await it before sending$/],
  ["a revoked Proxy", revoked, /reading it failed/],
];

const then = /an object with a function named then would be taken for a promise; use another name$/;
/** By a variable's name: a `then` that stands in the source is taken for a mistake. */
const [name, method] = ["then", () => {}] as const;
const thenables: readonly Refused[] = [
  ["an object with a function named then", () => ({ [name]: method }), then, ".then"],
  ["the same without a prototype", () => Object.assign(Object.create(null), { [name]: method }), then, ".then"],
  ["an error with a function named then", () => Object.assign(new Error("e"), { [name]: method }), then, ".then"],
];

const others: readonly Refused[] = [
  ["a WeakMap", () => new WeakMap(), /weak collections and references are not copied; send what they hold$/],
  ["a WeakSet", () => new WeakSet(), /weak/],
  ["a WeakRef", () => new WeakRef({}), /weak/],
  ...[1, "s", true, 1n, Symbol.iterator].map(
    (value): Refused => [
      `a boxed ${typeof value}`,
      () => Object(value),
      /boxed primitives are not copied; send the plain value$/,
    ],
  ),
  ["shared memory", shared, /shared memory is not copied; send a copy of its bytes$/],
  ["bytes of shared memory", () => new Uint8Array(shared()), /shared memory/],
  ["a typed array of shared memory", () => new Int32Array(shared()), /shared memory/],
  ["a DataView of shared memory", () => new DataView(shared()), /shared memory/],
  [
    "an error whose message is a number",
    () => hidden("message", 5),
    /message and name have to be strings; send plain data$/,
  ],
  [
    "an error whose name is an object",
    () => hidden("name", {}),
    /message and name have to be strings; send plain data$/,
  ],
  ["a RegExp with an odd lastIndex", () => Object.assign(/a/g, { lastIndex: "1" }), /lastIndex/],
];

const iterators = /iterators that are not asynchronous are not copied; send an array of their items, or a generator$/;
const live: readonly Refused[] = [
  ["an array's iterator", () => [][Symbol.iterator](), iterators],
  ["a Map's iterator", () => new Map().entries(), iterators],
  ["a ReadableStream that somebody reads", () => lockedStream(), /locked; send it before anybody reads it$/],
  ["a signal aborted with a symbol", () => AbortSignal.abort(Symbol("s")), /symbols are not copied/, ".reason"],
  [
    "a signal aborted with an instance",
    () => AbortSignal.abort({ of: new Account() }),
    instanceOf("Account"),
    ".reason.of",
  ],
];

const unreadable: readonly Refused[] = [
  ["a forged Map", () => Object.create(Map.prototype), /reading it failed/],
  ["a forged Date", () => Object.create(Date.prototype), /reading it failed/],
  ["a forged Uint8Array", () => Object.create(Uint8Array.prototype), /not copied|reading it failed/],
  ["memory that was given away", () => givenAway(new ArrayBuffer(8)), /reading it failed/],
  ["bytes of memory that was given away", () => viewGivenAway(), /reading it failed/],
  ["a Proxy whose traps throw", () => new Proxy({}, { ownKeys: never }), /code of the program ran/],
  ["a Proxy that throws what can't be printed", unprintable, /reading/],
];

export const refusals: readonly RefusalRow[] = [
  ...rowsOf([classInstances, notPlain, symbols, accessors, extras, others, live, unreadable].flat(), false),
  ...rowsOf([promises, thenables].flat(), true),
];

function rowsOf(refused: readonly Refused[], isAwaited: boolean): RefusalRow[] {
  return refused.map(([name, make, cure, path = ""]) => ({ name, make, cure, path, isAwaited }));
}

function named(name: string): new () => object {
  return Object.defineProperty(class {}, "name", { value: name });
}

function argumentsOf(): IArguments {
  // biome-ignore lint/complexity/noArguments: they are what is sent.
  return arguments;
}

/** Not enumerable, as these properties of an error are. */
function hidden(key: "message" | "name", value: unknown): Error {
  return Object.defineProperty(new Error("e"), key, { value });
}

function lockedStream(): ReadableStream {
  const stream = new ReadableStream();
  stream.getReader();
  return stream;
}

/** Pages that share memory with nobody have no constructor for it, but WebAssembly. */
function shared(): ArrayBuffer {
  return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
}

function givenAway(memory: ArrayBuffer): ArrayBuffer {
  structuredClone(memory, { transfer: [memory] });
  return memory;
}

function viewGivenAway(): Uint8Array {
  const view = new Uint8Array(8);
  givenAway(view.buffer);
  return view;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function unprintable(): object {
  const ownKeys = () => {
    throw Object.create(null);
  };
  return new Proxy({}, { ownKeys });
}
