import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ownIdentity, stateOf } from "../../src/stats-mirror/process-identity.js";

const test = suite("process identity");

test("this process runs; one that had its pid before does not", () => {
  const own = ownIdentity();
  assert.is(own.pid, process.pid);
  assert.is(stateOf(own), "running");
  if (!existsSync("/proc/self/stat")) return;
  assert.ok(own.startTicks !== null && own.startTicks > 0);
  assert.is(stateOf({ ...own, startTicks: own.startTicks - 1 }), "ended");
});

test("a process that has ended does not run", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const identity = { pid: child.pid!, startTicks: null };
  assert.is(stateOf(identity), "running");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.is(stateOf(identity), "ended");
});

test("a zombie does not run", async () => {
  if (!existsSync("/proc/self/stat")) return;
  // The shell becomes a sleep, which never asks how its child ended.
  const parent = spawn("sh", ["-c", "sh -c 'echo $$' & exec sleep 60"]);
  try {
    const pid = Number(String((await once(parent.stdout, "data"))[0]));
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) {}
    assert.is(stateOf({ pid, startTicks: null }), "ended");
  } finally {
    parent.kill("SIGKILL");
  }
});

test.run();
