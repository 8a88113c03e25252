import { existsSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { sweepProgress } from "../src/cli/progress.js";
import { latencyOf } from "../src/harness/drivers/latency.js";
import { Histogram } from "../src/harness/load/histogram/histogram.js";
import { writeReport } from "../src/harness/report/files/write.js";
import { ratio as ratioText, whole } from "../src/harness/report/format.js";
import { table } from "../src/harness/report/markdown.js";
import { speed } from "../src/harness/report/metrics.js";
import { readSweep } from "../src/harness/report/read.js";
import { median } from "../src/harness/statistics/median.js";
import { pairedRatio, type Ratio } from "../src/harness/statistics/ratio.js";
import { checkTargets } from "../src/harness/sweep/check.js";
import { pinningFacts, resolvePinning } from "../src/harness/sweep/pinning.js";
import type { SweepPlan, SweepResult } from "../src/harness/sweep/result.js";
import { createResultFile } from "../src/harness/sweep/store.js";
import { beginSweep, continueSweep } from "../src/harness/sweep/sweep.js";
import { type ServerScript, serveScript } from "../src/harness/sweep/trial.js";
import type { RanTrial } from "../src/harness/validity/saturation.js";
import { ranTrials } from "../src/harness/validity/verdict.js";
import { packageRoot } from "../src/shared/package-root.js";

/**
 * What the pool is to be: reactor, pool and piscina (behind the same adapter, with the same handlers) over three handlers, as sweeps like any
 * other: `npm run bench -- pool [TRIALS]`, about ten minutes. Writes bench/results/<date>-pool-{hello,mixed,cpu}.json with their reports,
 * and reports/<date>-pool.md, which holds them against the bars below. Exits 1 where a bar is missed. `npm run bench -- pool DATE` makes the last of
 * these again, from the stored results of that date.
 */
const [asked = "8"] = process.argv.slice(2);
/** null: to be measured. */
const storedDate = /^\d{4}-\d\d-\d\d$/.test(asked) ? asked : null;
const TRIALS = Number(asked);
const CORES = ["reactor", "pool", "piscina"] as const;
const SEED = 1;
const TRIAL_TIMEOUT_MS = 120_000;

/** A figure of one trial, and what it is called. */
interface Figure {
  readonly name: string;
  readonly of: (trial: RanTrial) => number;
}

const requestsPerSecond: Figure = { name: "requests/s", of: speed.of };
const p99: Figure = {
  name: "p99",
  of: ({ run }) => latencyOf(run.latency.total).valueAtPercentile(99),
};
/** /mixed answers "fast" or "slow". */
const fastP99: Figure = {
  name: "p99 of the fast",
  of: ({ run }) => Histogram.fromStored(run.totalByFirstByte["f"]!).valueAtPercentile(99),
};

/** The pool's figure ÷ that of another core at one concurrency, and the limit it is to keep. */
interface Bar {
  readonly figure: Figure;
  readonly base: (typeof CORES)[number];
  readonly concurrency: number;
  readonly side: "at least" | "at most";
  readonly limit: number;
}

const bar = (
  figure: Figure,
  base: Bar["base"],
  side: Bar["side"],
  limit: number,
  concurrencies: readonly number[],
): readonly Bar[] => concurrencies.map((concurrency) => ({ figure, base, concurrency, side, limit }));

interface Workload {
  readonly name: string;
  readonly path: string;
  readonly concurrencies: readonly number[];
  readonly workers: number;
  readonly requests: number;
  readonly warmupRequests: number;
  /** piscina's best of 1, 2 and 8 for this handler, by requests/s. */
  readonly piscinaTasksPerWorker: number;
  readonly bars: readonly Bar[];
}

const workloads: readonly Workload[] = [
  {
    name: "pool-hello",
    path: "/hello",
    concurrencies: [10, 100, 450],
    workers: 1,
    requests: 100_000,
    warmupRequests: 40_000,
    piscinaTasksPerWorker: 1,
    bars: [
      ...bar(requestsPerSecond, "reactor", "at least", 0.9, [100, 450]),
      ...bar(requestsPerSecond, "piscina", "at least", 1.8, [10]),
      ...bar(requestsPerSecond, "piscina", "at least", 3, [100, 450]),
    ],
  },
  {
    name: "pool-mixed",
    path: "/mixed?slow=0.05&us=10000",
    concurrencies: [100, 450],
    workers: 2,
    requests: 4000,
    warmupRequests: 1000,
    piscinaTasksPerWorker: 8,
    bars: [
      ...bar(requestsPerSecond, "reactor", "at least", 1.85, [100, 450]),
      ...bar(fastP99, "reactor", "at most", 0.5, [100, 450]),
    ],
  },
  {
    name: "pool-cpu",
    path: "/cpu?us=1000",
    concurrencies: [10, 100, 450],
    workers: 2,
    requests: 2500,
    warmupRequests: 600,
    piscinaTasksPerWorker: 8,
    bars: [
      ...bar(requestsPerSecond, "reactor", "at least", 1.8, [10, 100, 450]),
      ...bar(p99, "piscina", "at most", 0.8, [10, 100, 450]),
    ],
  },
];

const piscinaServer = fileURLToPath(new URL("./piscina/piscina-server.js", import.meta.url));

function serverScript({ piscinaTasksPerWorker }: Workload): ServerScript {
  return (core, plan, iterationsPerMicro) =>
    core !== "piscina"
      ? serveScript(core, plan, iterationsPerMicro)
      : [
          piscinaServer,
          `--workers=${plan.workers}`,
          `--iterations-per-us=${iterationsPerMicro}`,
          `--tasks-per-worker=${piscinaTasksPerWorker}`,
        ];
}

async function measure(workload: Workload): Promise<{ readonly file: string; readonly result: SweepResult }> {
  const { name, path, concurrencies, workers, requests, warmupRequests } = workload;
  const pinning = resolvePinning("auto", { path, handlers: null }, pinningFacts());
  const load = { path, concurrencies, requests, warmupRequests, keepAlive: true, handlers: null };
  const plan: SweepPlan = { ...load, cores: CORES, trials: TRIALS, seed: SEED, workers, pinning };
  const command = `npm run bench -- pool ${TRIALS}`;
  const never = new AbortController().signal;
  const script = serverScript(workload);
  const checked = await checkTargets(plan, TRIAL_TIMEOUT_MS, never, script);
  const begun = beginSweep({ name, command, plan, packageFolder: packageRoot }, checked);
  const file = await createResultFile(`${packageRoot}/bench/results`, begun);
  const progress = sweepProgress(process.stderr);
  try {
    return { file, result: await continueSweep(file, begun, TRIAL_TIMEOUT_MS, progress, never, undefined, script) };
  } finally {
    progress.end();
  }
}

/** The paired ratio of a bar; null where a trial failed. */
function held({ figure, base, concurrency }: Bar, result: SweepResult): Ratio | null {
  const of = (core: string) =>
    ranTrials(
      result.trials.filter((trial) => trial.core === core && trial.concurrency === concurrency),
      true,
    )
      .toSorted((a, b) => a.block - b.block)
      .map(figure.of);
  const [bases, pools] = [of(base), of("pool")];
  const { trials } = result.plan;
  return bases.length === trials && pools.length === trials ? pairedRatio(bases, pools) : null;
}

const rows: string[][] = [];
const rates: string[][] = [];
let missed = 0;
let date = "";
let trials = TRIALS;
for (const workload of workloads) {
  const stored = `${packageRoot}/bench/results/${storedDate}-${workload.name}.json`;
  const { file, result } =
    storedDate === null ? await measure(workload) : { file: stored, result: await readSweep(stored) };
  date = result.startedAt.slice(0, 10);
  trials = result.plan.trials;
  const written = storedDate === null ? (await writeReport(file, `${packageRoot}/reports`)).markdownPath : null;
  const where = `[${workload.path}](${basename(written ?? `${storedDate}-${workload.name}.md`)})`;
  for (const concurrency of workload.concurrencies) {
    const medians = CORES.map((core) => {
      const cell = result.trials.filter((trial) => trial.core === core && trial.concurrency === concurrency);
      return whole(median(ranTrials(cell, true).map(requestsPerSecond.of)));
    });
    rates.push([where, String(concurrency), ...medians]);
  }
  for (const one of workload.bars) {
    const { figure, base, concurrency, side, limit } = one;
    const found = held(one, result);
    const met = found !== null && (side === "at least" ? found.ratio >= limit : found.ratio <= limit);
    if (!met) missed++;
    const { value, interval } =
      found === null ? { value: "none", interval: "" } : ratioText(found.ratio, found.interval);
    rows.push([
      `${workload.path}, c=${concurrency}: ${figure.name}, pool ÷ ${base}`,
      `${value} ${interval}`,
      `${side} ${limit}`,
      met ? "met" : "missed",
    ]);
  }
}

const text = `# The pool beside the reactor and piscina

Requests per second, medians over ${trials} trials; each handler is one interleaved run, whose own report has the rest:

${table(["handler", "c", ...CORES], rates)}

Ratios over pairs from one block with their 95% interval, and what they are to be:

${table(["what", "ratio", "bar", ""], rows)}

piscina runs behind the same adapter with the same handlers and queue, with \`atomics: "sync"\` and the number of tasks per worker that serves this
handler best (bench/pool-claims.ts). /hello is pinned, one worker; /mixed and /cpu are not, two workers. Made by \`npm run bench -- pool ${trials}\`.
`;
const base = `${packageRoot}/reports/${date}-pool`;
let report = `${base}.md`;
for (let n = 2; storedDate === null && existsSync(report); n++) report = `${base}-${n}.md`;
writeFileSync(report, text);
console.log(`${text}\nReport: ${report}`);
if (missed > 0) process.exitCode = 1;
