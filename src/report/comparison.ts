import { failedRequests } from "../statistics/accounts.js";
import type { Verdict } from "../statistics/findings.js";
import type { Interval } from "../statistics/interval.js";
import { median, medianInterval } from "../statistics/median.js";
import { excludesOne, pairedRatio, type Ratio } from "../statistics/ratio.js";
import type { RanTrial } from "../statistics/saturation.js";
import { ranTrials, verdictOf } from "../statistics/verdict.js";
import type { SweepResult, TrialResult } from "../sweep/result.js";
import { type Metric, type MetricKey, metrics } from "./metrics.js";

/** A median over trials with its distribution-free 95% interval (null below six trials). */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval | null;
}

/** One core at one concurrency. */
export interface Cell {
  readonly core: string;
  readonly concurrency: number;
  /** Trials that left both accounts. */
  readonly trials: readonly (TrialResult & RanTrial)[];
  readonly verdict: Verdict;
  readonly sentRequests: number;
  readonly failedRequests: number;
  readonly estimates: Readonly<Record<MetricKey, Estimate>>;
}

/** The ratios of one core to the base, by metric; null where a cell is invalid or a value is 0. */
export interface Ratios {
  readonly core: string;
  readonly byMetric: Readonly<Record<MetricKey, Ratio | null>>;
}

/** What the requests per second of one concurrency say. */
type Outcome =
  /** Fewer than two valid cells: nothing to rank. */
  | { readonly kind: "not-ranked" }
  /** Too few trials for an interval. */
  | { readonly kind: "undecided" }
  /** The fastest core and those that cannot be told apart from it. All valid cores: no difference was found. */
  | { readonly kind: "ranked"; readonly fastest: readonly string[] };

/** All cores at one concurrency. */
export interface Level {
  readonly concurrency: number;
  /** In the order of the plan: the base first. */
  readonly cells: readonly Cell[];
  /** One entry per core besides the base. */
  readonly ratios: readonly Ratios[];
  readonly outcome: Outcome;
}

export interface Comparison {
  readonly sweep: SweepResult;
  /** Ascending by concurrency. */
  readonly levels: readonly Level[];
  readonly plannedTrials: number;
}

function byMetric<T>(value: (metric: Metric) => T): Readonly<Record<MetricKey, T>> {
  return Object.fromEntries(metrics.map((metric) => [metric.key, value(metric)])) as Record<MetricKey, T>;
}

function cellOf(sweep: SweepResult, core: string, concurrency: number): Cell {
  const all = sweep.trials.filter((trial) => trial.core === core && trial.concurrency === concurrency);
  const trials = ranTrials(all);
  return {
    core,
    concurrency,
    trials,
    verdict: verdictOf(all, {
      plannedTrials: sweep.plan.trials,
      pinning: sweep.plan.pinning,
      environment: sweep.environment,
    }),
    sentRequests: trials.reduce((sum, { run }) => sum + run.sent, 0),
    failedRequests: trials.reduce((sum, { run }) => sum + failedRequests(run), 0),
    estimates: byMetric((metric) => {
      const values = trials.map(metric.of);
      return { value: median(values), interval: medianInterval(values) };
    }),
  };
}

/** `other` ÷ `base` over the blocks that hold both. */
function ratioOf(metric: Metric, base: Cell, other: Cell, seed: number): Ratio | null {
  if (!base.verdict.valid || !other.verdict.valid) return null;
  const pairs = base.trials.flatMap((trial) => {
    const partner = other.trials.find(({ block }) => block === trial.block);
    return partner === undefined ? [] : [[metric.of(trial), metric.of(partner)] as const];
  });
  return pairedRatio(
    pairs.map(([value]) => value),
    pairs.map(([, value]) => value),
    { seed },
  );
}

function outcomeOf(cells: readonly Cell[], seed: number): Outcome {
  const [speed] = metrics;
  const valid = cells.filter((cell) => cell.verdict.valid);
  if (speed === undefined || valid.length < 2) return { kind: "not-ranked" };
  const value = (cell: Cell): number => cell.estimates.requestsPerSecond.value;
  const leader = valid.reduce((best, cell) => (value(cell) > value(best) ? cell : best));
  const rivals = valid
    .filter((cell) => cell !== leader)
    .map((cell) => ({ cell, ratio: ratioOf(speed, leader, cell, seed) }));
  if (rivals.some(({ ratio }) => ratio === null || ratio.interval === null)) return { kind: "undecided" };
  const level = rivals.filter(({ ratio }) => ratio !== null && !excludesOne(ratio)).map(({ cell }) => cell.core);
  return { kind: "ranked", fastest: [leader.core, ...level] };
}

/** Everything a report says in figures, from the stored result alone. */
export function compare(sweep: SweepResult): Comparison {
  const { plan } = sweep;
  const levels = [...plan.concurrencies]
    .sort((a, b) => a - b)
    .map((concurrency): Level => {
      const cells = plan.cores.map((core) => cellOf(sweep, core, concurrency));
      const [base, ...others] = cells;
      return {
        concurrency,
        cells,
        ratios:
          base === undefined
            ? []
            : others.map((cell) => ({
                core: cell.core,
                byMetric: byMetric((metric) => ratioOf(metric, base, cell, plan.seed)),
              })),
        outcome: outcomeOf(cells, plan.seed),
      };
    });
  return { sweep, levels, plannedTrials: plan.cores.length * plan.concurrencies.length * plan.trials };
}
