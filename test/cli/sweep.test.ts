import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { errorClasses } from "../../src/load/run-result.js";
import { missingTrials, planTrials } from "../../src/sweep/plan.js";
import type { SweepResult } from "../../src/sweep/result.js";
import { loopool, processesWith } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
const folders = ["--out", join(folder, "results"), "--reports", join(folder, "reports")];

function read(file: string): SweepResult {
  return JSON.parse(readFileSync(file, "utf8")) as SweepResult;
}

const test = suite("loopool sweep");

test("runs the whole pipeline: servers, generator, result, report; and all counts agree", async () => {
  const flags = ["--quick", "--requests", "2000", "--warmup", "200", "--name", "pipeline", ...folders];
  const { code, output, errors } = await loopool("sweep", ...flags).ended;
  assert.is(code, 0, errors);
  const file = /^Result: (.*)$/m.exec(output)?.[1] ?? "";
  const { trials, plan, finishedAt, command } = read(file);
  assert.ok(finishedAt);
  assert.match(command, /^npm run sweep -- --quick --requests 2000/);
  assert.is(trials.length, 2 * 2 * 3);
  assert.equal(missingTrials(plan, trials), []);
  for (const { run, server, failure } of trials) {
    assert.is(failure, null);
    const errorsFound = errorClasses.reduce((sum, name) => sum + run!.errors[name], 0);
    assert.is(run!.completed + errorsFound, run!.sent);
    assert.is(run!.completed, 2000);
    assert.is(server!.requests, 2000, "the server's own count");
    assert.ok(server!.cpuUserMicros + server!.cpuSystemMicros > 0);
  }
  const report = /^Report: (.*)$/m.exec(output)?.[1] ?? "";
  const markdown = readFileSync(report, "utf8");
  for (const [, chart] of markdown.matchAll(/\]\(([^)]+\.svg)\)/g))
    assert.ok(existsSync(join(folder, "reports", chart!)), chart);
  assert.match(markdown, /At c=100 the pool/);
});

test("Ctrl-C loses no finished trial, leaves no process behind, and --resume runs what is missing", async () => {
  const flags = ["--concurrency", "5", "--requests", "300", "--warmup", "10", "--trials", "4", "--name", "resumed"];
  // A slow path: the interruption comes in the middle of a trial.
  const sweep = loopool("sweep", ...flags, "--path", "/sleep?ms=5", "--pin", "none", ...folders);
  await sweep.written(/^2\/8 /m);
  sweep.process.kill("SIGINT");
  const { code, errors } = await sweep.ended;
  assert.is(code, 130);
  const file = /--resume (\S+)/.exec(errors)?.[1] ?? "";
  const before = read(file);
  assert.ok(before.trials.length >= 2 && before.trials.length < 8, `${before.trials.length} trials`);
  assert.is(before.finishedAt, null);
  if (process.platform === "linux") assert.equal(await processesWith("main.js", "serve", "--mode="), []);

  const resumed = await loopool("sweep", "--resume", file, "--reports", join(folder, "reports")).ended;
  assert.is(resumed.code, 0, resumed.errors);
  const after = read(file);
  assert.equal(after.trials.slice(0, before.trials.length), before.trials);
  const ran = after.trials.map(({ core, concurrency, block }) => ({ core, concurrency, block }));
  assert.equal(ran, planTrials(after.plan));
  assert.ok(after.finishedAt);
  assert.equal(
    readdirSync(join(folder, "results")).filter((name) => name.endsWith(".tmp")),
    [],
  );

  const refused = await loopool("sweep", "--resume", file, "--requests", "5").ended;
  assert.is(refused.code, 2);
  assert.match(refused.errors, /leave --requests out/);
});

test("a server that cannot start is a failed trial with its own words, and the sweep ends", async () => {
  const { code, errors } = await loopool("sweep", "--quick", "--handlers", "/does/not/exist.js", ...folders).ended;
  assert.is(code, 1);
  assert.match(errors, /--handlers .*exist\.js cannot be imported/);
});

const mistakes: readonly (readonly [args: string[], message: RegExp])[] = [
  [["--cores", "reactor,fork"], /--cores must be one of reactor, pool, not "fork"/],
  [["--cores", "pool,pool"], /--cores names a value twice/],
  [["--concurrency", "10,x"], /--concurrency must be a whole number/],
  [["--requests", "5"], /--concurrency 450 is more than --requests 5/],
  [["--path", "x"], /--path must start with "\/"/],
  [["--pin", "0"], /--pin must be auto, none or SERVER:GENERATOR/],
  [["--name", "a/b"], /--name may have letters/],
  [["--resume", "/does/not/exist.json"], /cannot read \/does\/not\/exist\.json/],
  [["--whatever"], /whatever/],
];

for (const [args, message] of mistakes) {
  test(`sweep ${args.join(" ")}: one line, exit code 2`, async () => {
    const { code, errors } = await loopool("sweep", ...args, ...(args[0] === "--resume" ? [] : folders)).ended;
    assert.match(errors, message);
    assert.is(errors.trim().split("\n").length, 1, errors);
    assert.is(code, 2);
  });
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
