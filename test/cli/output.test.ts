import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunResult } from "../../src/harness/load/result/run-result.js";
import { entry, loopool, program } from "../support/cli.js";
import { withServer } from "../support/server.js";

const test = suite("output that cannot be written");

const stored = fileURLToPath(new URL("../../../bench/results/2026-11-21-cores.json", import.meta.url));

/** Runs `loopool <args>` with standard output to a full disk, or to a reader that is gone. */
async function withOutput(output: "full" | "closed", args: readonly string[]) {
  const fd = output === "full" ? openSync("/dev/full", "w") : null;
  const child = spawn(process.execPath, [entry, ...args], { stdio: ["ignore", fd ?? "pipe", "pipe"] });
  if (fd !== null) closeSync(fd);
  child.stdout?.destroy();
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    errors += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, errors };
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every command that ends with what it prints, given the URL of a server and a folder. */
const commands: readonly (readonly [name: string, args: (url: string, folder: string) => readonly string[]])[] = [
  ["load", (url) => ["load", "-n", "20", "-c", "2", url]],
  ["load --json", (url) => ["load", "-n", "20", "-c", "2", "--json", url]],
  ["report", (_, folder) => ["report", stored, "--out", folder]],
  ["serve --print-config", () => ["serve", "--print-config"]],
  ["--help", () => ["--help"]],
];

for (const [name, args] of commands) {
  test(`${name}: without a reader it ends quietly, as by SIGPIPE`, async () => {
    await withFolder((folder) =>
      withServer({ mode: "reactor" }, async ({ url: base }) => {
        const url = `${base}/hello`;
        assert.equal(await withOutput("closed", args(url, folder)), { code: 141, errors: "" });
      }),
    );
  });

  test(`${name}: on a full disk one line says so`, async () => {
    if (!existsSync("/dev/full")) return;
    await withFolder((folder) =>
      withServer({ mode: "reactor" }, async ({ url: base }) => {
        const url = `${base}/hello`;
        const { code, errors } = await withOutput("full", args(url, folder));
        assert.match(errors, /^loopool: standard output cannot be written: ENOSPC.*\n$/);
        assert.is(code, 1);
      }),
    );
  });
}

for (const flag of ["--json", "--csv", "--hgrm"]) {
  test(`load ${flag} on a full disk: the report, and one line that names the file`, async () => {
    if (!existsSync("/dev/full")) return;
    await withServer({ mode: "reactor" }, async ({ url: base }) => {
      const url = `${base}/hello`;
      const { code, output, errors } = await loopool("load", "-n", "20", "-c", "2", flag, "/dev/full", url).ended;
      assert.match(errors, new RegExp(`^loopool: ${flag} /dev/full cannot be written: ENOSPC.*\\n$`));
      assert.match(output, /^Complete requests: +20$/m);
      assert.is(code, 1);
    });
  });
}

test("report into a full disk is one line that names the folder", async () => {
  await withFolder(async (folder) => {
    // A limit to the length of files stops a write as a full disk does.
    const script = 'ulimit -f 1; exec "$0" "$@"';
    const args = ["-c", script, process.execPath, entry, "report", stored, "--out", folder];
    const { code, errors } = await program("sh", args, {}).ended;
    assert.match(errors, /^loopool: cannot write the report to .*: E.*; name another folder\n$/);
    assert.is(code, 1);
  });
});

test("flame into a folder that cannot be made is one line", async () => {
  const { code, errors } = await loopool("flame", "--out", "/dev/null/x").ended;
  assert.match(errors, /^loopool: .*\/dev\/null\/x.*\n$/);
  assert.is(code, 1);
});

for (const order of ["before", "after"]) {
  test(`load --json FILE ${order} the URL: the report is printed, the result is in the file`, async () => {
    await withFolder((folder) =>
      withServer({ mode: "reactor" }, async ({ url: base }) => {
        const url = `${base}/hello`;
        const file = join(folder, "run.json");
        const json = ["--json", file];
        const args = order === "before" ? [...json, url] : [url, ...json];
        const { code, output, errors } = await loopool("load", "-n", "20", "-c", "2", ...args).ended;
        assert.is(code, 0, errors);
        assert.match(output, /^Complete requests: +20$/m);
        assert.is((JSON.parse(await readFile(file, "utf8")) as RunResult).completed, 20);
      }),
    );
  });
}

test("load --json without a file, before, after and between: the result is printed", async () => {
  await withServer({ mode: "reactor" }, async ({ url: base }) => {
    const url = `${base}/hello`;
    for (const args of [
      ["--json", url, "-n", "20"],
      ["-n", "20", url, "--json"],
      ["--json", "-n", "20", url],
      ["--json=-", "-n", "20", url],
    ]) {
      const { output, errors } = await loopool("load", ...args).ended;
      assert.is((JSON.parse(output) as RunResult).completed, 20, errors);
    }
  });
  const { code, errors } = await loopool("load", "--json", "http://localhost:9/", "http://localhost:8/").ended;
  assert.match(errors, /^loopool: there are two URLs, .*\n$/);
  assert.is(code, 2);
});

test("load -n 1: there are as many connections as requests", async () => {
  await withServer({ mode: "reactor" }, async ({ url: base }) => {
    const url = `${base}/hello`;
    const { code, output, errors } = await loopool("load", "-n", "1", url).ended;
    assert.is(code, 0, errors);
    assert.match(output, /^Concurrency Level: +1$/m);
    const threads = await loopool("load", "-n", "1", "--threads", "2", url).ended;
    assert.match(threads.errors, /^loopool: --threads 2 is more than --requests 1: .*\n$/);
  });
});

test("a server without a reader goes on", async () => {
  const server = loopool("serve", "--port", "0", "--host", "127.0.0.1", "--mode", "reactor");
  const [, url] = await server.written(/listening on (\S+)/);
  server.process.stdout?.destroy();
  server.process.stderr?.destroy();
  assert.is((await fetch(url!)).status, 200);
  server.process.kill("SIGTERM");
  await once(server.process, "exit");
  assert.is(server.process.exitCode, 0);
});

test.run();
