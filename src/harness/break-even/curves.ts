import { type Cell, cellOf, stands } from "../report/cell.js";
import { reasonText } from "../report/diagnostic-text.js";
import { type Metric, type MetricKey, metrics, speed, tail } from "../report/metrics.js";
import { type Crossing, crossingBetween } from "../statistics/crossing.js";
import { type Difference, isCalled } from "../statistics/difference.js";
import type { Interval } from "../statistics/interval.js";
import { median } from "../statistics/median.js";
import { seededRandom } from "../statistics/random.js";
import { logRatio } from "../statistics/ratio.js";
import {
  bracketOf,
  type CurvePoint,
  type CurveShape,
  type PassOfRatios,
  ratioCurve,
  shapeOf,
} from "../statistics/ratio-curve.js";
import { costAt, positionOf, sweepPlanOf } from "./plan.js";
import type { BreakEvenResult, CostPoint } from "./result.js";

/** From which cost of a handler on a core is ahead of the base: it serves more, its 99th percentile is shorter, it spends less CPU. */
export type Outcome =
  /** `atMost`: it was not found behind at any cost, so the crossing may lie below the costs that were measured. */
  | { readonly kind: "from"; readonly costMicros: number; readonly interval: Interval; readonly atMost: boolean }
  /** It is ahead below that cost and behind above it. */
  | { readonly kind: "up-to"; readonly costMicros: number; readonly interval: Interval }
  /** At every cost, from the least on, or at none; "equal": at no cost was there a difference, and none above `negligible` can be hidden. */
  | { readonly kind: "always" | "never" | "equal" }
  /** Some cost leaves room for a difference that was not found. */
  | { readonly kind: "undecided" }
  /** It is ahead and behind by turns. */
  | { readonly kind: "several" }
  /** No cost has a valid cell of both cores. */
  | { readonly kind: "not-measured" };

/** A ratio that differs less from 1 than this is none worth another core. */
export const negligible = 1.05;

/** The ratio at one cost. */
export interface CostRatio {
  readonly costMicros: number;
  /** This core ÷ the base; null where a cell of one of the two is invalid. */
  readonly difference: Difference | null;
  /** Medians over the trials, in the unit of the metric. */
  readonly baseValue: number;
  readonly coreValue: number;
  /** Why there is no ratio. */
  readonly problem: string | null;
  /** CPUs that the load generator kept busy, on average over the trials. */
  readonly generatorCpus: number;
}

/** How one core compares with the base in one metric, over all costs, under one load. */
export interface BreakEvenCurve {
  readonly serverCpus: number;
  readonly concurrency: number;
  readonly rate: number | null;
  readonly core: string;
  readonly metric: MetricKey;
  /** Ascending. */
  readonly points: readonly CostRatio[];
  readonly outcome: Outcome;
}

type Load = Pick<CostPoint, "serverCpus" | "concurrency" | "rate">;

const cpuPerRequest = metrics.find(({ key }) => key === "cpuPerRequestMicros")!;

/** What is compared under a load: in a closed loop speed and cost, in an open one the tail. */
function metricsOf(rate: number | null): readonly Metric[] {
  return rate === null ? [speed, cpuPerRequest] : [tail];
}

/** What decides where to look closer. */
export function decisiveMetric(rate: number | null): Metric {
  return rate === null ? speed : tail;
}

/** 1 where more is better, else −1. */
function signOf(metric: Metric): 1 | -1 {
  return metric === speed ? 1 : -1;
}

/** The loads of a result, in the order of its plan. */
export function loadsOf({ plan }: BreakEvenResult): readonly Load[] {
  const rates = plan.rate === null ? [null] : [null, plan.rate];
  return plan.serverCpus.flatMap(({ cpus }) =>
    plan.concurrencies.flatMap((concurrency) => rates.map((rate) => ({ serverCpus: cpus, concurrency, rate }))),
  );
}

/** Every curve of a result, of finished passes. */
export function curvesOf(result: BreakEvenResult): readonly BreakEvenCurve[] {
  const [, ...others] = result.plan.cores;
  return loadsOf(result).flatMap((load) => {
    const cells = cellsOf(result, load);
    return metricsOf(load.rate).flatMap((metric) => others.map((core) => curveOf(result, load, cells, core, metric)));
  });
}

/** The cells of every core at one point of one pass. */
interface PointCells {
  readonly pass: number;
  readonly costMicros: number;
  readonly byCore: ReadonlyMap<string, Cell>;
}

function cellsOf({ plan, trials, ...result }: BreakEvenResult, load: Load): readonly PointCells[] {
  return plan.passes.flatMap(({ points, blocks }, pass) =>
    points.filter(isUnder(load)).map(({ costMicros }) => {
      const point = { ...load, costMicros };
      const own = trials.filter(
        (trial) => trial.pass === pass && trial.costMicros === costMicros && isUnder(load)(trial),
      );
      const sweep = {
        ...result,
        schema: "loopool-sweep/3" as const,
        plan: sweepPlanOf(plan, point, blocks),
        trials: own,
      };
      const byCore = new Map(plan.cores.map((core) => [core, cellOf(sweep, core, load)]));
      return { pass, costMicros, byCore };
    }),
  );
}

function isUnder({ serverCpus, concurrency, rate }: Load): (point: Load) => boolean {
  return (point) => point.serverCpus === serverCpus && point.concurrency === concurrency && point.rate === rate;
}

function curveOf(
  { plan }: BreakEvenResult,
  load: Load,
  cells: readonly PointCells[],
  core: string,
  metric: Metric,
): BreakEvenCurve {
  const base = plan.cores[0]!;
  const sign = signOf(metric);
  const pairs = cells.map((point) => ({ ...point, base: point.byCore.get(base)!, other: point.byCore.get(core)! }));
  // Above 1: ahead, whichever way the metric goes.
  const passes = plan.passes.flatMap(({ blocks }, pass): readonly PassOfRatios[] => {
    const own = pairs
      .filter((pair) => pair.pass === pass && stands(pair.base, metric) && stands(pair.other, metric))
      .sort((a, b) => a.costMicros - b.costMicros);
    if (own.length === 0) return [];
    const logRatios = Array.from({ length: blocks }, (_, block) =>
      own.map((pair) => sign * logRatioIn(block, pair.base, pair.other, metric)),
    );
    return [{ positions: own.map(({ costMicros }) => positionOf(costMicros)), logRatios }];
  });
  const curve = ratioCurve(passes);
  const costs = [...new Set(pairs.map(({ costMicros }) => costMicros))].sort((a, b) => a - b);
  const points = costs.map((costMicros): CostRatio => {
    const own = pairs.filter((pair) => pair.costMicros === costMicros);
    const found = curve.find(({ position }) => position === positionOf(costMicros))?.difference ?? null;
    const reasons = own.flatMap(({ base: b, other: o }) =>
      [b, o]
        .filter((cell) => !stands(cell, metric))
        .map((cell) => `${cell.core}: ${cell.verdict.reasons.map(reasonText).join("; ")}`),
    );
    const shares = own
      .flatMap((pair) => [...pair.base.trials, ...pair.other.trials])
      .map(({ run }) => run.generator.cpuShare ?? 0);
    const value = (side: "base" | "other"): number => median(own.flatMap((pair) => pair[side].trials.map(metric.of)));
    return {
      costMicros,
      baseValue: value("base"),
      coreValue: value("other"),
      difference: found === null || sign === 1 ? found : inverse(found),
      problem: found !== null ? null : (reasons[0] ?? "no pair of trials"),
      generatorCpus: median(shares),
    };
  });
  const outcome = outcomeOf(passes, curve, positionOf(costs[0]!), plan.seed);
  return { ...load, core, metric: metric.key, points, outcome };
}

function logRatioIn(block: number, base: Cell, other: Cell, metric: Metric): number {
  const [first, second] = [base, other].map(({ trials }) => trials.find((trial) => trial.block === block));
  return first === undefined || second === undefined ? Number.NaN : logRatio(metric.of(first), metric.of(second));
}

/** The same of base ÷ core as core ÷ base. */
function inverse(difference: Difference): Difference {
  const { ratio, interval, verdict } = difference;
  const flipped = { higher: "lower", lower: "higher", none: "none", undecided: "undecided" } as const;
  return {
    ...difference,
    ratio: 1 / ratio,
    interval: interval && { ...interval, low: 1 / interval.high, high: 1 / interval.low },
    verdict: flipped[verdict],
  };
}

function outcomeOf(
  passes: readonly PassOfRatios[],
  curve: readonly CurvePoint[],
  start: number,
  seed: number,
): Outcome {
  if (curve.every(({ difference }) => difference === null)) return { kind: "not-measured" };
  const shape = shapeOf(curve);
  const bracket = bracketOf(shape, start);
  if (bracket !== null) {
    const crossing = crossingBetween(passes, bracket, seededRandom(seed));
    if (crossing === null) return { kind: "undecided" };
    const atMost = shape.kind === "above" && crossing.interval.low <= start;
    return bracket.rises ? { kind: "from", ...inMicros(crossing), atMost } : { kind: "up-to", ...inMicros(crossing) };
  }
  if (shape.kind === "several") return { kind: "several" };
  if (openPositions(curve).length > 0) return { kind: "undecided" };
  return { kind: kindsWithoutCrossing[shape.kind as keyof typeof kindsWithoutCrossing] };
}

const kindsWithoutCrossing = { above: "always", below: "never", level: "equal" } as const;

function inMicros({ position, interval }: Crossing): { readonly costMicros: number; readonly interval: Interval } {
  const { low, high, level } = interval;
  return { costMicros: costAt(position), interval: { low: costAt(low), high: costAt(high), level } };
}

/** Where more blocks could still find the core ahead, by more than is negligible. */
export function openPositions(curve: readonly CurvePoint[]): readonly number[] {
  return curve.flatMap(({ position, difference }) => {
    if (difference === null || isCalled(difference)) return [];
    return difference.interval === null || difference.interval.high > negligible ? [position] : [];
  });
}

/** What a pass should look at next: where a curve crosses, or is open. Of the metric that decides under a load. */
export interface Openness {
  readonly load: Load;
  readonly curve: readonly CurvePoint[];
  readonly shape: CurveShape;
  /** The least cost of the plan. */
  readonly start: number;
}

/** The curves, as they are ahead (above 1) or behind, of the metrics that decide. */
export function decisiveCurves(result: BreakEvenResult): readonly Openness[] {
  return curvesOf(result)
    .filter(({ metric, rate }) => metric === decisiveMetric(rate).key)
    .map(({ points, metric, ...load }) => {
      const flips = metric !== speed.key;
      const curve = points.map(({ costMicros, difference }) => ({
        position: positionOf(costMicros),
        difference: difference === null || !flips ? difference : inverse(difference),
      }));
      return { load, curve, shape: shapeOf(curve), start: curve[0]!.position };
    });
}
