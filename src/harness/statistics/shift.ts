import type { Interval } from "./interval.js";
import { median } from "./median.js";
import { zBeyond } from "./normal.js";

/** Values of both samples together up to which the distribution of U is counted; beyond it is taken as normal (their section 4.3). */
const MOST_EXACT = 120;

/** By how much one sample lies above another that is not paired with it. */
export interface Shift {
  /** The median of all differences second − first (Hodges and Lehmann). */
  readonly shift: number;
  /** Distribution-free, with its exact coverage as its level; null where not even the extreme differences reach the level. */
  readonly interval: Interval | null;
}

/**
 * The Hodges-Lehmann estimate of a shift between two samples and the interval of Moses, which is the Mann-Whitney test turned round: all
 * shifts that the test at 1 − `level` would not refuse. It is D(k) to D(mn + 1 − k) of the sorted differences for the largest k with
 * 1 − 2·P(U ≤ k − 1) ≥ `level`. It assumes that the samples have the same shape, and no ties (with ties it is wider than it need be).
 *
 * Source: J. Hodges and E. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34(2), 1963;
 * M. Hollander and D. Wolfe, Nonparametric Statistical Methods, 2nd ed., 1999, sections 4.2 and 4.3.
 */
export function shiftBetween(first: readonly number[], second: readonly number[], level = 0.95): Shift {
  const differences = first.flatMap((a) => second.map((b) => b - a)).sort((a, b) => a - b);
  const shift = median(differences);
  const between = (u: number, coverage: number): Interval => ({
    low: differences[u]!,
    high: differences[differences.length - 1 - u]!,
    level: coverage,
  });
  const [m, n] = [first.length, second.length];
  if (m + n > MOST_EXACT) {
    const distance = zBeyond(1 - level) * Math.sqrt((m * n * (m + n + 1)) / 12);
    const u = Math.floor((m * n) / 2 - distance) - 1;
    return { shift, interval: u < 0 ? null : between(u, level) };
  }
  let interval: Interval | null = null;
  let below = 0;
  for (const [u, probability] of distributionOfU(m, n).entries()) {
    below += probability;
    const coverage = 1 - 2 * below;
    if (coverage < level || 2 * u + 1 >= differences.length) break;
    interval = between(u, coverage);
  }
  return { shift, interval };
}

/**
 * P(U = u) for u from 0 to mn where all orders of m and n distinct values are equally likely, by the recursion of Mann and Whitney
 * over which sample holds the largest value: P(m, n, u) = m/(m+n) · P(m−1, n, u−n) + n/(m+n) · P(m, n−1, u).
 */
function distributionOfU(m: number, n: number): Float64Array {
  // One row over n for each m: `before` is the row of m − 1.
  let before: Float64Array[] = Array.from({ length: n + 1 }, () => Float64Array.of(1));
  for (let i = 1; i <= m; i++) {
    const row: Float64Array[] = [Float64Array.of(1)];
    for (let j = 1; j <= n; j++) {
      const probability = new Float64Array(i * j + 1);
      for (let u = 0; u <= i * j; u++) {
        const fromFirst = (i * (before[j]![u - j] ?? 0)) / (i + j);
        const fromSecond = (j * (row[j - 1]![u] ?? 0)) / (i + j);
        probability[u] = fromFirst + fromSecond;
      }
      row.push(probability);
    }
    before = row;
  }
  return before[n]!;
}
