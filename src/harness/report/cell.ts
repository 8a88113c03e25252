import type { Interval } from "../statistics/interval.js";
import { median, medianInterval } from "../statistics/median.js";
import { sharesCpus } from "../sweep/pinning.js";
import { isOurs, isSameLoad, type Load, planUnder } from "../sweep/plan.js";
import type { Pinning, SweepResult, TrialResult } from "../sweep/result.js";
import { failedRequests } from "../validity/accounting.js";
import { thresholds, type Verdict, type Warning } from "../validity/diagnostics.js";
import type { RanTrial } from "../validity/saturation.js";
import { ranTrials, verdictOf } from "../validity/verdict.js";
import { type Metric, type MetricKey, metrics, type RankedLoad } from "./metrics.js";

/** A median over trials with its distribution-free 95% interval (null below six trials). */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval | null;
}

/** One core under one load. */
export interface Cell extends RankedLoad {
  readonly core: string;
  /** Trials that left their accounts. */
  readonly trials: readonly (TrialResult & RanTrial)[];
  readonly verdict: Verdict;
  readonly sentRequests: number;
  readonly failedRequests: number;
  readonly estimates: Readonly<Record<MetricKey, Estimate>>;
}

export function byMetric<T>(value: (metric: Metric) => T): Readonly<Record<MetricKey, T>> {
  return Object.fromEntries(metrics.map((metric) => [metric.key, value(metric)])) as Record<MetricKey, T>;
}

export function cellOf(sweep: SweepResult, core: string, load: Load): Cell {
  const { concurrency, rate, serverCpus } = load;
  const all = sweep.trials.filter((trial) => trial.core === core && isSameLoad(trial, load));
  const ours = isOurs(sweep.plan, core);
  const trials = ranTrials(all, ours);
  const { pinning } = planUnder(sweep.plan, load);
  const verdict = verdictOf(all, { plannedTrials: sweep.plan.trials, pinning, environment: sweep.environment, ours });
  return {
    core,
    concurrency,
    rate,
    ...(serverCpus === undefined ? {} : { serverCpus }),
    trials,
    verdict: { ...verdict, warnings: [...verdict.warnings, ...sharing(trials, pinning, load)] },
    sentRequests: trials.reduce((sum, { run }) => sum + run.sent, 0),
    failedRequests: trials.reduce((sum, { run }) => sum + failedRequests(run), 0),
    estimates: byMetric((metric) => {
      const values = trials.map(metric.of).filter((value) => !Number.isNaN(value));
      return { value: median(values), interval: medianInterval(values) };
    }),
  };
}

/** CPUs that the load generator kept busy, on average. */
export function generatorCpus(trials: Cell["trials"]): number {
  return median(trials.map(({ run }) => run.generator.cpuShare ?? 0));
}

/** Where the CPUs vary a cell says that the load generator had none of its own; with full CPUs it says so anyway. */
function sharing(trials: Cell["trials"], pinning: Pinning, { serverCpus }: Load): readonly Warning[] {
  if (serverCpus === undefined || trials.length === 0 || !sharesCpus(pinning)) return [];
  return [{ code: "generator-on-server-cpus", cpus: serverCpus, generatorCpus: generatorCpus(trials) }];
}

/** May this metric of the cell be compared? Costs also where the load generator was the limit of the speed. */
export function stands({ verdict }: Cell, metric: Metric): boolean {
  return verdict.valid || (metric.cost && verdict.lowerBound);
}

/** Valid, and no faster generator could have got more out of it: its server was full, or the generator was not nearly so. */
export function atCapacity({ verdict }: Cell): boolean {
  return (
    verdict.valid &&
    verdict.warnings.every(
      (warning) => warning.code !== "generator-near-limit" || (warning.serverShare ?? 0) >= thresholds.full,
    )
  );
}

/** The values of a metric in the trials of two cells that share a block: base and other. */
export function paired(metric: Metric, base: Cell, other: Cell): readonly [readonly number[], readonly number[]] {
  const pairs = base.trials.flatMap((trial) => {
    const partner = other.trials.find(({ block }) => block === trial.block);
    return partner === undefined ? [] : [[metric.of(trial), metric.of(partner)] as const];
  });
  return [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
}
