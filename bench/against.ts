import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sweepProgress } from "../src/cli/progress.js";
import { writeReport } from "../src/harness/report/files/write.js";
import { ratio as ratioText } from "../src/harness/report/format.js";
import { table } from "../src/harness/report/markdown.js";
import { metrics } from "../src/harness/report/metrics.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { checkTargets } from "../src/harness/sweep/check.js";
import { pinningFacts, resolvePinning } from "../src/harness/sweep/pinning.js";
import type { SweepPlan, SweepResult } from "../src/harness/sweep/result.js";
import { createResultFile } from "../src/harness/sweep/store.js";
import { beginSweep, continueSweep } from "../src/harness/sweep/sweep.js";
import { type ServerScript, serveScript } from "../src/harness/sweep/trial.js";
import { ranTrials } from "../src/harness/validity/verdict.js";
import { packageRoot } from "../src/shared/package-root.js";

/**
 * What a change of the code did to the hot path: both cores of this tree beside those of an earlier commit, in one interleaved sweep for each
 * of two pages: `npm run bench -- against COMMIT [TRIALS]`, about six minutes. Two sweeps made one after the other (`report A B`) would hold
 * the drift of the machine too. Builds the commit in a temporary folder with the packages of this tree; writes
 * bench/results/<date>-against-{hello,page}.json with their reports.
 */
const [commit, trialsGiven = "12"] = process.argv.slice(2);
const trials = Number(trialsGiven);
if (commit === undefined || !(trials >= 1)) {
  console.error("name the commit to compare with: npm run bench -- against COMMIT [TRIALS]");
  process.exit(2);
}
const CORES = ["reactor before", "reactor", "pool before", "pool"];
const BEFORE = / before$/;
const CONCURRENCY = 100;
const SEED = 1;
const TRIAL_TIMEOUT_MS = 120_000;

const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-C", packageRoot, ...args], { encoding: "utf8" }).trim();

const before = mkdtempSync(join(tmpdir(), "loopool-before-"));
const serverScript: ServerScript = (core, plan, iterationsPerMicro) => {
  const [script = "", ...flags] = serveScript(core.replace(BEFORE, ""), plan, iterationsPerMicro);
  return [BEFORE.test(core) ? script.replace(packageRoot, join(before, "tree")) : script, ...flags];
};

async function measure(name: string, path: string): Promise<SweepResult> {
  const pinning = resolvePinning("auto", { path, handlers: null }, pinningFacts());
  const load = { requests: 200_000, warmupRequests: 100_000, keepAlive: true, handlers: null, workers: 1 };
  const plan: SweepPlan = { ...load, path, cores: CORES, concurrencies: [CONCURRENCY], trials, seed: SEED, pinning };
  const never = new AbortController().signal;
  const command = `npm run bench -- against ${commit} ${trials}`;
  const asked = { name, command, plan, packageFolder: packageRoot };
  const begun = beginSweep(asked, await checkTargets(plan, TRIAL_TIMEOUT_MS, never, serverScript));
  const file = await createResultFile(`${packageRoot}/bench/results`, begun);
  const progress = sweepProgress(process.stderr);
  try {
    return await continueSweep(file, begun, TRIAL_TIMEOUT_MS, progress, never, undefined, serverScript);
  } finally {
    progress.end();
    await writeReport(file, `${packageRoot}/reports`);
  }
}

function rowsOf(path: string, { trials: ran }: SweepResult): readonly (readonly string[])[] {
  const shown = metrics.filter(({ key }) => ["requestsPerSecond", "p99Ms", "cpuPerRequestMicros"].includes(key));
  const of = (core: string) =>
    ranTrials(
      ran.filter((trial) => trial.core === core),
      true,
    ).toSorted((a, b) => a.block - b.block);
  return ["reactor", "pool"].map((core) => [
    `${core}, GET ${path}`,
    ...shown.map((metric) => {
      const [then, now] = [of(`${core} before`).map(metric.of), of(core).map(metric.of)];
      const found = then.length === now.length ? pairedRatio(then, now) : null;
      if (found === null) return "a trial failed";
      const { value, interval } = ratioText(found.ratio, found.interval);
      return `${value} ${interval}`;
    }),
  ]);
}

try {
  git("worktree", "add", "--quiet", "--detach", join(before, "tree"), commit);
  symlinkSync(join(packageRoot, "node_modules"), join(before, "tree", "node_modules"));
  execFileSync(join(packageRoot, "node_modules/.bin/tsc"), ["--project", "."], { cwd: join(before, "tree") });
  const rows = [
    ...rowsOf("/hello", await measure("against-hello", "/hello")),
    ...rowsOf("/", await measure("against-page", "/")),
  ];
  console.log(`\nThis tree ÷ ${git("rev-parse", "--short", commit)}, c=${CONCURRENCY}, with 95% intervals:\n`);
  console.log(table(["", "requests/s", "99% latency", "CPU per request"], rows));
} finally {
  git("worktree", "remove", "--force", join(before, "tree"));
  rmSync(before, { recursive: true, force: true });
}
