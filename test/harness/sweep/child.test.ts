import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commandLine, startChild } from "../../../src/harness/sweep/child.js";

const test = suite("children of a sweep");

/** What ends a server is on its way when its sender ends; that it arrives is what we wait for. */
async function untilRefused(url: string): Promise<void> {
  for (;;) {
    const reason = await fetch(url).then(
      (response) => response.body?.cancel(),
      (error: Error) => (error.cause as NodeJS.ErrnoException).code,
    );
    if (reason === "ECONNREFUSED") break;
  }
}

test("an exception that nobody catches takes the server along", async () => {
  const fixture = fileURLToPath(new URL("fixtures/dies-with-a-server.js", import.meta.url));
  const url = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [fixture], (error, stdout, stderr) => {
      if (error?.code === 1 && /thrown on purpose/.test(stderr)) resolve(stdout.trim());
      else reject(new Error(`ended otherwise: ${stdout}${stderr}`));
    });
  });
  await untilRefused(url);
});

test("a parent that is killed takes the server along", async () => {
  const fixture = fileURLToPath(new URL("fixtures/keeps-a-server.js", import.meta.url));
  const parent = spawn(process.execPath, [fixture], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  assert.is((await fetch(String(line).trim())).status, 200);
  parent.kill("SIGKILL");
  await untilRefused(String(line).trim());
});

test("says how it ended and what it wrote, in one line", async () => {
  const child = startChild([commandLine, "serve", "--mode", "fork"], null, new AbortController().signal);
  assert.match(await child.ended, /^ended with code 2: loopool: --mode must be one of reactor, pool, not "fork"$/);
});

test("an abort kills it, also one that came before it was started", async () => {
  const interruption = new AbortController();
  const serve = [commandLine, "serve", "--port", "0", "--host", "127.0.0.1"];
  const running = startChild(serve, null, interruption.signal);
  await new Promise((resolve) => running.process.stdout?.once("data", resolve));
  interruption.abort();
  assert.is(await running.ended, "was ended by SIGKILL");
  assert.is(await startChild(serve, null, interruption.signal).ended, "was ended by SIGKILL");
});

test.run();
