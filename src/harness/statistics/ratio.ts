import type { Interval } from "./interval.js";
import { seededRandom } from "./random.js";

/** How many times the base the other one is, over pairs measured next to each other. */
export interface Ratio {
  /** Geometric mean of other ÷ base over the pairs. */
  readonly ratio: number;
  /** null where the pairs cannot carry one: fewer than `fewestPairs`, or no usable spread. */
  readonly interval: Interval | null;
  readonly pairs: number;
}

/** Coverage of every interval of a ratio. */
const level = 0.95;

export interface RatioOptions {
  readonly seed: number;
  readonly resamples?: number;
}

/** Of three pairs every ninth resample draws one pair three times: without spread, so a 95% interval would be infinite. */
export const fewestPairs = 4;

/**
 * The ratio of two cores with a paired bootstrap interval. `base[i]` and `other[i]` are one pair, e.g. the trials of one block.
 * All values must be above 0; a ratio over a value that is not is null.
 *
 * The interval is the symmetric bootstrap-t (studentized) interval of the mean log-ratio: resample the pairs, take
 * t* = (mean* − mean) ÷ standard error*, and let the `level` quantile of |t*| replace Student's t. On five to ten pairs the common
 * percentile bootstrap covers far less than it says, this one keeps its level (simulated in the test beside it), and where the
 * pairs say little it gets wide: a resample without spread counts as infinitely far out, and an infinite quantile is no interval. One
 * disturbed pair can make the quantile absurdly large, so it is held to twice Student's t; the simulation finds no coverage lost by that.
 *
 * Source: P. Hall, The Bootstrap and Edgeworth Expansion, 1992, section 3.6; B. Efron and R. Tibshirani, An Introduction to the
 * Bootstrap, 1993, section 12.5; on paired log-ratios in benchmarking, T. Kalibera and R. Jones, "Rigorous benchmarking in reasonable
 * time", ISMM 2013.
 */
export function pairedRatio(base: readonly number[], other: readonly number[], options: RatioOptions): Ratio | null {
  if (base.length !== other.length)
    throw new RangeError(`${base.length} base values against ${other.length}: not pairs`);
  const { seed, resamples = 9999 } = options;
  if (base.length === 0 || base.some((value) => !(value > 0)) || other.some((value) => !(value > 0))) return null;
  const logs = Float64Array.from(base, (value, pair) => Math.log(other[pair]! / value));
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const halfWidth = logs.length < fewestPairs ? Number.POSITIVE_INFINITY : bootstrapT(logs, mean, seed, resamples);
  const interval = Number.isFinite(halfWidth)
    ? { low: Math.exp(mean - halfWidth), high: Math.exp(mean + halfWidth), level }
    : null;
  return { ratio: Math.exp(mean), interval, pairs: logs.length };
}

/** Significant: the interval leaves out 1. Without an interval nothing is. */
export function excludesOne(ratio: Ratio): boolean {
  return ratio.interval !== null && (ratio.interval.low > 1 || ratio.interval.high < 1);
}

/**
 * The 97.5% quantile of Student's t, within 1% from 3 degrees of freedom on.
 * Source: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 26.7.5.
 */
function studentT(freedom: number): number {
  const z = 1.959964;
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ];
  return terms.reduce((sum, term, power) => sum + term / freedom ** power, 0);
}

/** Half the width of the symmetric bootstrap-t interval of the mean of `values`; infinite where the resamples lack spread. */
function bootstrapT(values: Float64Array, mean: number, seed: number, resamples: number): number {
  const n = values.length;
  const deviations = values.map((value) => value - mean);
  const squares = deviations.reduce((sum, value) => sum + value * value, 0);
  const standardError = Math.sqrt(squares / (n - 1) / n);
  // Below this the spread of a resample is rounding noise of equal values, not information.
  const negligible = 1e-12 * Math.max(1, Math.abs(mean));
  const random = seededRandom(seed);
  const distances = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    let sumOfSquares = 0;
    for (let draw = 0; draw < n; draw++) {
      const deviation = deviations[Math.floor(random() * n)]!;
      sum += deviation;
      sumOfSquares += deviation * deviation;
    }
    const resampleMean = sum / n;
    const resampleError = Math.sqrt(Math.max(0, sumOfSquares - n * resampleMean * resampleMean) / (n - 1) / n);
    const flat = resampleError <= Math.max(negligible, 1e-7 * standardError);
    distances[resample] = flat ? Number.POSITIVE_INFINITY : Math.abs(resampleMean) / resampleError;
  }
  distances.sort();
  const quantile = distances[Math.ceil(level * (resamples + 1)) - 1] ?? Number.POSITIVE_INFINITY;
  return (Number.isFinite(quantile) ? Math.min(quantile, 2 * studentT(n - 1)) : quantile) * standardError;
}
