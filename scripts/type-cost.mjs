// What `Remote<T>` costs the compiler: type instantiations per method, above the same calls on the plain interface.
// Each method of an interface of 200 is called once. Fails when a figure is over its limit.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const methods = 200;
const root = join(import.meta.dirname, "..");
const folder = join(root, "node_modules/.cache/type-cost");
const compiler = join(root, "node_modules/typescript/bin/tsc");

const sharedTypes = `
  interface Query { text: string; limit: number; tags: string[] }
  interface Line { article: string; amount: number }
  interface Order { id: number; placed: Date; lines: Line[]; note?: string }
`;

/** `types` are declared once, `own` for each method; `parameters`, `call` and `result` make the method. */
const scenarios = [
  {
    name: "shared types",
    limit: 100,
    types: sharedTypes,
    own: () => "",
    parameters: () => "query: Query, page: number, all?: boolean",
    call: () => "given<Query>(), 1",
    result: () => "Promise<Order[]>",
  },
  {
    name: "shared types, callbacks and references",
    limit: 100,
    types: `${sharedTypes} type Changed = (order: Order) => void; class Account extends ByReference { total(): number { return 0 } }`,
    own: () => "",
    parameters: () => "account: Account, changed: Changed",
    call: () => "given<Account>(), () => {}",
    result: () => "Account",
  },
  {
    name: "all types distinct",
    limit: 400,
    types: "",
    own: (n) => `
      interface Query${n} { text: string; limit${n}: number; tags: string[] }
      interface Line${n} { article: string; amount${n}: number }
      interface Order${n} { id${n}: number; placed: Date; lines: Line${n}[]; note?: string }
    `,
    parameters: (n) => `query: Query${n}, page: number, all?: boolean`,
    call: (n) => `given<Query${n}>(), 1`,
    result: (n) => `Promise<Order${n}[]>`,
  },
  {
    name: "all types distinct, callbacks and references",
    limit: 400,
    types: "",
    own: (n) => `
      interface Order${n} { id${n}: number; placed: Date; note?: string }
      class Account${n} extends ByReference { total${n}(): number { return 0 } }
    `,
    parameters: (n) => `account: Account${n}, changed: (order: Order${n}) => void`,
    call: (n) => `given<Account${n}>(), () => {}`,
    result: (n) => `Account${n}`,
  },
];

mkdirSync(folder, { recursive: true });
for (const scenario of scenarios) report(scenario);
rmSync(folder, { recursive: true });

function report(scenario) {
  const plain = instantiations(program(scenario, "Service"));
  const remote = instantiations(program(scenario, "Remote<Service>"));
  const perMethod = Math.round((remote - plain) / methods);
  const over = perMethod > scenario.limit;
  console.log(`${over ? "OVER" : "ok  "} ${scenario.name}: ${perMethod} a method (limit ${scenario.limit})`);
  if (over) process.exitCode = 1;
}

function program({ types, own, parameters, call, result }, service) {
  const each = (line) => Array.from({ length: methods }, (_, n) => line(n)).join("\n");
  return `
    import { ByReference } from "${core("values/marks.ts")}";
    import type { Remote } from "${core("types/remote.ts")}";
    declare function given<T>(): T;
    export declare const use: [Remote<() => void>, ByReference];
    ${types}
    ${each(own)}
    interface Service { ${each((n) => `method${n}(${parameters(n)}): ${result(n)};`)} }
    declare const service: ${service};
    ${each((n) => `export const result${n} = service.method${n}(${call(n)});`)}
  `;
}

function core(file) {
  return relative(folder, join(root, "packages/core/src", file)).replaceAll("\\", "/");
}

function instantiations(source) {
  writeFileSync(join(folder, "program.ts"), source);
  const options = {
    extends: relative(folder, join(root, "tsconfig.base.json")),
    compilerOptions: {
      noEmit: true,
      composite: false,
      incremental: false,
      lib: ["es2024", "esnext.disposable", "dom"],
    },
    files: ["program.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
  const output = execFileSync(process.execPath, [compiler, "-p", folder, "--extendedDiagnostics"], {
    encoding: "utf8",
  });
  return Number(/Instantiations:\s+(\d+)/.exec(output)?.[1]);
}
