import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { missingPoints } from "../../src/harness/break-even/plan.js";
import { readBreakEven } from "../../src/harness/break-even/read.js";
import type { BreakEvenData } from "../../src/harness/break-even/write.js";
import { misfitOf } from "../../src/harness/report/schema.js";
import { pinningFacts } from "../../src/harness/sweep/pinning.js";
import { loopool } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
const folders = ["--out", join(folder, "results"), "--reports", join(folder, "reports")];
const oneCpu = pinningFacts().hasTaskset ? ["--server-cpus", "1"] : [];
/** Four trials, of which nothing can be said, and so as many again. */
const small = [
  ...oneCpu,
  "--costs",
  "0,500",
  "--concurrency",
  "4",
  "--window",
  "0.02",
  "--blocks",
  "1",
  "--refined-blocks",
  "1",
];

const test = suite("loopool break-even");

test("measures both passes on real servers, goes on where it was interrupted, and writes result and report", async () => {
  const begun = loopool("break-even", ...small, ...folders);
  await begun.written(/^2\/4 block 1, /m);
  begun.process.kill("SIGINT");
  const interrupted = await begun.ended;
  assert.is(interrupted.code, 130, interrupted.errors);
  const file = /to go on: npm run break-even -- --resume (\S+)/.exec(interrupted.errors)![1]!;
  const before = await readBreakEven(file);
  assert.is(before.trials.length, 2);
  assert.is(before.finishedAt, null);

  const unfinished = await loopool("break-even", file).ended;
  assert.is(unfinished.code, 2);
  assert.match(unfinished.errors, /lacks 2 trials: finish it with npm run break-even -- --resume/);

  const { code, output, errors } = await loopool("break-even", "--resume", file, ...folders.slice(2)).ended;
  assert.is(code, 0, errors);
  const { plan, trials, finishedAt } = await readBreakEven(file);
  assert.ok(finishedAt);
  assert.equal(
    plan.passes.map(({ kind, points }) => [kind, points.length]),
    [
      ["coarse", 2],
      ["refined", 2],
    ],
  );
  assert.is(trials.length, 8);
  assert.equal(missingPoints(plan, trials), []);
  assert.equal(trials.slice(0, 2), before.trials, "what was measured is kept");
  for (const { run, server, failure, costMicros } of trials) {
    assert.is(failure, null);
    assert.is(run!.path, `/cpu?us=${costMicros}`);
    assert.is(server!.requests, run!.completed, "the server's own count");
  }
  assert.match(
    output,
    /With \d CPUs? .*it is undecided from which cost on the pool serves more requests than the reactor/,
  );
  const report = /^Report: (.*)$/m.exec(output)![1]!;
  const markdown = readFileSync(report, "utf8");
  const charts = [...markdown.matchAll(/\]\(([^)]+\.svg)\)/g)].map(([, chart]) => chart!);
  assert.equal(charts.length, 2);
  for (const chart of charts) assert.match(readFileSync(join(folder, "reports", chart), "utf8"), /^<svg /);
});

test("a stored result gives its report again, as JSON that its schema describes, and is compared with another", async () => {
  const file = join(folder, "results", readdirSync(join(folder, "results"))[0]!);
  const again = await loopool("break-even", file, "--json", "--no-report").ended;
  assert.is(again.code, 0, again.errors);
  const data = JSON.parse(again.output) as BreakEvenData;
  assert.is(await misfitOf("loopool-break-even-report/1", data), null);
  assert.equal(
    data.curves.map(({ metric }) => metric),
    ["requestsPerSecond", "cpuPerRequestMicros"],
  );
  const both = await loopool("break-even", file, file).ended;
  assert.is(both.code, 0, both.errors);
  assert.match(both.output, /pool in requests per second: .*one of the two is undecided/);
});

test("a handler that waits, and a mixture, are asked for by their paths", async () => {
  for (const [flags, path] of [
    [["--sleep", "1"], /^\/cpu\?us=(0|500)&ms=1$/],
    [["--slow-share", "0.5", "--rate", "50", "--duration", "0.2"], /^\/mixed\?slow=0\.5&us=(0|500)$/],
  ] as const) {
    const name = `kinds${flags.length}`;
    const options = [...small.slice(0, -2), "--refined-blocks", "0", ...flags, "--name", name, "--no-report", "--json"];
    const { code, errors } = await loopool("break-even", ...options, ...folders).ended;
    assert.is(code, 0, errors);
    const file = readdirSync(join(folder, "results")).find((one) => one.includes(name))!;
    const { trials, plan } = await readBreakEven(join(folder, "results", file));
    assert.is(trials.length, plan.rate === null ? 4 : 8);
    for (const { run, failure } of trials) assert.match(run?.path ?? failure ?? "", path);
    assert.equal(new Set(trials.map(({ rate }) => rate)), new Set(plan.rate === null ? [null] : [null, 50]));
  }
  assert.not.ok(existsSync(join(folder, "reports", "kinds2.md")));
});

test("a mistake in a flag is one line that names it", async () => {
  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [["--cores", "reactor"], /--cores must name two cores or more/],
    [["--costs", "5"], /--costs must name two costs or more/],
    [["--costs", "0,-1"], /--costs must be a number from 0 to 10000000/],
    [["--server-cpus", "4096"], /--server-cpus 4096 (is more than there are: this process may use \d+|needs taskset)/],
    [["--blocks", "1000", "--concurrency", "1,2,3,4,5,6,7,8,9,10"], /trials may be needed, 100,000 are the most/],
    [["--sleep", "1", "--slow-share", "0.5"], /leave one out/],
    [["--duration", "1"], /--duration is that of the trials with --rate/],
    [["--resume", "x.json", "--costs", "0,1"], /--resume x\.json goes on as it was begun: leave out --costs/],
    [[join(folder, "none.json"), "--no-report"], /cannot read .*none\.json/],
  ];
  for (const [flags, message] of mistakes) {
    const { code, errors } = await loopool("break-even", ...flags).ended;
    assert.is(code, 2, errors);
    assert.match(errors, message);
    assert.is(errors.trim().split("\n").length, 1, errors);
  }
});

test("a file that is none, or was damaged, is refused with the place", async () => {
  const damaged = join(folder, "damaged.json");
  const file = join(folder, "results", readdirSync(join(folder, "results"))[0]!);
  const stored = JSON.parse(readFileSync(file, "utf8"));
  for (const [content, message] of [
    ["{", /is not JSON/],
    [JSON.stringify({ schema: "loopool-sweep/3" }), /is no result of break-even: its schema is "loopool-sweep\/3"/],
    [JSON.stringify({ ...stored, plan: { ...stored.plan, seed: "x" } }), /plan\.seed is string, not integer/],
    [
      JSON.stringify({ ...stored, plan: { ...stored.plan, serverCpus: [{ ...stored.plan.serverCpus[0], cpus: 77 }] } }),
      /plan: passes names \d+ CPUs, serverCpus does not/,
    ],
  ] as const) {
    writeFileSync(damaged, content);
    const { code, errors } = await loopool("break-even", damaged).ended;
    assert.is(code, 2, errors);
    assert.match(errors, message);
  }
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
