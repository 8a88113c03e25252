import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { errorClasses } from "../../src/harness/load/result/run-result.js";
import { pinningFacts } from "../../src/harness/sweep/pinning.js";
import { missingTrials } from "../../src/harness/sweep/plan.js";
import type { SweepResult } from "../../src/harness/sweep/result.js";
import { cpuList } from "../../src/shared/process-limits.js";
import { childrenOf, loopool } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
const folders = ["--out", join(folder, "results"), "--reports", join(folder, "reports")];

function read(file: string): SweepResult {
  return JSON.parse(readFileSync(file, "utf8")) as SweepResult;
}

const behaviours = fileURLToPath(new URL("../core/fixtures/behaviours.js", import.meta.url));

const test = suite("loopool sweep");

test("runs the whole pipeline: servers, generator, result, report; and all counts agree", async () => {
  const flags = ["--quick", "--requests", "2000", "--warmup", "200", "--trials", "2", "--name", "pipeline", ...folders];
  const { code, output, errors } = await loopool("sweep", ...flags).ended;
  assert.is(code, 0, errors);
  const file = /^Result: (.*)$/m.exec(output)?.[1] ?? "";
  const { trials, plan, finishedAt, command } = read(file);
  assert.ok(finishedAt);
  assert.match(command, /^npm run sweep -- --quick --requests 2000/);
  assert.is(trials.length, 2 * 2 * 2);
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

test("--adapter is that of every server, and the result tells which", async () => {
  const small = ["--concurrency", "2", "--requests", "200", "--warmup", "20", "--trials", "1", "--path", "/hello"];
  const { code, output, errors } = await loopool(
    "sweep",
    "--adapter",
    "node",
    ...small,
    "--name",
    "adapter",
    ...folders,
  ).ended;
  assert.is(code, 0, errors);
  const { trials, plan, environment } = read(/^Result: (.*)$/m.exec(output)?.[1] ?? "");
  assert.equal([plan.adapter, environment.uws], ["node", "none"]);
  for (const { run, server } of trials) assert.equal([run!.completed, server!.requests], [200, 200]);
  const report = readFileSync(/^Report: (.*)$/m.exec(output)?.[1] ?? "", "utf8");
  assert.match(report, /\| Adapter +\| +node/);
});

test("--aa measures the first core against itself, and the report tells the noise floor", async () => {
  const small = ["--concurrency", "2", "--requests", "500", "--warmup", "50", "--trials", "2", "--path", "/hello"];
  const { code, output, errors } = await loopool("sweep", "--aa", ...small, "--name", "aa", ...folders).ended;
  assert.is(code, 0, errors);
  const { trials, plan, command } = read(/^Result: (.*)$/m.exec(output)?.[1] ?? "");
  assert.match(command, /^npm run sweep -- --aa /);
  assert.equal(plan.control, { name: "reactor again", of: "reactor" });
  const again = trials.filter(({ core }) => core === "reactor again");
  assert.is(trials.length, 3 * 2);
  assert.is(again.length, 2);
  for (const { run, server, failure } of again) {
    assert.is(failure, null);
    assert.equal([run!.completed, server!.requests], [500, 500]);
  }
  assert.match(output, /A\/A: /);
});

test("--server-cpus gives servers that many CPUs, in the same blocks, and the first line says what holds with each", async () => {
  const { cpus, hasTaskset } = pinningFacts();
  if (!hasTaskset) {
    const { code, errors } = await loopool("sweep", "--server-cpus", "1", ...folders).ended;
    assert.is(code, 2);
    assert.match(errors, /--server-cpus 1 needs taskset/);
    return;
  }
  const counts = [1, 2].filter((count) => count <= cpus.length);
  const small = ["--concurrency", "2", "--requests", "200", "--warmup", "20", "--trials", "2", "--path", "/hello"];
  const running = loopool("sweep", "--server-cpus", counts.join(), ...small, "--name", "cpus", ...folders);
  /** CPUs that the servers of the sweep may use, as the kernel says. */
  const seen = new Set<number>();
  let over = false;
  const ended = running.ended.finally(() => {
    over = true;
  });
  while (!over) {
    for (const { pid, command } of childrenOf(running.process.pid!)) {
      if (!command.includes("main.js serve")) continue;
      try {
        const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!;
        // The probe before the first trial is on the first number of CPUs, too.
        if (command.startsWith(process.execPath)) seen.add(cpuList(list).size);
      } catch {
        // It ended while we looked.
      }
    }
    await new Promise(setImmediate);
  }
  const { code, output, errors } = await ended;
  assert.is(code, 0, errors);
  assert.equal([...seen].sort(), counts);
  const { trials, plan } = read(/^Result: (.*)$/m.exec(output)?.[1] ?? "");
  assert.equal(
    plan.serverCpus!.map(({ cpus: count, workers }) => [count, workers]),
    counts.map((count) => [count, Math.max(1, count - 1)]),
  );
  for (const count of counts) {
    assert.is(trials.filter(({ serverCpus, run }) => serverCpus === count && run?.completed === 200).length, 4);
  }
  assert.match(output, /^With 1 CPU: No answer: there are too few trials/m);
  const report = readFileSync(/^Report: (.*)$/m.exec(output)?.[1] ?? "", "utf8");
  assert.match(report, /### c=2, 1 CPU\n/);
});

test("--server-cpus is refused where another flag leaves no sense to it", async () => {
  for (const [flags, message] of [
    [["--pin", "none"], /--server-cpus says where the server runs: leave out --pin/],
    [["--rate", "auto"], /with --server-cpus give rates/],
    [["--target", "a=http://127.0.0.1:1/"], /a --target runs already: leave one out/],
  ] as const) {
    const { code, errors } = await loopool("sweep", "--server-cpus", "1", ...flags, ...folders).ended;
    assert.is(code, 2, errors);
    assert.match(errors, message);
  }
});

test("--until adds blocks in pairs until it may stop, and says why it did", async () => {
  const small = ["--concurrency", "2", "--requests", "200", "--warmup", "20", "--trials", "2", "--path", "/sleep?ms=2"];
  const until = ["--until", "0.1%", "--max-trials", "4", "--pin", "none", "--name", "until"];
  const { code, output, errors } = await loopool("sweep", ...small, ...until, ...folders).ended;
  assert.is(code, 0, errors);
  const { trials, plan, stopped, finishedAt } = read(/^Result: (.*)$/m.exec(output)?.[1] ?? "");
  assert.ok(finishedAt);
  assert.equal(plan.until, { halfWidth: 0.001, maxTrials: 4, maxSeconds: 900 });
  assert.equal(missingTrials(plan, trials), []);
  assert.is(trials.length, 2 * plan.trials);
  // Where the machine is so busy that a cell is invalid, there is nothing to narrow and no block is added.
  if (stopped?.code === "nothing-to-narrow") assert.is(plan.trials, 2);
  else {
    assert.is(stopped?.code, "max-trials");
    assert.is(plan.trials, 4);
    assert.match(output, /after 4 blocks the limit of 4 \(--max-trials\) was reached/);
  }
});

test("--handlers without --path lists the paths there are, and never measures a page of ours", async () => {
  const { code, errors } = await loopool("sweep", "--handlers", behaviours, ...folders).ended;
  assert.is(code, 2);
  assert.match(errors, /^loopool: --handlers \S+ needs a --path to measure: it has "\/throws", "\/rejects", .*\n$/);
  const broken = join(folder, "not-a-module.mjs");
  writeFileSync(broken, "process.exit(3);\n");
  const ended = await loopool("sweep", "--handlers", broken, ...folders).ended;
  assert.is(ended.code, 2);
  assert.match(ended.errors, /cannot be imported: it ended its process \(exit code 3\)\n$/);
});

test("with --handlers trials end by time unless told otherwise, and how long all will take is said first", async () => {
  const small = ["--concurrency", "2", "--trials", "1", "--cores", "reactor", "--name", "by-time"];
  const handlers = ["--handlers", behaviours, "--path", "/microtask"];
  const { code, output, errors } = await loopool("sweep", ...small, ...handlers, ...folders).ended;
  assert.is(code, 0, errors);
  const { plan, trials } = read(/^Result: (.*)$/m.exec(output)![1]!);
  assert.is(plan.seconds, 2);
  assert.equal([trials[0]!.run!.requestedSeconds, trials[0]!.run!.window!.seconds], [2, 2]);
  assert.match(
    errors,
    /^About \d+ s: 1 trial of 2 s after 1 s of warm-up\. By a short probe: reactor [\d,]+ requests\/s\.$/m,
  );
  assert.ok(errors.indexOf("About ") < errors.indexOf("1/1 "));
  assert.match(output, /trial per core and concurrency of 2\.00 s each/);
});

test("the warm-up is no longer than what is measured, unless that is asked for", async () => {
  const small = ["--concurrency", "2", "--trials", "1", "--cores", "reactor", "--requests", "300", "--name", "warm"];
  const { errors } = await loopool("sweep", ...small, "--no-report", ...folders).ended;
  assert.is(read(/written to (\S+)\. /.exec(errors)![1]!).plan.warmupRequests, 300);
});

test("two sweeps of one name on one day have a file each, and --workers follows from the CPUs", async () => {
  const small = ["--concurrency", "1", "--requests", "5", "--warmup", "0", "--trials", "1", "--cores", "pool"];
  const sweeps = [1, 2].map(
    () => loopool("sweep", ...small, "--no-report", "--name", "control", "--pin", "none", ...folders).ended,
  );
  const files = (await Promise.all(sweeps)).map(({ output }) => /^Result: (.*)$/m.exec(output)![1]!);
  assert.is(new Set(files).size, 2);
  for (const file of files) {
    assert.is(read(file).trials.length, 1);
    assert.is(read(file).plan.workers, pinningFacts().cpus.length);
  }
});

const mistakes: readonly (readonly [args: string[], message: RegExp])[] = [
  [["--cores", "reactor,fork"], /--cores must be one of reactor, pool, not "fork"/],
  [["--cores", "pool,pool"], /--cores names a value twice/],
  [["--concurrency", "10,x"], /--concurrency must be a whole number/],
  [["--requests", "5"], /--concurrency 450 is more than --requests 5/],
  [["--path", "x"], /--path must start with "\/"/],
  [["--pin", "0"], /--pin must be auto, none or SERVER:GENERATOR/],
  [["--name", "a/b"], /--name may have letters/],
  [["--path", "/#x"], /--path must .* no "#"/],
  [["--handlers", "/does/not/exist.js"], /--handlers \/does\/not\/exist\.js is not there/],
  [["--concurrency", "90000"], /--concurrency 90000 (is more than|needs 90050 open files)/],
  [["--until", "3"], /--until must be a percentage from 0\.1% to 50%, like 3%, not "3"/],
  [["--until", "0%"], /--until must be a percentage/],
  [["--until", "3%", "--cores", "pool"], /--until narrows the ratio of two cores/],
  [["--until", "3%", "--max-trials", "4"], /--max-trials 4 is less than --trials 16/],
  [["--max-minutes", "4"], /--max-minutes is a limit of --until: give --until too/],
  [["--resume", "/does/not/exist.json"], /cannot read \/does\/not\/exist\.json/],
  [["--resume", behaviours], /behaviours\.js is not JSON/],
  [
    ["--trials", "1000", "--concurrency", Array.from({ length: 60 }, (_, i) => i + 1).join()],
    /120,000 trials are planned/,
  ],
  [["--target", "__proto__=http://127.0.0.1:1"], /--target __proto__=.*: a name has/],
  [["--target", "constructor=http://127.0.0.1:1"], /--target constructor=.*: a name has/],
  [["--path", "/\x1b[31m"], /--path .* not "\/\\x1b\[31m"/],
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
