import type { Interval } from "../../src/harness/statistics/interval.js";
import { seededRandom } from "../../src/harness/statistics/random.js";

/** Coverage of every interval of a ratio. */
const level = 0.95;

/** Of three pairs every ninth resample draws one pair three times: without spread, so a 95% interval would be infinite. */
const fewestPairs = 4;

/**
 * What a ratio was before the biweight: the mean of the log-ratios with its symmetric bootstrap-t interval. Kept to be compared with, see
 * power.ts. An interval of null: fewer than four pairs, or no usable spread.
 *
 * Source: P. Hall, The Bootstrap and Edgeworth Expansion, 1992, section 3.6; B. Efron and R. Tibshirani, An Introduction to the
 * Bootstrap, 1993, section 12.5.
 */
export function bootstrapMean(
  logs: readonly number[],
  seed: number,
  resamples: number,
): { readonly location: number; readonly interval: Interval | null } {
  const values = Float64Array.from(logs);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const halfWidth = values.length < fewestPairs ? Number.POSITIVE_INFINITY : bootstrapT(values, mean, seed, resamples);
  const interval = Number.isFinite(halfWidth) ? { low: mean - halfWidth, high: mean + halfWidth, level } : null;
  return { location: mean, interval };
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
