import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { childrenOf, entry, isAlive, loopool, program, type Running } from "../support/cli.js";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

const test = suite("signals");

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Its answer waits for the signal that ends the server: a server that does not drain never sends it. */
const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
const handlers = join(folder, "handlers.mjs");
writeFileSync(
  handlers,
  `const ending = new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, resolve);
  });
  const answer = { status: 200, headers: {}, body: "answered at the end" };
  export const handlers = { "/held": () => ending.then(() => new Promise((resolve) => setTimeout(resolve, 50, answer))) };`,
);
const serve = ["serve", "--port", "0", "--host", "127.0.0.1", "--handlers", handlers];
test.after(() => rmSync(folder, { recursive: true }));

const { npm_lifecycle_event: _, ...withoutNpm } = process.env;

/** What a program did that was sent a signal while its server had a request. */
interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly response: string;
}

/**
 * Sends a signal to a program that runs a server which has a request under way. Resolves when the program and the server are gone, and
 * nothing listens any more. `target` chooses the process to send it to.
 */
async function signalled(
  started: Running,
  signal: NodeJS.Signals,
  target: (started: Running) => number = ({ process }) => process.pid!,
): Promise<Outcome> {
  let server = 0;
  try {
    const [, url, pid] = await started.written(/listening on (\S+) pid (\d+)/);
    server = Number(pid);
    const client = await RawClient.open(Number(new URL(url!).port));
    client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    while (((await (await fetch(`${url}/stats.json`)).json()) as { inFlight: number }).inFlight < 1) {}
    const exited = once(started.process, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    process.kill(target(started), signal);
    const response = await client.receiveToEnd();
    const [code, by] = await exited;
    // The server has its output, too: it is closed when both have ended.
    await started.ended;
    const reason = await fetch(url!).catch((error: Error) => (error.cause as NodeJS.ErrnoException).code);
    assert.is(reason, "ECONNREFUSED");
    server = 0;
    return { code, signal: by, response };
  } finally {
    started.process.kill("SIGKILL");
    if (server > 0 && isAlive(server)) process.kill(server, "SIGKILL");
  }
}

/** It builds first, which finds nothing to do: the build is what runs here. */
const npmRun = (): Running =>
  program("npm", ["run", "--silent", ...serve.slice(0, 1), "--", ...serve.slice(1)], { cwd: root });

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`npm run serve: ${signal} to npm lets the server answer what is under way, and npm waits for it`, async () => {
    const { code, response } = await signalled(npmRun(), signal);
    assert.match(response, /answered at the end/);
    assert.is(code, 0);
  });
}

for (const signal of ["SIGHUP", "SIGKILL"] as const) {
  test(`npm run serve: ${signal}, which ends npm alone, ends the server too, when it has answered`, async () => {
    const { signal: by, response } = await signalled(npmRun(), signal);
    assert.match(response, /answered at the end/);
    assert.is(by, signal);
  });
}

for (const signal of ["SIGTERM", "SIGHUP", "SIGKILL"] as const) {
  test(`npx loopool serve: ${signal} to npx ends the server, when it has answered`, async () => {
    // As npm installs the command, but for the folder it lies in.
    const command = join(folder, "node_modules", ".bin", "loopool");
    mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
    writeFileSync(join(folder, "package.json"), "{}");
    writeFileSync(command, `#!/usr/bin/env node\nimport("${pathToFileURL(entry)}");\n`);
    chmodSync(command, 0o755);
    const { response } = await signalled(program("npx", ["loopool", ...serve], { cwd: folder }), signal);
    assert.match(response, /answered at the end/);
  });
}

/** A shell that stays between: it has something to do after the server. */
const shell = (env: NodeJS.ProcessEnv): Running =>
  program("sh", ["-c", '"$0" "$@"; true', process.execPath, entry, ...serve], { env });

for (const signal of ["SIGTERM", "SIGHUP", "SIGKILL"] as const) {
  test(`a shell of npm's between: ${signal} to it ends the server, when it has answered`, async () => {
    const { signal: by, response } = await signalled(shell({ ...withoutNpm, npm_lifecycle_event: "x" }), signal);
    assert.match(response, /answered at the end/);
    assert.is(by, signal);
  });
}

test("without npm a server outlives the shell that started it", async () => {
  const started = shell(withoutNpm);
  const [, url, pid] = await started.written(/listening on (\S+) pid (\d+)/);
  try {
    const exited = once(started.process, "exit");
    started.process.kill("SIGKILL");
    await exited;
    // Answered after more than the time in which it would have noticed.
    assert.is((await fetch(`${url}/sleep?ms=700`)).status, 200);
  } finally {
    process.kill(Number(pid), "SIGTERM");
    await started.ended;
  }
});

test("serve without a log: SIGHUP, of a terminal that closes, lets it answer first", async () => {
  const { code, response } = await signalled(loopool(...serve), "SIGHUP");
  assert.match(response, /answered at the end/);
  assert.is(code, 0);
});

test("a Ctrl-C that arrives twice, from the terminal and from npm, is one", async () => {
  const { code, response } = await signalled(loopool(...serve), "SIGINT", ({ process: { pid } }) => {
    process.kill(pid!, "SIGINT");
    return pid!;
  });
  assert.match(response, /answered at the end/);
  assert.is(code, 0);
});

for (const [signal, exitCode] of [
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  test(`load: ${signal} ends another generator too, and the exit code tells the signal`, async () => {
    await withServer({ mode: "reactor" }, async ({ url, stats }) => {
      const load = loopool("load", "--driver", "autocannon", "-t", "600", "-c", "2", `${url}/sleep?ms=5`);
      while ((await stats()).inFlight < 2) {}
      const [tool] = childrenOf(load.process.pid!);
      load.process.kill(signal);
      const { code, errors } = await load.ended;
      assert.is(code, exitCode);
      assert.match(errors, /was stopped: it left no result/);
      assert.not.ok(isAlive(tool!.pid));
    });
  });
}

test("npm run load: SIGTERM to npm ends the load, and what was measured is printed", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const flags = ["-t", "600", "-c", "2", `${url}/sleep?ms=5`];
    const load = program("npm", ["run", "--silent", "load", "--", ...flags], { cwd: root });
    while ((await stats()).inFlight < 2) {}
    load.process.kill("SIGTERM");
    const { code, output } = await load.ended;
    assert.is(code, 143);
    assert.match(output, /^Interrupted after/m);
  });
});

test.run();
