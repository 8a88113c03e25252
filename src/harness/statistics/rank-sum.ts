import { twoSidedNormal } from "./normal.js";
import { midranks, type RankTest, tieTerm } from "./ranks.js";

/** Values of both samples together up to which the permutation distribution is counted. */
const MOST_EXACT = 60;

/**
 * The Mann-Whitney U test, Wilcoxon's rank-sum test: do two samples that are not paired come from one distribution? The statistic is U of
 * the first, the number of pairs in which it is the larger one, ties counted half (R's W). Without a value on either side p is 1.
 *
 * Exact by the shift algorithm over the midranks found, so ties are exact too; beyond that the normal approximation with tie and
 * continuity correction.
 *
 * Source: H. Mann and D. Whitney, "On a test of whether one of two random variables is stochastically larger than the other", Annals of
 * Mathematical Statistics 18(1), 1947; B. Streitberg and J. Röhmel, "Exact distributions for permutation and rank tests", Statistical
 * Software Newsletter 12(1), 1986; M. Hollander and D. Wolfe, Nonparametric Statistical Methods, 2nd ed., 1999, section 4.1 (ties: 4.13).
 */
export function rankSum(first: readonly number[], second: readonly number[]): RankTest {
  const [m, n] = [first.length, second.length];
  const ranks = midranks([...first, ...second]);
  const sum = ranks.slice(0, m).reduce((total, rank) => total + rank, 0);
  const statistic = sum - (m * (m + 1)) / 2;
  const distance = Math.abs(statistic - (m * n) / 2);
  if (m === 0 || n === 0) return { statistic, p: 1, exact: true };
  if (m + n <= MOST_EXACT) return { statistic, p: exactTails(ranks, m, distance), exact: true };
  const all = m + n;
  const variance = ((m * n) / 12) * (all + 1 - tieTerm(ranks) / (all * (all - 1)));
  const p = variance === 0 ? 1 : twoSidedNormal(Math.max(0, distance - 0.5) / Math.sqrt(variance));
  return { statistic, p, exact: false };
}

/** The share of all choices of `m` of the ranks whose sum lies at least `distance` from its expectation. */
function exactTails(ranks: readonly number[], m: number, distance: number): number {
  // Twice a midrank is whole, so the sums index an array. Counts stay below 2^60 and keep 53 bits: an error of 10^-16 in p.
  const doubled = ranks.map((rank) => 2 * rank);
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const counts = Array.from({ length: m + 1 }, () => new Float64Array(total + 1));
  counts[0]![0] = 1;
  for (const rank of doubled) {
    for (let chosen = m; chosen >= 1; chosen--) {
      const fewer = counts[chosen - 1]!;
      const these = counts[chosen]!;
      for (let sum = total; sum >= rank; sum--) these[sum]! += fewer[sum - rank]!;
    }
  }
  const expected = (m * total) / ranks.length;
  let all = 0;
  let far = 0;
  for (const [sum, count] of counts[m]!.entries()) {
    all += count;
    if (Math.abs(sum - expected) >= 2 * distance - 1e-9) far += count;
  }
  return far / all;
}

/** The smallest p that samples of these sizes can have: one wholly above the other, 2 ÷ (m + n over m). */
export function smallestRankSumP(m: number, n: number): number {
  let choices = 1;
  for (let k = 1; k <= m; k++) choices = (choices * (n + k)) / k;
  return Math.min(1, 2 / choices);
}
