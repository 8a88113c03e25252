import { twoSidedNormal } from "./normal.js";
import { midranks, type RankTest, tieTerm } from "./ranks.js";

/** Up to here the permutation distribution is cheap (n² sums for each of n ranks); R's wilcox.test changes over at 50. */
const MOST_EXACT = 100;

/**
 * Wilcoxon's signed-rank test: are paired differences symmetric about 0? The statistic is the sum of the ranks of the positive ones (R's V).
 * Differences of 0 are left out, as Wilcoxon does; equal ones share their ranks. Without a difference that is not 0, p is 1.
 *
 * Exact by the shift algorithm: each rank is added to the sum or not with probability ½, over the midranks found, so ties are exact too.
 * Beyond that the normal approximation with tie and continuity correction.
 *
 * Source: F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1(6), 1945; B. Streitberg and J. Röhmel, "Exact
 * distributions for permutation and rank tests", Statistical Software Newsletter 12(1), 1986; M. Hollander and D. Wolfe, Nonparametric
 * Statistical Methods, 2nd ed., 1999, section 3.1 (approximation: 3.7, ties: 3.11).
 */
export function signedRank(differences: readonly number[]): RankTest {
  const used = differences.filter((difference) => difference !== 0);
  const ranks = midranks(used.map(Math.abs));
  const statistic = ranks.reduce((sum, rank, index) => (used[index]! > 0 ? sum + rank : sum), 0);
  const n = used.length;
  const expected = (n * (n + 1)) / 4;
  const distance = Math.abs(statistic - expected);
  if (n <= MOST_EXACT) return { statistic, p: exactTails(ranks, distance), exact: true };
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieTerm(ranks) / 48;
  return { statistic, p: twoSidedNormal(Math.max(0, distance - 0.5) / Math.sqrt(variance)), exact: false };
}

/** The probability that the sum of the ranks with a positive sign lies at least `distance` from its expectation. */
function exactTails(ranks: readonly number[], distance: number): number {
  // Twice a midrank is whole, so the sums index an array.
  const doubled = ranks.map((rank) => 2 * rank);
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const probability = new Float64Array(total + 1);
  probability[0] = 1;
  let reached = 0;
  for (const rank of doubled) {
    reached += rank;
    for (let sum = reached; sum >= 0; sum--) {
      probability[sum] = (probability[sum]! + (sum >= rank ? probability[sum - rank]! : 0)) / 2;
    }
  }
  return probability.reduce((p, share, sum) => (Math.abs(2 * sum - total) >= 4 * distance ? p + share : p), 0);
}

/** The smallest p that `pairs` differences can have: all of one sign. */
export function smallestSignedRankP(pairs: number): number {
  return Math.min(1, 2 * 0.5 ** pairs);
}
