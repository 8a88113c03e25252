import { sweepProgress } from "../src/cli/progress.js";
import { writeReport } from "../src/harness/report/files/write.js";
import { ratio as ratioText } from "../src/harness/report/format.js";
import { table } from "../src/harness/report/markdown.js";
import { metrics } from "../src/harness/report/metrics.js";
import { pairedRatio } from "../src/harness/statistics/ratio.js";
import { checkTargets } from "../src/harness/sweep/check.js";
import { pinningFacts, resolvePinning } from "../src/harness/sweep/pinning.js";
import type { SweepPlan } from "../src/harness/sweep/result.js";
import { createResultFile } from "../src/harness/sweep/store.js";
import { beginSweep, continueSweep } from "../src/harness/sweep/sweep.js";
import { type ServerScript, serveScript } from "../src/harness/sweep/trial.js";
import { ranTrials } from "../src/harness/validity/verdict.js";
import { packageRoot } from "../src/shared/package-root.js";

/**
 * What µWebSockets.js buys: both cores behind each adapter, in one interleaved sweep on the 1 KiB page: `npm run bench -- adapters [TRIALS]`,
 * about five minutes. (Two sweeps with `--adapter` made one after the other would hold the drift of the machine too.) Writes
 * bench/results/<date>-adapters.json with its report.
 */
const trials = Number(process.argv[2] ?? 12);
const CORES = ["reactor", "reactor on node:http", "pool", "pool on node:http"];
const ON_NODE = / on node:http$/;
const CONCURRENCIES = [10, 100];
const SEED = 1;
const TRIAL_TIMEOUT_MS = 120_000;

const serverScript: ServerScript = (core, plan, iterationsPerMicro) => [
  ...serveScript(core.replace(ON_NODE, ""), plan, iterationsPerMicro),
  `--adapter=${ON_NODE.test(core) ? "node" : "uws"}`,
];

const path = "/";
const plan: SweepPlan = {
  path,
  cores: CORES,
  concurrencies: CONCURRENCIES,
  requests: 50_000,
  warmupRequests: 20_000,
  trials,
  keepAlive: true,
  seed: SEED,
  workers: 1,
  handlers: null,
  pinning: resolvePinning("auto", { path, handlers: null }, pinningFacts()),
};
const never = new AbortController().signal;
const asked = { name: "adapters", command: `npm run bench -- adapters ${trials}`, plan, packageFolder: packageRoot };
const begun = beginSweep(asked, await checkTargets(plan, TRIAL_TIMEOUT_MS, never, serverScript));
const file = await createResultFile(`${packageRoot}/bench/results`, begun);
const progress = sweepProgress(process.stderr);
const result = await continueSweep(file, begun, TRIAL_TIMEOUT_MS, progress, never, undefined, serverScript);
progress.end();
await writeReport(file, `${packageRoot}/reports`);

const shown = metrics.filter(({ key }) => ["requestsPerSecond", "p99Ms", "cpuPerRequestMicros"].includes(key));
const rows = ["reactor", "pool"].flatMap((core) =>
  CONCURRENCIES.map((concurrency) => {
    const of = (name: string) =>
      ranTrials(
        result.trials.filter((trial) => trial.core === name && trial.concurrency === concurrency),
        true,
      ).toSorted((a, b) => a.block - b.block);
    return [
      `${core}, c=${concurrency}`,
      ...shown.map((metric) => {
        const [uws, node] = [of(core).map(metric.of), of(`${core} on node:http`).map(metric.of)];
        const found = uws.length === node.length ? pairedRatio(node, uws) : null;
        if (found === null) return "a trial failed";
        const { value, interval } = ratioText(found.ratio, found.interval);
        return `${value} ${interval}`;
      }),
    ];
  }),
);
console.log("\nBehind µWS ÷ behind node:http, with 95% intervals:\n");
console.log(table(["", "requests/s", "99% latency", "CPU per request"], rows));
