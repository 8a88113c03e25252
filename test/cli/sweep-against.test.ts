import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compare } from "../../src/harness/report/comparison.js";
import { commitOf } from "../../src/harness/sweep/environment.js";
import { readyVersion } from "../../src/harness/sweep/other-version.js";
import type { SweepResult } from "../../src/harness/sweep/result.js";
import { LoopoolError } from "../../src/shared/errors.js";
import { packageRoot, packageVersion } from "../../src/shared/package-root.js";
import { plausibleSweep } from "../harness/report/fixture.js";
import { entry, program, type Running } from "../support/cli.js";
import { requiring } from "../support/requires.js";

const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
/** What a sweep makes for the other version goes here, and must be gone afterwards. */
const temporary = join(folder, "tmp");
mkdirSync(temporary);
/** loopool itself, packed, and unpacked with another body of /hello. */
const packed = join(folder, `loopool-${packageVersion}.tgz`);
const changed = join(folder, "changed");

const small = ["--concurrency", "2", "--requests", "60", "--warmup", "10", "--trials", "2", "--path", "/hello"];
const flags = [...small, "--pin", "none", "--out", join(folder, "results"), "--reports", join(folder, "reports")];
const never = new AbortController().signal;

function sweep(...args: string[]): Running {
  const env = { ...process.env, TMPDIR: temporary };
  return program(process.execPath, [entry, "sweep", ...args], { env });
}

function resultOf(output: string): { readonly file: string; readonly result: SweepResult } {
  const file = /^Result: (.*)$/m.exec(output)?.[1] ?? "";
  return { file, result: JSON.parse(readFileSync(file, "utf8")) as SweepResult };
}

async function refusal(what: string, packageFolder = packageRoot): Promise<LoopoolError> {
  try {
    (await readyVersion(what, packageFolder, never)).remove();
  } catch (error) {
    if (error instanceof LoopoolError) return error;
    throw error;
  }
  throw new Error(`${what} was taken`);
}

const test = suite("loopool sweep --against");
test.before(() => {
  execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], {
    cwd: packageRoot,
    stdio: "ignore",
  });
  execFileSync("tar", ["-xzf", packed, "-C", folder]);
  cpSync(join(folder, "package"), changed, { recursive: true });
  symlinkSync(join(packageRoot, "node_modules"), join(changed, "node_modules"));
  const hello = join(changed, "dist/src/shared/handlers/built-in/hello.js");
  const code = readFileSync(hello, "utf8");
  assert.match(code, "Hello, world");
  writeFileSync(hello, code.replace("Hello, world", "Hello, other world"));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

test("a file of npm pack: each core beside its former self in every block, and a report of after ÷ before", async () => {
  const { code, output, errors } = await sweep("--against", packed, ...flags).ended;
  assert.is(code, 0, errors);
  const { result } = resultOf(output);
  const before = (core: string): string => `${core}@${packageVersion}`;
  assert.equal(result.plan.cores, [before("reactor"), "reactor", before("pool"), "pool"]);
  assert.equal(
    [result.plan.against?.from, result.plan.against?.source, result.plan.against?.label],
    ["package", packed, packageVersion],
  );
  assert.is(result.trials.length, 4 * 2);
  for (const { run, server, failure } of result.trials) {
    assert.is(failure, null);
    assert.equal([run!.completed, server!.requests], [60, 60]);
  }
  const report = readFileSync(/^Report: (.*)$/m.exec(output)?.[1] ?? "", "utf8");
  assert.match(report, `reactor ÷ ${before("reactor")}`);
  assert.match(report, `pool ÷ ${before("pool")}`);
  assert.not.match(report, `pool ÷ ${before("reactor")}`);
  assert.match(report, new RegExp(`Compared with ${packageVersion.replaceAll(".", "\\.")}: `));
  assert.equal(readdirSync(temporary), [], "what was unpacked is removed");
});

test("a folder: its own code runs, and a sweep that was interrupted goes on with the same code only", async () => {
  const { code, output, errors } = await sweep("--against", changed, "--cores", "reactor", ...flags).ended;
  assert.is(code, 0, errors);
  const { file, result } = resultOf(output);
  const other = `reactor@${packageVersion}`;
  assert.equal(result.plan.cores, [other, "reactor"]);
  const bytesOf = (core: string): readonly number[] =>
    result.trials.flatMap((trial) => (trial.core === core ? [trial.run!.documentBytes ?? 0] : []));
  assert.equal(new Set(bytesOf(other)), new Set([bytesOf("reactor")[0]! + "other ".length]));

  const cut = { ...result, finishedAt: null, trials: result.trials.slice(0, 3) };
  writeFileSync(file, JSON.stringify(cut));
  const refused = await sweep("--resume", file, "--no-report").ended;
  assert.is(refused.code, 2);
  assert.ok(refused.errors.endsWith(`add --against ${changed}\n`), refused.errors);
  const another = await sweep("--resume", file, "--no-report", "--against", packed).ended;
  assert.is(another.code, 2);
  assert.match(another.errors, /were made with other code .* start a new sweep/);
  const resumed = await sweep("--resume", file, "--no-report", "--against", changed).ended;
  assert.is(resumed.code, 0, resumed.errors);
  assert.match(resumed.errors, `This runs the loopool of folder ${changed}.`);
  const { trials } = JSON.parse(readFileSync(file, "utf8")) as SweepResult;
  assert.is(trials.length, 4);
  assert.equal(trials.slice(0, 3), cut.trials);
  assert.ok(trials.every(({ failure }) => failure === null));
});

requiring(test, {
  name: "a git checkout",
  remedy: "clone the repository",
  isInstalled: commitOf(packageRoot) !== "unknown",
  inCi: false,
})("a commit of loopool's own checkout is built beside it, and removed", async () => {
  const version = await readyVersion("HEAD", packageRoot, never);
  const plan = { ...plausibleSweep({ rates: { reactor: 1 } }).plan, against: version.version };
  assert.is(version.version.from, "commit");
  assert.match(version.version.source, /^[0-9a-f]{40}$/);
  const [main = "", ...given] = version.serverScript(`reactor@${version.version.label}`, plan, 100);
  assert.not.ok(main.startsWith(packageRoot));
  assert.ok(given.includes("--mode=reactor"), given.join(" "));
  assert.match(execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" }), /^\d/);
  assert.ok(version.serverScript("reactor", plan, 100)[0]!.startsWith(packageRoot), "ours stays ours");
  version.remove();
  assert.throws(() => readFileSync(main), /ENOENT/);
});

test("a version with older flags is started with these, and one that lacks what is asked says so", async () => {
  const old = join(folder, "old");
  mkdirSync(join(old, "dist/src/cli"), { recursive: true });
  writeFileSync(join(old, "package.json"), JSON.stringify({ name: "loopool", version: "0.0.1-rc+7", type: "module" }));
  writeFileSync(
    join(old, "dist/src/cli/main.js"),
    'console.log("--mode  core\\n  --front  adapter\\n  --workers  threads");\n',
  );
  const { version, serverScript, remove } = await readyVersion(old, packageRoot, never);
  assert.is(version.label, "0.0.1-rc-7");
  const plan = { ...plausibleSweep({ rates: { reactor: 1 } }).plan, adapter: "node", workers: 3, against: version };
  assert.equal(serverScript("pool@0.0.1-rc-7", plan, null), [
    join(old, "dist/src/cli/main.js"),
    "serve",
    "--mode=pool",
    "--workers=3",
    "--front=node",
  ]);
  assert.throws(
    () => serverScript("pool@0.0.1-rc-7", { ...plan, handlers: "/h.mjs" }, null),
    (error: unknown) => error instanceof LoopoolError && /0\.0\.1-rc-7 .* has no --handlers/.test(error.message),
  );
  remove();
});

test("what is no version is refused with what it may be, before a trial runs", async () => {
  const neither = await refusal("no-such-version");
  assert.is(neither.exitCode, 2);
  assert.match(neither.message, /^--against no-such-version is neither a folder nor a file, nor a commit of /);
  const installed = await refusal("HEAD", join(folder, "package"));
  assert.match(installed.message, /this loopool is no checkout/);
  const empty = await refusal(temporary);
  assert.match(empty.message, /there is no built loopool in it .* name a folder in which "npm ci" has run/);
  const noArchive = join(folder, "no.tgz");
  writeFileSync(noArchive, "no archive");
  assert.match((await refusal(noArchive)).message, /no\.tgz cannot be unpacked: /);
  const targets = await sweep("--against", changed, "--target", "a=http://127.0.0.1:1/").ended;
  assert.equal([targets.code, /leave out --target/.test(targets.errors)], [2, true], targets.errors);
});

test("each ratio is to the same core of the other version, and Holm's correction is over these", () => {
  const against = { from: "folder", source: "/old", label: "1.0", sha256: "0".repeat(64) } as const;
  const rates = { "reactor@1.0": 1000, reactor: 1300, "pool@1.0": 800, pool: 800 };
  const result = plausibleSweep({ rates, plan: { against, trials: 12 } });
  const { levels } = compare(result);
  for (const { ratios, outcome } of levels) {
    assert.equal(
      ratios.map(({ core, base }) => [core, base]),
      [
        ["reactor", "reactor@1.0"],
        ["pool", "pool@1.0"],
      ],
    );
    assert.equal(outcome, { kind: "not-ranked" });
    const [reactor, pool] = ratios.map(({ byMetric }) => byMetric.requestsPerSecond);
    assert.ok(Math.abs(reactor!.ratio - 1.3) < 0.05, `${reactor!.ratio}`);
    assert.is(pool!.family, 2 * levels.length);
  }
});

test.run();
