import { existsSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

// Tests run against TypeScript sources: the `@farref/source` export condition points at src/.
const nodeConditions = ["@farref/source", "module", "node", "development|production"];
const browserConditions = ["@farref/source", "module", "browser", "development|production"];

const chromium =
  process.env["CHROMIUM_PATH"] ?? ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((p) => existsSync(p));

// Without a Chromium the browser tests are left out; CI must not leave them out.
if (!chromium && process.env["CI"]) throw new Error("no Chromium: set CHROMIUM_PATH");

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { conditions: nodeConditions },
        ssr: { resolve: { conditions: nodeConditions, externalConditions: ["@farref/source"] } },
        test: {
          name: "node",
          environment: "node",
          // For what hangs. How fast something is, no test says: a busy machine has its time for others.
          testTimeout: 30_000,
          setupFiles: ["./test/no-silent-failures.ts"],
          include: ["packages/*/test/**/*.test.ts", "docs/snippets/**/*.test.ts"],
          exclude: ["**/*.browser.test.ts"],
          benchmark: { include: ["packages/*/bench/**/*.bench.ts"] },
          typecheck: {
            enabled: process.env["TYPE_TESTS"] !== "off",
            include: ["packages/*/test/**/*.test-d.ts"],
            tsconfig: "./tsconfig.test.json",
          },
        },
      },
      ...(chromium ? [browserProject(chromium)] : []),
    ],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      reporter: ["text", "json-summary", "lcov"],
    },
  },
});

function browserProject(executablePath: string): TestProjectInlineConfiguration {
  return {
    resolve: { conditions: browserConditions },
    environments: { __vitest__: { resolve: { conditions: nodeConditions } } },
    test: {
      name: "browser",
      include: ["packages/*/test/**/*.browser.test.ts"],
      globalSetup: ["./test/browser-server.ts"],
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath,
            chromiumSandbox: false,
            args: [
              "--disable-gpu",
              "--disable-quic",
              "--no-first-run",
              "--disable-background-networking",
              "--disable-component-update",
              "--disable-sync",
              "--js-flags=--expose-gc",
            ],
          },
        }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}
