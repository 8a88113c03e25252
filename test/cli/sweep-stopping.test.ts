import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planTrials } from "../../src/harness/sweep/plan.js";
import type { SweepResult } from "../../src/harness/sweep/result.js";
import { childrenOf, isAlive, loopool, type Running } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
const folders = ["--out", join(folder, "results"), "--reports", join(folder, "reports")];

function read(file: string): SweepResult {
  return JSON.parse(readFileSync(file, "utf8")) as SweepResult;
}

/** Eight trials on a path slow enough to be interrupted in the middle of one. */
const slow = ["--concurrency", "5", "--requests", "300", "--warmup", "10", "--trials", "4", "--path", "/sleep?ms=5"];

/** The server and the generator of the trial that runs. */
async function serverAndGenerator(sweep: Running): Promise<readonly number[]> {
  for (;;) {
    const children = childrenOf(sweep.process.pid!);
    const mine = children.filter(({ command }) => /main\.js (serve|load) /.test(command)).map(({ pid }) => pid);
    if (mine.length === 2) return mine;
    await new Promise(setImmediate);
  }
}

const test = suite("loopool sweep that is stopped");

test("Ctrl-C loses no finished trial, leaves no process behind, and --resume runs what is missing", async () => {
  const sweep = loopool("sweep", ...slow, "--name", "resumed", "--pin", "none", ...folders);
  await sweep.written(/^2\/8 /m);
  const children = process.platform === "linux" ? await serverAndGenerator(sweep) : [];
  sweep.process.kill("SIGINT");
  const { code, errors } = await sweep.ended;
  assert.is(code, 130);
  assert.equal(children.filter(isAlive), []);
  const [, file, flags] = /npm run sweep -- --resume (\S+) (.*)$/m.exec(errors) as unknown as [string, string, string];
  assert.is(flags, `--reports ${join(folder, "reports")}`, "the flags that a resumed sweep takes too");
  const before = read(file);
  assert.ok(before.trials.length >= 2 && before.trials.length < 8, `${before.trials.length} trials`);
  assert.is(before.finishedAt, null);

  const resumed = await loopool("sweep", "--resume", file, ...flags.split(" ")).ended;
  assert.is(resumed.code, 0, resumed.errors);
  const after = read(file);
  assert.equal(after.trials.slice(0, before.trials.length), before.trials);
  const ran = after.trials.map(({ core, concurrency, rate, block }) => ({ core, concurrency, rate, block }));
  assert.equal(ran, planTrials(after.plan));
  assert.ok(after.finishedAt);
  assert.equal(
    readdirSync(join(folder, "results")).filter((name) => name.endsWith(".tmp")),
    [],
  );

  const again = await loopool("sweep", "--resume", file, ...flags.split(" ")).ended;
  assert.is(again.code, 0, again.errors);
  assert.match(again.errors, /is finished/);
  assert.match(again.output, /^Report: /m);
  assert.equal(read(file), after);
});

for (const [signal, exitCode] of [
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  test(`${signal} ends it as Ctrl-C does, before its first trial too`, async () => {
    const sweep = loopool("sweep", ...slow, "--name", signal, ...folders);
    await sweep.written(/^8 trials/m);
    const children = process.platform === "linux" ? await serverAndGenerator(sweep) : [];
    sweep.process.kill(signal);
    const { code, errors } = await sweep.ended;
    assert.is(code, exitCode);
    assert.equal(children.filter(isAlive), []);
    assert.match(errors, /to go on: npm run sweep -- --resume/);
    assert.equal(read(/--resume (\S+)/.exec(errors)![1]!).trials, []);
  });
}

/** A module whose one handler does this from the second server on: the first one is asked before the sweep. */
function failsInTrials(name: string, failure: string): string {
  const file = join(folder, `${name}.mjs`);
  const mark = join(folder, `${name}.mark`);
  writeFileSync(
    file,
    'import { existsSync, writeFileSync } from "node:fs";\n' +
      `const checked = existsSync(${JSON.stringify(mark)});\n` +
      `export const handlers = { "/one": () => { writeFileSync(${JSON.stringify(mark)}, ""); if (checked) { ${failure} } ` +
      'return { status: 200, headers: {}, body: "" }; } };\n',
  );
  return file;
}

test("a block in which nothing succeeds ends the sweep: what ran is kept, and the failure is told", async () => {
  const small = ["--concurrency", "1,2", "--requests", "10", "--trials", "4", "--warmup", "2", "--cores", "reactor"];
  for (const [name, failure, reported] of [
    ["exits", "process.exit(7);", /reactor succeeded at concurrency \d: .*the server ended with code 7/],
    [
      "throws",
      'throw new Error("on purpose");',
      /unexpected-status 10, status 500 10 times, the server said: .*on purpose/,
    ],
  ] as const) {
    const handlers = ["--handlers", failsInTrials(name, failure), "--name", name];
    const { code, errors } = await loopool("sweep", ...small, ...handlers, ...folders).ended;
    assert.is(code, 1);
    assert.match(errors, /^loopool: block 1: no request to the reactor succeeded/m);
    assert.match(errors, reported);
    const file = /written to (\S+)\. /.exec(errors)![1]!;
    const { trials, plan, finishedAt } = read(file);
    assert.is(plan.path, "/one", "the only path there is");
    assert.equal([trials.length, finishedAt], [2, null], "one block");
  }
});

test("a server that cannot start ends the sweep before its first trial, in the server's words", async () => {
  const broken = join(folder, "broken.mjs");
  writeFileSync(broken, 'throw new Error("broken on purpose");\n');
  const { code, errors } = await loopool(
    "sweep",
    "--quick",
    "--handlers",
    broken,
    "--path",
    "/x",
    "--name",
    "none",
    ...folders,
  ).ended;
  assert.is(code, 1);
  assert.match(errors, /^loopool: no trial can be run: .*--handlers .*broken on purpose.*\n$/);
  assert.equal(
    readdirSync(join(folder, "results")).filter((name) => name.includes("none")),
    [],
  );
});

test("a result that was begun with another Node or other code is not mixed with trials made here", async () => {
  const sweep = loopool("sweep", ...slow, "--name", "moved", ...folders);
  await sweep.written(/^1\/8 /m);
  sweep.process.kill("SIGINT");
  const file = /--resume (\S+)/.exec((await sweep.ended).errors)![1]!;
  const begun = read(file);
  writeFileSync(file, JSON.stringify({ ...begun, environment: { ...begun.environment, node: "1.2.3" } }));
  const { code, errors } = await loopool("sweep", "--resume", file).ended;
  assert.is(code, 2);
  assert.match(errors, /cannot be compared with ones made here \(.*node 1\.2\.3, now \d+\..*start a new sweep\n$/);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
