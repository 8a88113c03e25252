import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CpuProfile } from "../../src/harness/profile/cpu-profile.js";
import { childrenOf, isAlive, loopool, program } from "../support/cli.js";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

const test = suite("loopool flame");

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function profileIn(folder: string, name: string): CpuProfile {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as CpuProfile;
}

test("leaves a flame graph and a profile of every thread, of the load alone, with the user's handler in them", async () => {
  await withFolder(async (out) => {
    const handlers = join(out, "handlers.mjs");
    writeFileSync(
      handlers,
      `function burnsForTest() { const endMs = performance.now() + 1; while (performance.now() < endMs); }
      const answer = { status: 200, headers: {}, body: "burnt" };
      export const handlers = { "/burn": () => { burnsForTest(); return answer; } };`,
    );
    const flags = ["--mode", "pool", "--workers", "2", "--seconds", "1", "--out", out];
    const { code, output, errors } = await loopool("flame", ...flags, "--handlers", handlers, "--path", "/burn").ended;
    assert.is(code, 0, errors);
    const folder = join(out, readdirSync(out).find((name) => name.endsWith("-flame-pool"))!);
    const files = readdirSync(folder).sort();
    assert.equal(files, ["flame.html", "main.cpuprofile", "worker-1.cpuprofile", "worker-2.cpuprofile"], output);
    assert.match(readFileSync(join(folder, "flame.html"), "utf8"), /<html/);
    for (const name of ["worker-1.cpuprofile", "worker-2.cpuprofile"]) {
      const { nodes, samples } = profileIn(folder, name);
      assert.ok(samples.length > 0);
      const names = nodes.map(({ callFrame }) => callFrame.functionName);
      // V8 may have put the inner one into the outer.
      assert.ok(names.includes("burnsForTest") || names.includes("/burn"), names.join(" "));
    }
    assert.match(output, /worker-1\.cpuprofile, time in the function itself:\n +\d/);
    // The command line is read before anything is served.
    for (const name of files) assert.not.match(readFileSync(join(folder, name), "utf8"), /yargs/, name);
  });
});

test("a path that is answered with 404 is a failure that names path and status", async () => {
  await withFolder(async (out) => {
    const flags = ["--mode", "reactor", "--path", "/absent", "--seconds", "1", "--out", out];
    const { code, errors } = await loopool("flame", ...flags).ended;
    assert.match(errors, /^loopool: no request for \/absent was answered .*\(status 404: \d+\): .*--path\n$/);
    assert.is(code, 1);
  });
});

const mistakes: readonly (readonly [args: string[], message: RegExp])[] = [
  [["--mode", "fork"], /--mode must be one of reactor, pool/],
  [["--path", "nope"], /--path must start with "\/"/],
  [["--handlers", "h.mjs"], /--handlers \S+h\.mjs cannot be imported: there is no such file/],
  [["--handlers", "/does/not/exist.mjs", "--path", "/a"], /--handlers \/does\/not\/exist\.mjs cannot be imported/],
];

for (const [args, message] of mistakes) {
  test(`flame ${args.join(" ")}: one line, exit code 2`, async () => {
    await withFolder(async (out) => {
      const { code, errors } = await loopool("flame", ...args, "--out", out).ended;
      assert.match(errors, message);
      assert.is(errors.trim().split("\n").length, 1, errors);
      assert.is(code, 2);
    });
  });
}

for (const [signal, exitCode] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
  ["SIGKILL", null],
] as const) {
  test(`${signal} ends the server that is profiled, too`, async () => {
    await withFolder(async (out) => {
      // What a killed process leaves behind goes with the folder.
      const flame = program(process.execPath, [main, "flame", "--mode", "reactor", "--seconds", "600", "--out", out], {
        env: { ...process.env, TMPDIR: out },
      });
      let server: { readonly pid: number } | undefined;
      while (server === undefined) {
        server = childrenOf(flame.process.pid!).find(({ command }) => / serve /.test(command));
        await new Promise((resolve) => setImmediate(resolve));
      }
      flame.process.kill(signal);
      const { code, errors } = await flame.ended;
      assert.is(code, exitCode, errors);
      if (exitCode !== null) assert.is(errors, "loopool: interrupted\n");
      while (isAlive(server.pid)) await new Promise((resolve) => setImmediate(resolve));
    });
  });
}

test.run();
