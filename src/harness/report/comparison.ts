import { type Difference, isCalled, judge, pairedTest, type TestResult } from "../statistics/difference.js";
import type { NoiseFloor } from "../statistics/noise-floor.js";
import { sharesCpus } from "../sweep/pinning.js";
import { baseOf, isSameLoad, type Load, loadsOf, planTrials, planUnder } from "../sweep/plan.js";
import type { SweepPlan, SweepResult } from "../sweep/result.js";
import { thresholds } from "../validity/diagnostics.js";
import { atCapacity, byMetric, type Cell, cellOf, generatorCpus, paired, stands } from "./cell.js";
import { type DisturbedCount, disturbedOf } from "./disturbed.js";
import { compares, type Metric, type MetricKey, metrics, type RankedLoad, rankingMetric, speed } from "./metrics.js";
import { type Noise, noiseOf } from "./noise.js";

/** What is known of two speeds when the load generator was the limit of the faster one: the ratio is at most, or at least, this. */
interface SpeedBound {
  readonly side: "at most" | "at least";
  readonly ratio: Difference;
}

/**
 * How one core compares with the base, by metric; null where a cell is invalid (of costs: where it is more than a lower bound of speed) or
 * a value is 0.
 */
export interface Ratios {
  readonly core: string;
  /** Core that it is compared with. */
  readonly base: string;
  readonly speedBound: SpeedBound | null;
  readonly byMetric: Readonly<Record<MetricKey, Difference | null>>;
}

/** What the ranking metric of one load says: requests per second, in an open loop the 99th percentile of latency. */
type Outcome =
  /** A core is invalid, or there is only one, or two versions of each are compared. */
  | { readonly kind: "not-ranked" }
  /** Too few trials to find any difference. */
  | { readonly kind: "undecided" }
  /**
   * The fastest core and those that cannot be told apart from it. All cores: no difference was found. `atLeast`: the load generator was
   * the limit of the fastest and of no other, so its lead is at least what was measured.
   */
  | { readonly kind: "ranked"; readonly fastest: readonly string[]; readonly atLeast: boolean };

/** All cores under one load. */
export interface Level extends RankedLoad {
  /** In the order of the plan: the base first. */
  readonly cells: readonly Cell[];
  /** One entry per core that has a base. */
  readonly ratios: readonly Ratios[];
  readonly outcome: Outcome;
}

export interface Comparison {
  readonly sweep: SweepResult;
  /** Ascending by concurrency, at each the closed loop before the rates, which ascend. */
  readonly levels: readonly Level[];
  readonly plannedTrials: number;
  /** null where no A/A run was asked for. */
  readonly noise: Noise | null;
  /** By core, in the order of the plan. */
  readonly disturbed: readonly DisturbedCount[];
}

/** Every cell by concurrency, the ones of a core that was measured a second time (A/A) after the others. */
export function allCells({ levels, noise }: Pick<Comparison, "levels" | "noise">): readonly Cell[] {
  return levels.flatMap((level) => [
    ...level.cells,
    ...(noise?.levels.filter((other) => isSameLoad(other, level)).map(({ cell }) => cell) ?? []),
  ]);
}

/** The two cells of a comparison and what is known of them. */
interface Pair {
  readonly base: Cell;
  readonly other: Cell;
  readonly difference: Difference | null;
}

/** Cells of one load in pairs, base and other: all of them, or only those of a core and its base. */
function pairsOf(plan: SweepPlan, cells: readonly Cell[], all: boolean): readonly (readonly [Cell, Cell])[] {
  if (all) return cells.flatMap((base, index) => cells.slice(index + 1).map((other) => [base, other] as const));
  return cells.flatMap((other) => {
    const base = cells.find(({ core }) => core === baseOf(plan, other.core));
    return base === undefined ? [] : [[base, other] as const];
  });
}

/** One of the two was held back by the generator, and the other one certainly was not: if the first is faster still, it leads by more. */
function bounded(base: Cell, other: Cell): boolean {
  return (base.verdict.lowerBound && atCapacity(other)) || (other.verdict.lowerBound && atCapacity(base));
}

/**
 * All comparisons of one metric, judged together: this is the family that Holm's correction is over. Of what ranks all cores are compared
 * with each other, since the fastest is looked for; of the rest, and with another version, only with the base.
 */
function compared(
  metric: Metric,
  plan: SweepPlan,
  levels: readonly (readonly Cell[])[],
  floor: NoiseFloor | null,
): readonly Pair[] {
  const pairs = levels.flatMap((cells) => {
    const [first] = cells;
    if (first === undefined || !compares(metric, first)) return [];
    return pairsOf(plan, cells, plan.against === undefined && metric === rankingMetric(first));
  });
  const tests = pairs.map(([base, other]): TestResult | null =>
    (stands(base, metric) && stands(other, metric)) || (metric === speed && bounded(base, other))
      ? pairedTest(...paired(metric, base, other))
      : null,
  );
  const differences = judge(tests, floor?.ratio ?? null);
  return pairs.map(([base, other], index) => ({ base, other, difference: differences[index] ?? null }));
}

/** Where the generator held back one core alone, and that core still was the faster one, it is faster by at least as much. */
function speedBoundOf({ base, other, difference }: Pair): SpeedBound | null {
  if (difference === null || !isCalled(difference) || !bounded(base, other)) return null;
  if (base.verdict.lowerBound && difference.verdict === "lower") return { side: "at most", ratio: difference };
  if (other.verdict.lowerBound && difference.verdict === "higher") return { side: "at least", ratio: difference };
  return null;
}

function outcomeOf(load: RankedLoad, cells: readonly Cell[], ranking: readonly Pair[]): Outcome {
  // Of latencies the least is best.
  const sign = rankingMetric(load) === speed ? 1 : -1;
  const value = (cell: Cell): number => sign * cell.estimates[rankingMetric(load).key].value;
  const known = cells.filter(({ verdict }) => verdict.valid || verdict.lowerBound);
  const [first, ...more] = known;
  if (first === undefined || known.length < Math.max(2, cells.length)) return { kind: "not-ranked" };
  const leader = more.reduce((best, cell) => (value(cell) > value(best) ? cell : best), first);
  const rivals = ranking
    .filter(({ base, other }) => base === leader || other === leader)
    .map((pair) => ({ ...pair, core: (pair.base === leader ? pair.other : pair.base).core }));
  if (cells.some(({ verdict }) => !verdict.valid)) {
    const leads = rivals.every((pair) => speedBoundOf(pair) !== null);
    return leads ? { kind: "ranked", fastest: [leader.core], atLeast: true } : { kind: "not-ranked" };
  }
  if (rivals.some(({ difference }) => difference === null || difference.verdict === "undecided")) {
    return { kind: "undecided" };
  }
  const level = rivals.filter(({ difference }) => difference?.verdict === "none").map(({ core }) => core);
  return { kind: "ranked", fastest: [leader.core, ...level], atLeast: false };
}

/** Everything a report says in figures, from the stored result alone. */
export function compare(sweep: SweepResult): Comparison {
  const { plan } = sweep;
  const loads = loadsOf(plan);
  const cells = loads.map((load) =>
    withRanking(
      sweep,
      load,
      plan.cores.map((core) => cellOf(sweep, core, load)),
    ),
  );
  const noise = noiseOf(sweep);
  const pairs = new Map(
    metrics.map((metric) => [metric, compared(metric, plan, cells, noise?.floors[metric.key] ?? null)]),
  );
  const pairOf = (metric: Metric, base: Cell, other: Cell): Pair | undefined =>
    pairs.get(metric)?.find((pair) => pair.base === base && pair.other === other);
  return {
    sweep,
    levels: loads.map((load, index): Level => {
      const own = cells[index]!;
      const ranked = own[0]?.ranksByCost === true ? { ...load, ranksByCost: true } : load;
      return {
        ...ranked,
        cells: own,
        ratios: pairsOf(plan, own, false).map(([base, cell]) => ratiosOf(base, cell, pairOf)),
        outcome:
          plan.against === undefined
            ? outcomeOf(ranked, own, pairs.get(rankingMetric(ranked)) ?? [])
            : { kind: "not-ranked" },
      };
    }),
    plannedTrials: planTrials(plan).length,
    noise,
    disturbed: disturbedOf(plan.cores, cells.flat()),
  };
}

/** Where the CPUs vary: cells of a closed loop that was not fair say what ranks them. */
function withRanking({ plan }: SweepResult, load: Load, cells: readonly Cell[]): readonly Cell[] {
  if (load.serverCpus === undefined || load.rate !== null) return cells;
  if (!sharesCpus(planUnder(plan, load).pinning)) return cells;
  const taken = cells.map(({ trials }) => generatorCpus(trials) / load.serverCpus!);
  return taken.every((share) => share <= thresholds.sharedCpus)
    ? cells
    : cells.map((cell) => ({ ...cell, ranksByCost: true }));
}

function ratiosOf(
  base: Cell,
  other: Cell,
  pairOf: (metric: Metric, base: Cell, other: Cell) => Pair | undefined,
): Ratios {
  const speeds = pairOf(speed, base, other);
  return {
    core: other.core,
    base: base.core,
    speedBound: speeds === undefined ? null : speedBoundOf(speeds),
    byMetric: byMetric((metric) =>
      stands(base, metric) && stands(other, metric) ? (pairOf(metric, base, other)?.difference ?? null) : null,
    ),
  };
}
