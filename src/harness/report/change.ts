import { usageError } from "../../shared/errors.js";
import { changeTest, type Difference, judge } from "../statistics/difference.js";
import { logRatios } from "../statistics/ratio.js";
import { type Load, loadsOf, requestText } from "../sweep/plan.js";
import type { Environment, OpenLoopPlan, SweepPlan, SweepResult } from "../sweep/result.js";
import { byMetric, type Cell, cellOf, paired, stands } from "./cell.js";
import { loadText } from "./format.js";
import { compares, type Metric, type MetricKey, metrics } from "./metrics.js";
import { noiseOf } from "./noise.js";

/** Two sweeps of the same cells, e.g. before and after a change of the code. */
export interface Change {
  readonly before: SweepResult;
  readonly after: SweepResult;
  /** The first core: what is compared is the ratio of every other one to it. null where it is the only one. */
  readonly base: string | null;
  /** In the order of the plan, under each of its loads. */
  readonly cells: readonly CellChange[];
  /** How the machines and the code differ, e.g. "node 20.20.2, then 22.12.0". */
  readonly differs: readonly string[];
  /** By metric, the larger one of the two sweeps, as a ratio above 1; null where neither has an A/A part. */
  readonly floors: Readonly<Record<MetricKey, number | null>>;
}

/** One core under one load in both sweeps. */
export interface CellChange extends Load {
  readonly core: string;
  readonly before: Cell;
  readonly after: Cell;
  /**
   * The ratio to the base, after ÷ before. null for the base itself, and where one of the four cells is invalid (of costs: where it is more
   * than a lower bound of speed) or a value is 0.
   */
  readonly byMetric: Readonly<Record<MetricKey, Difference | null>>;
}

/** What must be the same, or the two measured different things. */
const sameLoad = [
  "path",
  "keepAlive",
  "requests",
  "warmupRequests",
  "workers",
  "seconds",
  "threads",
  "driver",
] as const satisfies readonly (keyof SweepPlan)[];

/** What a reader must know when it is not the same. The load average and the calibration differ always. */
const sameMachine = [
  "cpuModel",
  "cores",
  "memoryBytes",
  "platform",
  "kernel",
  "node",
  "uws",
  "loopool",
  "commit",
] as const satisfies readonly (keyof Environment)[];

/** A sweep and the file it was read from. */
export interface StoredSweep {
  readonly file: string;
  readonly sweep: SweepResult;
}

/** How requests came. A result of an older version has even ones. */
function arrivalsOf({ arrivals = "even", rampSeconds = 0 }: OpenLoopPlan): string {
  return `--arrivals ${arrivals}${rampSeconds === 0 ? "" : ` --ramp ${rampSeconds}`}`;
}

function checkComparable(before: StoredSweep, after: StoredSweep): void {
  const [a, b] = [before.sweep.plan, after.sweep.plan];
  const both = `${before.file} and ${after.file}`;
  for (const name of sameLoad) {
    if (a[name] !== b[name]) {
      throw usageError(
        `${both} did not measure the same: ${name} ${a[name] ?? "not given"}, then ${b[name] ?? "not given"}; run both with the same flags`,
      );
    }
  }
  const pins = ({ serverCpus = [] }: SweepPlan): string =>
    serverCpus.map((one) => `${one.cpus} CPUs: ${one.pinning.server}`).join(", ");
  if (pins(a) !== pins(b)) {
    throw usageError(
      `${both} did not measure the same: --server-cpus ${pins(a) || "not given"}, then ${pins(b) || "not given"}; run both with the same --server-cpus`,
    );
  }
  if (JSON.stringify(a.traffic) !== JSON.stringify(b.traffic)) {
    throw usageError(
      `${both} did not measure the same: ${requestText(a)}, then ${requestText(b)}, or not with the same bodies and header fields; send the same in both`,
    );
  }
  if (a.openLoop !== undefined && b.openLoop !== undefined && arrivalsOf(a.openLoop) !== arrivalsOf(b.openLoop)) {
    throw usageError(
      `${both} did not measure the same: ${arrivalsOf(a.openLoop)}, then ${arrivalsOf(b.openLoop)}; run both with the same --arrivals and --ramp`,
    );
  }
  if (a.pinning.server !== b.pinning.server || a.pinning.generator !== b.pinning.generator) {
    const cpus = ({ pinning }: SweepPlan): string => `${pinning.server ?? "none"}:${pinning.generator ?? "none"}`;
    throw usageError(
      `${both} did not measure the same: --pin ${cpus(a)}, then ${cpus(b)}; run both with the same --pin`,
    );
  }
  const cells = (plan: SweepPlan): readonly string[] =>
    plan.cores.flatMap((core) => loadsOf(plan).map((load) => `${core} at ${loadText(load)}`));
  const without = (there: readonly string[], here: readonly string[]): readonly string[] =>
    there.filter((cell) => !here.includes(cell));
  for (const [file, missing] of [
    [after.file, without(cells(a), cells(b))],
    [before.file, without(cells(b), cells(a))],
  ] as const) {
    if (missing.length > 0) {
      const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
      throw usageError(
        `${both} do not have the same cells: ${file} lacks ${missing.slice(0, 3).join(", ")}${more}; ` +
          "run both with the same --cores, --concurrency and --rate",
      );
    }
  }
}

/**
 * Compares the ratios between the cores of a sweep with those of another: the difference of the differences. The cells themselves are not
 * compared, since a machine is faster in one hour than in another, by more than most changes make (docs/measuring.md). Holm's correction is
 * over all ratios of a metric. Throws a usage error when the two did not measure the same thing.
 */
export function changeBetween(before: StoredSweep, after: StoredSweep): Change {
  checkComparable(before, after);
  const { plan, environment } = before.sweep;
  const [base = "", ...others] = plan.cores;
  const sides = (core: string, load: Load): { readonly before: Cell; readonly after: Cell } => ({
    before: cellOf(before.sweep, core, load),
    after: cellOf(after.sweep, core, load),
  });
  const cells = loadsOf(plan).flatMap((load) => {
    const first = sides(base, load);
    return plan.cores.map((core) => ({ core, ...load, bases: first, ...(core === base ? first : sides(core, load)) }));
  });
  const noises = [noiseOf(before.sweep), noiseOf(after.sweep)];
  const floors = byMetric(({ key }) => {
    const known = noises.flatMap((noise) => noise?.floors[key]?.ratio ?? []);
    return known.length === 0 ? null : Math.max(...known);
  });
  const differences = new Map(
    metrics.map((metric) => {
      const tests = cells.map(({ core, bases, ...cell }) => {
        if (core === base || !compares(metric, cell)) return null;
        const [first, second] = [logsOf(metric, bases.before, cell.before), logsOf(metric, bases.after, cell.after)];
        return first === null || second === null ? null : changeTest(first, second);
      });
      return [metric, judge(tests, floors[metric.key])];
    }),
  );
  return {
    before: before.sweep,
    after: after.sweep,
    base: others.length === 0 ? null : base,
    cells: cells.map(({ bases: _, ...cell }, index) => ({
      ...cell,
      byMetric: byMetric((metric) => differences.get(metric)?.[index] ?? null),
    })),
    differs: [
      ...(adapterOf(plan) === adapterOf(after.sweep.plan)
        ? []
        : [`adapter ${adapterOf(plan)}, then ${adapterOf(after.sweep.plan)}`]),
      ...(ratesOver(before.sweep) === ratesOver(after.sweep)
        ? []
        : [`rates over ${ratesOver(before.sweep)}, then over ${ratesOver(after.sweep)}`]),
      ...sameMachine
        .filter((name) => environment[name] !== after.sweep.environment[name])
        .map((name) => `${name} ${environment[name]}, then ${after.sweep.environment[name]}`),
    ],
    floors,
  };
}

/** Logarithms of the ratios of one sweep; null where a cell is invalid. */
function logsOf(metric: Metric, base: Cell, other: Cell): readonly number[] | null {
  return stands(base, metric) && stands(other, metric) ? logRatios(...paired(metric, base, other)) : null;
}

/** What the rates of a sweep were divided by: an older version waited for the last answers, too. */
function ratesOver({ trials }: SweepResult): string {
  return trials.some(({ run }) => run?.window !== undefined) ? "the window" : "the whole run";
}

/** Of the time before there was a second one, too. */
function adapterOf({ adapter = "uws" }: SweepPlan): string {
  return adapter;
}
