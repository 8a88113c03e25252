import type { Interval } from "./interval.js";

function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/** The median; the mean of the two middle values where their number is even. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/**
 * A confidence interval of the median that assumes nothing about the distribution: two order statistics, x(k) and
 * x(n−k+1), for the largest k whose exact binomial coverage 1 − 2·P(Bin(n, ½) < k) still reaches `level`.
 * Returns that coverage as the level of the interval, or null where not even [minimum, maximum] reaches it
 * (fewer than 6 values at 95%).
 *
 * Source: W. J. Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2; the same intervals are tabulated in
 * J.-Y. Le Boudec, Performance Evaluation of Computer and Communication Systems, appendix A.
 */
export function medianInterval(values: readonly number[], level = 0.95): Interval | null {
  const n = values.length;
  const sorted = ascending(values);
  let found: Interval | null = null;
  let term = 0.5 ** n;
  let belowK = term;
  for (let k = 1; k <= n / 2; k++) {
    const coverage = 1 - 2 * belowK;
    if (coverage < level) break;
    found = { low: sorted[k - 1]!, high: sorted[n - k]!, level: coverage };
    term *= (n - k + 1) / k;
    belowK += term;
  }
  return found;
}
