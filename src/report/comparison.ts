import { failedRequests } from "../statistics/accounts.js";
import { limits, type Verdict } from "../statistics/findings.js";
import type { Interval } from "../statistics/interval.js";
import { median, medianInterval } from "../statistics/median.js";
import { excludesOne, pairedRatio, type Ratio } from "../statistics/ratio.js";
import type { RanTrial } from "../statistics/saturation.js";
import { ranTrials, verdictOf } from "../statistics/verdict.js";
import type { SweepResult, TrialResult } from "../sweep/result.js";
import { type Metric, type MetricKey, metrics, speed } from "./metrics.js";

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

/** What is known of two speeds when the load generator was the limit of the faster one: the ratio is at most, or at least, this. */
interface SpeedBound {
  readonly side: "at most" | "at least";
  readonly ratio: Ratio;
}

/**
 * The ratios of one core to the base, by metric; null where a cell is invalid (of costs: where it is more than a lower bound of speed) or
 * a value is 0.
 */
export interface Ratios {
  readonly core: string;
  readonly speedBound: SpeedBound | null;
  readonly byMetric: Readonly<Record<MetricKey, Ratio | null>>;
}

/** What the requests per second of one concurrency say. */
type Outcome =
  /** A core is invalid, or there is only one. */
  | { readonly kind: "not-ranked" }
  /** Too few trials for an interval. */
  | { readonly kind: "undecided" }
  /**
   * The fastest core and those that cannot be told apart from it. All cores: no difference was found. `atLeast`: the load generator was
   * the limit of the fastest and of no other, so its lead is at least what was measured.
   */
  | { readonly kind: "ranked"; readonly fastest: readonly string[]; readonly atLeast: boolean };

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
  const stands = ({ verdict }: Cell): boolean => verdict.valid || (metric.cost && verdict.lowerBound);
  return stands(base) && stands(other) ? pairedRatioOf(metric, base, other, seed) : null;
}

function pairedRatioOf(metric: Metric, base: Cell, other: Cell, seed: number): Ratio | null {
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

/** Valid, and no faster generator could have got more out of it: its server was full, or the generator was not nearly so. */
function atCapacity({ verdict }: Cell): boolean {
  return (
    verdict.valid &&
    verdict.warnings.every((warning) => warning.code !== "generator-near-limit" || warning.serverShare >= limits.full)
  );
}

/** Where the generator held back one core alone, and that core still was the faster one, it is faster by at least as much. */
function speedBoundOf(base: Cell, other: Cell, seed: number): SpeedBound | null {
  const ratio = pairedRatioOf(speed, base, other, seed);
  if (ratio === null || !excludesOne(ratio)) return null;
  if (base.verdict.lowerBound && atCapacity(other) && ratio.ratio < 1) return { side: "at most", ratio };
  if (other.verdict.lowerBound && atCapacity(base) && ratio.ratio > 1) return { side: "at least", ratio };
  return null;
}

function outcomeOf(cells: readonly Cell[], seed: number): Outcome {
  const value = (cell: Cell): number => cell.estimates.requestsPerSecond.value;
  const known = cells.filter(({ verdict }) => verdict.valid || verdict.lowerBound);
  const [first, ...more] = known;
  if (first === undefined || known.length < Math.max(2, cells.length)) return { kind: "not-ranked" };
  const leader = more.reduce((best, cell) => (value(cell) > value(best) ? cell : best), first);
  const rivals = cells.filter((cell) => cell !== leader);
  if (cells.some(({ verdict }) => !verdict.valid)) {
    const leads = rivals.every((cell) => speedBoundOf(leader, cell, seed) !== null);
    return leads ? { kind: "ranked", fastest: [leader.core], atLeast: true } : { kind: "not-ranked" };
  }
  const ratios = rivals.map((cell) => ({ core: cell.core, ratio: ratioOf(speed, leader, cell, seed) }));
  if (ratios.some(({ ratio }) => ratio === null || ratio.interval === null)) return { kind: "undecided" };
  const level = ratios.filter(({ ratio }) => ratio !== null && !excludesOne(ratio)).map(({ core }) => core);
  return { kind: "ranked", fastest: [leader.core, ...level], atLeast: false };
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
                speedBound: speedBoundOf(base, cell, plan.seed),
                byMetric: byMetric((metric) => ratioOf(metric, base, cell, plan.seed)),
              })),
        outcome: outcomeOf(cells, plan.seed),
      };
    });
  return { sweep, levels, plannedTrials: plan.cores.length * plan.concurrencies.length * plan.trials };
}
