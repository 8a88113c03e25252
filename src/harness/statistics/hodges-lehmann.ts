import type { Interval } from "./interval.js";
import { median } from "./median.js";
import { zBeyond } from "./normal.js";
import { signedRank } from "./signed-rank.js";

/** Values up to which the distribution of the signed ranks is counted. */
const MOST_EXACT = 100;

/** Where values lie, by their signed ranks. */
export interface SignedRankLocation {
  /** The median of all means of two values, each with itself too (Walsh averages). */
  readonly location: number;
  /** With its exact coverage as its level; null where not even the extreme means reach the level: below 6 values at 95%. */
  readonly interval: Interval | null;
  /** Of Wilcoxon's signed-rank test that the location is 0. */
  readonly p: number;
}

/**
 * The Hodges-Lehmann estimate and Tukey's interval, which is the signed-rank test turned round: W(k) to W(N + 1 − k) of the N sorted Walsh
 * averages, for the largest k with 1 − 2·P(T ≤ k − 1) ≥ `level`. With ties it is wider than it need be. NaN for no values.
 *
 * Source: J. Hodges and E. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34(2), 1963;
 * M. Hollander and D. Wolfe, Nonparametric Statistical Methods, 2nd ed., 1999, sections 3.2 and 3.3.
 */
export function hodgesLehmann(values: readonly number[], level = 0.95): SignedRankLocation {
  const means = values.flatMap((a, i) => values.slice(i).map((b) => a / 2 + b / 2)).sort((a, b) => a - b);
  const { outside, coverage } = meansOutside(values.length, level);
  return {
    location: median(means),
    interval:
      outside === null ? null : { low: means[outside]!, high: means[means.length - 1 - outside]!, level: coverage },
    p: signedRank(values).p,
  };
}

/** How many of the sorted Walsh averages of n values lie outside the interval on either side, and what the interval covers. */
function meansOutside(n: number, level: number): { readonly outside: number | null; readonly coverage: number } {
  if (n > MOST_EXACT) {
    const distance = zBeyond(1 - level) * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
    return { outside: Math.floor((n * (n + 1)) / 4 - distance) - 1, coverage: level };
  }
  const probability = new Float64Array((n * (n + 1)) / 2 + 1);
  probability[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = (rank * (rank + 1)) / 2; sum >= 0; sum--) {
      probability[sum] = (probability[sum]! + (sum >= rank ? probability[sum - rank]! : 0)) / 2;
    }
  }
  let outside: number | null = null;
  let coverage = 0;
  let below = 0;
  for (const [sum, share] of probability.entries()) {
    below += share;
    if (1 - 2 * below < level) break;
    outside = sum;
    coverage = 1 - 2 * below;
  }
  return { outside, coverage };
}
