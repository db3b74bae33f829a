import { fork } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { acceptAt, describeTransport, slicingTransport } from "@farref/conformance";
import type { RpcError } from "@farref/core";
import { unixTransport } from "@farref/transports";
import { afterAll, beforeEach, describe, expect, test } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "farref-unix-"));
afterAll(() => rmSync(directory, { recursive: true }));

let names = 0;
const freshPath = () => join(directory, `${++names}.sock`);

const setUp = {
  transport: unixTransport,
  freshUri: () => `unix:${freshPath()}`,
  badUris: ["unix:", "unix://host/a.sock", "unix:/a\nb", "unix:/a\0b", "unix:/a.sock#name", `unix:/${"x".repeat(107)}`],
};

describeTransport("unix", setUp);
describeTransport("unix, byte by byte", {
  ...setUp,
  transport: slicingTransport(unixTransport),
  largestBytes: 400_000,
});

describe("socket files", () => {
  let path: string;
  beforeEach(() => {
    path = freshPath();
  });
  const listen = (mode?: number) =>
    acceptAt(unixTransport, `unix:${path}`, mode === undefined ? {} : { unix: { mode } });
  const refusal = async () => {
    const error = await listen().catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "refused", outcome: "not-sent" });
    return error as RpcError;
  };

  test("are private, and removed by close with all that led to them", async () => {
    const before = readdirSync(directory);
    const acceptor = await listen();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).sort()).toEqual([...before, `${names}.sock`].sort());
    await acceptor.listener.close();
    expect(readdirSync(directory)).toEqual(before);
  });

  test("have the mode that was asked for", async () => {
    await using _ = await listen(0o660);
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  test("that nobody answers on are replaced", async () => {
    await leaveStale(path);
    await using acceptor = await listen();
    const near = await unixTransport.dial(acceptor.uri, {});
    near.destroy();
  });

  test("that somebody answers on stay his", async () => {
    const server = createServer((socket) => socket.destroy()).listen(path);
    await once(server, "listening");
    const { ino } = lstatSync(path);
    expect((await refusal()).detail).toContain("in use");
    expect(lstatSync(path).ino).toBe(ino);
    server.close();
  });

  test("never take the place of a file of another kind", async () => {
    writeFileSync(path, "precious");
    expect((await refusal()).detail).toContain("not a socket");
    expect(readFileSync(path, "utf8")).toBe("precious");
    rmSync(path);
    symlinkSync("/nowhere", path);
    await refusal();
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  test("are left alone by close when they are another's by now", async () => {
    const acceptor = await listen();
    renameSync(path, `${path}.aside`);
    const other = createServer().listen(path);
    await once(other, "listening");
    await acceptor.listener.close();
    expect(existsSync(path)).toBe(true);
    other.close();
    rmSync(`${path}.aside`);
  });

  test("in a directory that is not there are refused", async () => {
    path = join(directory, "missing", "a.sock");
    expect((await refusal()).cause).toMatchObject({ code: "ENOENT" });
  });

  const linux = process.platform === "linux";
  test.runIf(linux)("are made in their own directory, whatever one may do in its parent", async () => {
    const handle = openSync(directory, "r");
    path = `/proc/self/fd/${handle}/${names}.sock`; // Nobody can make a file in the parent of this one.
    const before = readdirSync(directory);
    await using acceptor = await listen();
    (await unixTransport.dial(acceptor.uri, {})).destroy();
    expect(readdirSync(directory).sort()).toEqual([...before, `${names}.sock`].sort());
    await acceptor.listener.close();
    expect(readdirSync(directory)).toEqual(before);
    closeSync(handle);
  });

  test("in a directory whose name ends in X are made without a warning", async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on("warning", warned);
    path = join(mkdirSync(join(directory, "BOX"), { recursive: true }) ?? "", "a.sock");
    await using _ = await listen();
    await setImmediate();
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });

  test("may have the longest possible path, even where a temporary name would not fit", async () => {
    const deep = mkdtempSync(join(directory, "x".repeat(103 - directory.length - 10)));
    path = join(deep, "s");
    const acceptor = await listen();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(deep)).toEqual(["s"]);
    await acceptor.listener.close();
    await leaveStale(path);
    await using _ = await listen();
  });

  test("are made by exactly one of many who start at once, on a free path and on a stale one", async () => {
    for (const prepare of [async () => {}, () => leaveStale(path)]) {
      path = freshPath();
      await prepare();
      const starts = await Promise.allSettled(Array.from({ length: 50 }, () => listen()));
      const winners = starts.filter((start) => start.status === "fulfilled");
      expect(winners).toHaveLength(1);
      await (await unixTransport.dial(`unix:${path}`, {})).destroy();
      for (const { value } of winners) await value.listener.close();
      expect(existsSync(path)).toBe(false);
    }
  });

  test("are not kept by the lock of a starter that died", async () => {
    writeFileSync(`${path}.lock`, `${await deadPid()}\n`);
    await using _ = await listen();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test("are not kept by the lock of an earlier process with our pid", async () => {
    writeFileSync(`${path}.lock`, `${process.pid} 1\n`);
    await using _ = await listen();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test("are refused while another starter lives", async () => {
    writeFileSync(`${path}.lock`, `${process.ppid}\n`);
    expect((await refusal()).detail).toContain(`process ${process.ppid}`);
    expect(existsSync(`${path}.lock`)).toBe(true);
  });
});

test("unix:/// and relative paths are paths too", async () => {
  const path = freshPath();
  await using acceptor = await acceptAt(unixTransport, `unix://${path}`);
  const near = await unixTransport.dial(`unix:${path}`, {});
  near.destroy();
  expect(acceptor.uri).toBe(`unix://${path}`);
  const cwd = process.cwd();
  const relative = `unix:farref-test-${process.pid}.sock`;
  await using other = await acceptAt(unixTransport, relative);
  expect(existsSync(join(cwd, `farref-test-${process.pid}.sock`))).toBe(true);
  expect(other.uri).toBe(relative);
});

/** What a killed process leaves: a socket file that nobody listens on. */
async function leaveStale(path: string): Promise<void> {
  const server = createServer().listen(`${path}.old`);
  await once(server, "listening");
  renameSync(`${path}.old`, path);
  server.close();
  await once(server, "close");
}

async function deadPid(): Promise<number> {
  const child = fork("-e", [], { execArgv: ["-e", "0"], silent: true });
  await once(child, "exit");
  return child.pid ?? 0;
}
