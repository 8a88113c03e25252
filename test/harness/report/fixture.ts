import { Histogram, type StoredHistogram } from "../../../src/harness/load/histogram/histogram.js";
import { noErrors, type OpenLoopResult, type RunResult } from "../../../src/harness/load/result/run-result.js";
import { type Random, seededRandom } from "../../../src/harness/statistics/random.js";
import { coreOf, loadsOf, targetsOf } from "../../../src/harness/sweep/plan.js";
import type { SweepPlan, SweepResult, TrialResult } from "../../../src/harness/sweep/result.js";

/** Requests per second of a core at a concurrency, before noise. */
type Rates = Readonly<Record<string, number>>;

export interface FixtureOptions {
  readonly rates: Rates;
  readonly plan?: Partial<SweepPlan>;
  /** Standard deviation of the log of a trial's rate. */
  readonly noise?: number;
  readonly seed?: number;
  /** How many times its rate a core has on so many CPUs. */
  readonly gain?: (core: string, serverCpus: number) => number;
  /** CPUs that the load generator keeps busy. */
  readonly generatorCpus?: number;
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A trial whose books add up: as many latencies as requests, and a mean that keeps Little's law at 97% occupancy. */
function plausibleTrial(
  random: Random,
  plan: SweepPlan,
  core: string,
  concurrency: number,
  block: number,
  rate: number,
  asked: number | null,
  generatorCpus: number,
): TrialResult {
  const requests = asked === null ? plan.requests : Math.round(asked * (plan.openLoop?.seconds ?? 1));
  const elapsedSeconds = requests / (asked ?? rate);
  const shape = Array.from({ length: requests }, () => Math.exp(0.3 * normal(random)));
  // In an open loop the waiting time of a server that serves one after the other (M/M/1).
  const meanNs = asked === null ? (0.97 * 1e9 * concurrency * elapsedSeconds) / requests : 1e9 / (rate - asked);
  const scale = (meanNs * requests) / shape.reduce((sum, value) => sum + value, 0);
  const histogram = new Histogram();
  for (const value of shape) histogram.record(Math.round(value * scale));
  const total = histogram.toStored();
  const cpuMicros = elapsedSeconds * 1e6 * 0.97;
  return {
    core,
    concurrency,
    rate: asked,
    block,
    startedAt: "2026-01-02T03:04:05.000Z",
    failure: null,
    run: {
      url: `http://127.0.0.1:9090${plan.path}`,
      host: "127.0.0.1",
      port: 9090,
      path: plan.path,
      loop: asked === null ? "closed" : "open",
      ...(asked === null ? {} : { openLoop: onSchedule(asked, total) }),
      concurrency,
      keepAlive: plan.keepAlive,
      requested: requests,
      sent: requests,
      completed: requests,
      errors: noErrors(),
      statusCounts: { "200": requests },
      keepAliveResponses: plan.keepAlive ? requests : 0,
      peakConnections: concurrency,
      serverSoftware: "uWebSockets: 20",
      documentBytes: 1024,
      totalBytes: requests * 1200,
      bodyBytes: requests * 1024,
      elapsedSeconds,
      startedAt: "2026-01-02T03:04:05.000Z",
      latency: { connect: total, processing: total, waiting: total, total },
      totalByFirstByte: {},
      generator: {
        cpuUserMicros: cpuMicros * 0.4,
        cpuSystemMicros: cpuMicros * 0.2,
        cpuShare: generatorCpus,
        eventLoopUtilization: 0.6,
        eventLoopDelayMaxMs: 3,
      },
    },
    server: {
      requests,
      shed: 0,
      handlerErrors: 0,
      aborted: 0,
      cpuUserMicros: cpuMicros * 0.7,
      cpuSystemMicros: cpuMicros * 0.3,
      elapsedMicros: elapsedSeconds * 1e6 + 120_000,
      peakRssBytes: Math.round((60 + random()) * 2 ** 20),
      eventLoopUtilization: (0.98 * elapsedSeconds) / (elapsedSeconds + 0.12),
      eventLoopDelayMaxMs: 4,
      phases: { wait: 12, handler: 3, back: 7, write: 5 },
    },
  };
}

/** An open loop that was a hundredth of its latencies late. */
function onSchedule(rate: number, total: StoredHistogram): OpenLoopResult {
  const late = new Histogram();
  const latencies = Histogram.fromStored(total);
  for (let request = 0; request < total.count; request++) late.record(latencies.min / 100);
  const lag = late.toStored();
  return { rate, achievedRate: rate, lag, pacing: lag };
}

/** A finished sweep of plausible trials: the cores of `rates` in their order, all blocks sharing their drift. */
export function plausibleSweep({
  rates,
  plan: changes = {},
  noise = 0.01,
  seed = 1,
  gain = () => 1,
  generatorCpus = 0.6,
}: FixtureOptions): SweepResult {
  const random = seededRandom(seed);
  const plan: SweepPlan = {
    cores: Object.keys(rates),
    concurrencies: [10, 100, 250, 450],
    requests: 1000,
    warmupRequests: 100,
    // As few as can show a difference between two cores at four concurrencies is 8, between three 9.
    trials: 10,
    path: "/",
    keepAlive: true,
    seed: 1,
    workers: 1,
    handlers: null,
    pinning: { server: "0", generator: "1", reason: "Server and generator had a CPU each." },
    ...changes,
  };
  const trials: TrialResult[] = [];
  for (let block = 0; block < plan.trials; block++) {
    for (const { concurrency, rate: asked, serverCpus } of loadsOf(plan)) {
      const drift = Math.exp(0.05 * normal(random));
      for (const core of targetsOf(plan)) {
        const usual = (rates[coreOf(plan, core)] ?? 0) * gain(core, serverCpus ?? 1);
        const rate = usual * drift * Math.exp(noise * normal(random));
        const trial = plausibleTrial(random, plan, core, concurrency, block, rate, asked, generatorCpus);
        trials.push({ ...trial, ...(serverCpus === undefined ? {} : { serverCpus }) });
      }
    }
  }
  return {
    schema: "loopool-sweep/3",
    name: "cores",
    command: "npm run sweep -- --seed 1",
    startedAt: "2026-01-02T03:00:00.000Z",
    finishedAt: "2026-01-02T03:05:00.000Z",
    plan,
    environment: {
      cpuModel: "Example CPU @ 2.50GHz",
      cores: 2,
      memoryBytes: 4 * 2 ** 30,
      platform: "linux x64",
      kernel: "6.1.0",
      node: "20.20.2",
      v8: "11.3",
      uv: "1.46",
      uws: "20.51.0",
      loopool: "0.1.0",
      commit: "0123abc",
      openFilesLimit: 1024,
      loadAverage: 0.1,
      iterationsPerMicro: 500,
    },
    trials,
  };
}

type Ran = TrialResult & { readonly run: RunResult; readonly server: NonNullable<TrialResult["server"]> };

/** What our own generator found in a trial: that of every trial made here. */
export function ownRun({ run }: TrialResult): RunResult {
  return run as RunResult;
}

/** The sweep with the trials of one cell changed; `only` picks blocks. */
export function withCell(
  sweep: SweepResult,
  core: string,
  concurrency: number,
  change: (trial: Ran) => Partial<TrialResult>,
  only: (block: number) => boolean = () => true,
): SweepResult {
  return {
    ...sweep,
    trials: sweep.trials.map((trial) =>
      trial.core === core && trial.concurrency === concurrency && only(trial.block)
        ? { ...trial, ...change(trial as Ran) }
        : trial,
    ),
  };
}

/** An error storm: nine of ten requests are errors, which come back a hundred times as fast. */
export function errorStorm({ run, server }: Ran): Partial<TrialResult> {
  const failed = run.requested * 0.9;
  const completed = run.requested - failed;
  const shortened = new Histogram();
  for (let request = 0; request < completed; request++) shortened.record(run.latency.total.min);
  return {
    run: {
      ...run,
      completed,
      errors: { ...run.errors, "unexpected-status": failed },
      statusCounts: { "200": completed, "503": failed },
      elapsedSeconds: run.elapsedSeconds / 100,
      latency: { ...run.latency, total: shortened.toStored() },
    },
    server: { ...server, shed: failed },
  };
}

/** The generator full at `generatorShare`, the server busy for 70% of the window. */
function served({ run, server }: Ran, generatorShare: number): Partial<TrialResult> {
  const busyMicros = 0.7 * run.elapsedSeconds * 1e6;
  return {
    run: { ...run, generator: { ...run.generator, cpuShare: generatorShare } },
    server: {
      ...server,
      cpuUserMicros: busyMicros,
      cpuSystemMicros: 0,
      eventLoopUtilization: busyMicros / server.elapsedMicros,
    },
  };
}

/** The generator was the limit, and nothing else is wrong. */
export const generatorLimited = (trial: Ran): Partial<TrialResult> => served(trial, 0.97);

/** Valid, but neither side was full and the generator nearly so. */
export const nearLimit = (trial: Ran): Partial<TrialResult> => served(trial, 0.85);
