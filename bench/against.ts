import { sweepProgress } from "../src/cli/progress.js";
import { writeReport } from "../src/harness/report/files/write.js";
import { ratio as ratioText } from "../src/harness/report/format.js";
import { table } from "../src/harness/report/markdown.js";
import { metrics } from "../src/harness/report/metrics.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { checkTargets } from "../src/harness/sweep/check.js";
import { readyVersion } from "../src/harness/sweep/other-version.js";
import { pinningFacts, resolvePinning } from "../src/harness/sweep/pinning.js";
import { otherName, withOtherVersion } from "../src/harness/sweep/plan.js";
import type { SweepPlan, SweepResult } from "../src/harness/sweep/result.js";
import { createResultFile } from "../src/harness/sweep/store.js";
import { beginSweep, continueSweep } from "../src/harness/sweep/sweep.js";
import { ranTrials } from "../src/harness/validity/verdict.js";
import { packageRoot } from "../src/shared/package-root.js";

/**
 * What a change of the code did to the hot path, in one go for two pages: both cores of this tree beside those of an earlier commit, as
 * `sweep --against COMMIT` does for one page: `npm run bench -- against COMMIT [TRIALS]`, about six minutes. Writes
 * bench/results/<date>-against-{hello,page}.json with their reports.
 */
const [commit, trialsGiven = "12"] = process.argv.slice(2);
const trials = Number(trialsGiven);
if (commit === undefined || !(trials >= 1)) {
  console.error("name the commit to compare with: npm run bench -- against COMMIT [TRIALS]");
  process.exit(2);
}
const CORES = ["reactor", "pool"];
const CONCURRENCY = 100;
const SEED = 1;
const TRIAL_TIMEOUT_MS = 120_000;
const never = new AbortController().signal;
const { version, serverScript, remove } = await readyVersion(commit, packageRoot, never);

async function measure(name: string, path: string): Promise<SweepResult> {
  const pinning = resolvePinning("auto", { path, handlers: null }, pinningFacts());
  const load = { requests: 200_000, warmupRequests: 100_000, keepAlive: true, handlers: null, workers: 1 };
  const asked: SweepPlan = { ...load, path, cores: CORES, concurrencies: [CONCURRENCY], trials, seed: SEED, pinning };
  const plan = withOtherVersion(asked, version);
  const command = `npm run bench -- against ${commit} ${trials}`;
  const begun = beginSweep(
    { name, command, plan, packageFolder: packageRoot },
    await checkTargets(plan, TRIAL_TIMEOUT_MS, never, serverScript),
  );
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
  return CORES.map((core) => [
    `${core}, GET ${path}`,
    ...shown.map((metric) => {
      const [then, now] = [of(otherName(core, version)).map(metric.of), of(core).map(metric.of)];
      const found = then.length === now.length ? pairedRatio(then, now) : null;
      if (found === null) return "a trial failed";
      const { value, interval } = ratioText(found.ratio, found.interval);
      return `${value} ${interval}`;
    }),
  ]);
}

try {
  const rows = [
    ...rowsOf("/hello", await measure("against-hello", "/hello")),
    ...rowsOf("/", await measure("against-page", "/")),
  ];
  console.log(`\nThis tree ÷ ${version.label}, c=${CONCURRENCY}, with 95% intervals:\n`);
  console.log(table(["", "requests/s", "99% latency", "CPU per request"], rows));
} finally {
  remove();
}
