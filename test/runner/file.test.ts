import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type FileOptions, runFile } from "./file.js";

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.js`, import.meta.url));
const options: FileOptions = { limitMs: 60_000, name: null, coverage: null };

/** A process that has ended may stay as a zombie until its new parent looks for it. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const test = suite("a test file in a process of its own");

test("what passed, failed and was skipped is counted, with the reasons", async () => {
  const { passed, failed, skipped, skippedFor } = await runFile(fixture("mixed-outcomes"), options);
  assert.equal(
    { passed, failed, skipped, skippedFor },
    { passed: 2, failed: 1, skipped: 1, skippedFor: ["no orchard here"] },
  );
});

test("a name chooses tests by their own or their suite's", async () => {
  for (const [name, counts] of [
    ["AN OAK", [1, 0, 0]],
    ["fruit a", [1, 1, 1]],
    ["a pear", [0, 1, 0]],
    ["no such test", [0, 0, 0]],
  ] as const) {
    const { passed, failed, skipped } = await runFile(fixture("mixed-outcomes"), { ...options, name });
    assert.equal([passed, failed, skipped], counts, name);
  }
});

test("a suite that is never run is a failure", async () => {
  const { passed, failed, output } = await runFile(fixture("never-run"), options);
  assert.equal([passed, failed], [0, 1]);
  assert.match(output, /a suite is never run/);
});

test("a file over its limit has failed, and none of its processes is left", async () => {
  if (process.platform !== "linux") return;
  // Long enough for three processes to start on a busy machine: what is not started cannot be looked for.
  for (let limitMs = 2000; ; limitMs *= 2) {
    const { failed, output } = await runFile(fixture("hangs"), { ...options, limitMs });
    assert.is(failed, 1);
    assert.match(output, new RegExp(`still running after ${limitMs / 1000} s, ended`));
    const pids = /^pids (.*)$/m.exec(output)?.[1]?.split(" ").map(Number);
    if (pids === undefined && limitMs < 60_000) continue;
    assert.is(pids?.length, 3);
    while (pids!.some(isRunning)) await new Promise((resolve) => setImmediate(resolve));
    return;
  }
});

test.run();
