import { type Difference, judge, pairedTest } from "../statistics/difference.js";
import { type NoiseFloor, noiseFloor } from "../statistics/noise-floor.js";
import { logRatio } from "../statistics/ratio.js";
import { type Load, loadsOf } from "../sweep/plan.js";
import type { AaControl, SweepResult } from "../sweep/result.js";
import { byMetric, type Cell, cellOf, paired, stands } from "./cell.js";
import { compares, type Metric, type MetricKey, speed } from "./metrics.js";

/** What the A/A part of a sweep found: one core measured against itself in the same blocks. */
export interface Noise<OfCell = Cell> {
  readonly control: AaControl;
  /** As loadsOf has them. */
  readonly levels: readonly NoiseLevel<OfCell>[];
  /** By metric; null where no load has both cells valid, so that nothing is known. */
  readonly floors: Readonly<Record<MetricKey, NoiseFloor | null>>;
}

interface NoiseLevel<OfCell> extends Load {
  /** The core under its second name. */
  readonly cell: OfCell;
  /** Requests per second, second name ÷ first. A difference that is called is a false alarm, or something that favours one name. */
  readonly speed: Difference | null;
}

/** null where the sweep has no A/A part. */
export function noiseOf({ plan, ...sweep }: SweepResult): Noise | null {
  const { control } = plan;
  if (control === undefined) return null;
  const levels = loadsOf(plan).map((load) => ({
    load,
    first: cellOf({ plan, ...sweep }, control.of, load),
    second: cellOf({ plan, ...sweep }, control.name, load),
  }));
  const pairsOf = (metric: Metric): readonly (readonly [readonly number[], readonly number[]])[] =>
    levels.map(({ load, first, second }) =>
      compares(metric, load) && stands(first, metric) && stands(second, metric)
        ? paired(metric, first, second)
        : [[], []],
    );
  const speeds = judge(pairsOf(speed).map(([first, second]) => pairedTest(first, second)));
  return {
    control,
    levels: levels.map(({ load, second }, index) => ({
      ...load,
      cell: second,
      speed: speeds[index] ?? null,
    })),
    floors: byMetric((metric) =>
      noiseFloor(
        pairsOf(metric).map(([first, second]) =>
          // A value of 0 has no logarithm, and no ratio elsewhere either.
          first.map((value, pair) => logRatio(value, second[pair]!)).filter((log) => !Number.isNaN(log)),
        ),
      ),
    ),
  };
}
