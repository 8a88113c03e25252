import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { RunResult } from "../src/harness/load/result/run-result.js";
import { table } from "../src/harness/report/markdown.js";
import { tBeyond } from "../src/harness/statistics/student-t.js";
import { packageRoot } from "../src/shared/package-root.js";
import { output, twoCpus, withServer } from "./processes.js";

/**
 * Does an open loop measure the waits that queueing theory says? `npm run bench -- queueing [--seconds 10] [--trials 10] [--mean-us 500] [--dist exp]
 * [--load 0.9]`. Requests come at random to a server whose service times are fixed (M/D/1) or exponential (M/M/1), at 50, 70, 80 and 90% of its
 * capacity; the higher the load the longer a trial, since a queue then remembers for longer. The mean wait is compared with Pollaczek and
 * Khinchine's, from what the server measured in the same trial. Only means: the kernel does not hand out requests in the order they came.
 * Writes bench/results/<date>-queueing.json, prints the table of docs/measuring.md, and exits 1 where a bar is missed.
 */
const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    trials: { type: "string", default: "10" },
    "mean-us": { type: "string", default: "500" },
    dist: { type: "string" },
    load: { type: "string" },
  },
});
const [seconds, trials, meanMicros] = [flags.seconds, flags.trials, flags["mean-us"]].map((text) => {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`"${text}": give a number above 0`);
  return value;
}) as [number, number, number];

/** Half the width of the interval of measured ÷ theory must be no more than this. */
const HALF_WIDTH = 0.1;
/** Load, and how many times `seconds` a trial is. */
const loads = (
  [
    [0.5, 1],
    [0.7, 1],
    [0.8, 2],
    [0.9, 4],
  ] as const
).filter(([load]) => flags.load === undefined || load === Number(flags.load));
const distributions = (["fixed", "exp"] as const).filter((dist) => flags.dist === undefined || dist === flags.dist);
const models = { fixed: "M/D/1", exp: "M/M/1" } as const;

/** What the server measured since it was asked before. */
interface ServerSums {
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly activeMs: number;
  readonly idleMs: number;
}

interface Trial {
  readonly dist: (typeof distributions)[number];
  readonly load: number;
  readonly rate: number;
  readonly requests: number;
  /** Share of the time in which the server's event loop was busy. */
  readonly utilization: number;
  readonly meanServiceMs: number;
  /** Squared coefficient of variation of the service time: E[S²] ÷ E[S]² − 1. */
  readonly variation: number;
  readonly meanLatencyMs: number;
  /** How late the generator itself was on average; not the server's. */
  readonly meanLagMs: number;
  readonly waitMs: number;
  readonly theoryMs: number;
}

const commandLine = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const fixture = fileURLToPath(new URL("./fixtures/service-time-server.js", import.meta.url));
const pinning = twoCpus();
const startedAt = new Date().toISOString();
const found: Trial[] = [];

for (const dist of distributions) {
  const command = [process.execPath, fixture, "--dist", dist, "--mean-us", String(meanMicros), "--seed", "7"];
  await withServer(pinning.server, command, async (port) => {
    const url = `http://127.0.0.1:${port}`;
    // One connection in a closed loop: a request never waits. What its latency has beside the service is on the way.
    const alone = await trialOf(url, ["-c", "1", "-t", "3", "--warmup", "2s"]);
    const wayMs = meanOf(alone.run) - alone.server.sum / alone.server.count;
    const capacity = (1000 * alone.server.count) / alone.server.activeMs;
    for (let trial = 0; trial < trials; trial++) {
      for (const [load, times] of loads) {
        const rate = Math.round(load * capacity);
        const seed = 1 + trial + Math.round(1000 * load);
        const length = ["-R", String(rate), "-t", String(seconds * times), "--seed", String(seed)];
        found.push(judged(dist, load, rate, wayMs, await trialOf(url, length)));
      }
    }
  });
}

const rows = distributions.flatMap((dist) => loads.map(([load]) => rowOf(dist, load)));
const text = table(
  ["mean wait, ms", "load measured", "requests", "theory", "measured", "measured ÷ theory", "half-width", "met"],
  rows.map((row) => [
    `${models[row.dist]}, ${row.load * 100}%`,
    `${(row.utilization * 100).toFixed(1)}%`,
    row.requests.toLocaleString("en-US"),
    row.theoryMs.toFixed(3),
    row.waitMs.toFixed(3),
    `${row.ratio.toFixed(3)} [${row.low.toFixed(3)}, ${row.high.toFixed(3)}]`,
    `${(row.halfWidth * 100).toFixed(1)}%`,
    row.met ? "yes" : "NO",
  ]),
);
console.log(text);
const file = resultFile();
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(stored())}\n`);
console.log(`\nResult: ${file}`);
if (rows.some(({ met }) => !met)) process.exitCode = 1;

/** One run of the load generator, and what the server measured meanwhile. */
async function trialOf(url: string, args: readonly string[]): Promise<{ run: RunResult; server: ServerSums }> {
  const command = [process.execPath, commandLine, "load", "--json", ...args, `${url}/`];
  await statsOf(url);
  const run = JSON.parse(await output(pinning.generator, command)) as RunResult;
  return { run, server: await statsOf(url) };
}

async function statsOf(url: string): Promise<ServerSums> {
  return (await (await fetch(`${url}/stats`)).json()) as ServerSums;
}

function meanOf({ latency: { total } }: RunResult): number {
  return total.sum / total.count / 1e6;
}

/**
 * Pollaczek and Khinchine: the mean wait is λ E[S²] ÷ 2 (1 − ρ), with ρ = λ E[S]. S is the time in which the event loop was busy per request: what the
 * handler measured, and what HTTP adds to it, which is taken to be the same for all.
 */
function judged(
  dist: Trial["dist"],
  load: number,
  rate: number,
  wayMs: number,
  { run, server }: { readonly run: RunResult; readonly server: ServerSums },
): Trial {
  const handlerMs = server.sum / server.count;
  const meanServiceMs = server.activeMs / server.count;
  const added = meanServiceMs - handlerMs;
  const squares = server.sumOfSquares / server.count + 2 * added * handlerMs + added * added;
  const perMs = run.openLoop!.lag.count / (run.window!.seconds * 1000);
  const utilization = perMs * meanServiceMs;
  const { lag } = run.openLoop!;
  const meanLagMs = lag.sum / lag.count / 1e6;
  const meanLatencyMs = meanOf(run);
  return {
    dist,
    load,
    rate,
    requests: run.completed,
    utilization,
    meanServiceMs,
    variation: squares / meanServiceMs ** 2 - 1,
    meanLatencyMs,
    meanLagMs,
    waitMs: meanLatencyMs - meanLagMs - handlerMs - wayMs,
    theoryMs: (perMs * squares) / (2 * (1 - utilization)),
  };
}

/** The trials of a cell: mean of measured ÷ theory with Student's 95% interval. */
function rowOf(dist: Trial["dist"], load: number) {
  const own = found.filter((trial) => trial.dist === dist && trial.load === load);
  const mean = (of: (trial: Trial) => number): number => own.reduce((sum, trial) => sum + of(trial), 0) / own.length;
  const ratio = mean(({ waitMs, theoryMs }) => waitMs / theoryMs);
  const variance = own.reduce((sum, trial) => sum + (trial.waitMs / trial.theoryMs - ratio) ** 2, 0) / (own.length - 1);
  const halfWidth = own.length < 2 ? Number.NaN : tBeyond(0.05, own.length - 1) * Math.sqrt(variance / own.length);
  const [low, high] = [ratio - halfWidth, ratio + halfWidth];
  return {
    dist,
    load,
    utilization: mean((trial) => trial.utilization),
    requests: own.reduce((sum, { requests }) => sum + requests, 0),
    theoryMs: mean(({ theoryMs }) => theoryMs),
    waitMs: mean(({ waitMs }) => waitMs),
    ratio,
    low,
    high,
    halfWidth,
    met: halfWidth <= HALF_WIDTH && low <= 1 && high >= 1,
  };
}

function stored() {
  return {
    schema: "loopool-queueing/1",
    command: `node dist/bench/queueing.js --seconds ${seconds} --trials ${trials} --mean-us ${meanMicros}`,
    startedAt,
    environment: {
      cpuModel: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      kernel: release(),
      node: process.versions.node,
      pinning,
    },
    rows,
    trials: found,
  };
}

/** A name that is free: no earlier result is overwritten. */
function resultFile(): string {
  const base = `${packageRoot}/bench/results/${startedAt.slice(0, 10)}-queueing`;
  for (let count = 1; ; count++) {
    const name = `${base}${count === 1 ? "" : `-${count}`}.json`;
    if (!existsSync(name)) return name;
  }
}
