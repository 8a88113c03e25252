import { suite } from "uvu";
import * as assert from "uvu/assert";
import { holm } from "../../../src/harness/statistics/holm.js";
import { twoSidedNormal } from "../../../src/harness/statistics/normal.js";
import { type Random, seededRandom } from "../../../src/harness/statistics/random.js";
import { rankSum, smallestRankSumP } from "../../../src/harness/statistics/rank-sum.js";
import { midranks } from "../../../src/harness/statistics/ranks.js";
import { signedRank, smallestSignedRankP } from "../../../src/harness/statistics/signed-rank.js";

const near = (value: number, expected: number, tolerance: number, what = ""): void =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${what} ${value}, not ${expected}`);
const minus = (x: readonly number[], y: readonly number[]): readonly number[] =>
  x.map((value, index) => value - y[index]!);

/** Ranks by counting, not by sorting. */
const ranksByCounting = (values: readonly number[]): readonly number[] =>
  values.map(
    (value) =>
      values.filter((other) => other < value).length + (values.filter((other) => other === value).length + 1) / 2,
  );

/** The two-sided p of a statistic among those of all equally likely arrangements. */
function shareAsFar(statistics: readonly number[], found: number): number {
  const mean = statistics.reduce((sum, value) => sum + value, 0) / statistics.length;
  const far = statistics.filter((value) => Math.abs(value - mean) >= Math.abs(found - mean) - 1e-9);
  return far.length / statistics.length;
}

/** Values drawn from a few whole numbers, so that many are equal. */
const tied = (random: Random, count: number, kinds: number): readonly number[] =>
  Array.from({ length: count }, () => Math.floor(random() * kinds) - Math.floor(kinds / 2));

const ranking = suite("midranks");

ranking("equal values share the mean of their ranks", () => {
  assert.equal(midranks([30, 10, 20, 10, 40, 10]), [5, 2, 4, 2, 6, 2]);
  assert.equal(midranks([]), []);
  const random = seededRandom(3);
  for (let round = 0; round < 100; round++) {
    const values = tied(random, 1 + Math.floor(random() * 20), 6);
    assert.equal(midranks(values), ranksByCounting(values));
  }
});

ranking.run();

const signed = suite("Wilcoxon signed-rank");

signed("the depression scores of Hollander and Wolfe, R's own example: V = 40, one-sided p = 0.01953", () => {
  // R, ?wilcox.test; Hollander and Wolfe, Nonparametric Statistical Methods, 1973, p. 29.
  const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
  const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
  const { statistic, p, exact } = signedRank(minus(before, after));
  assert.is(statistic, 40);
  near(p, 2 * 0.01953125, 1e-12);
  assert.ok(exact);
});

signed("a textbook's pairs with ties and zeros: V = 13, exact p = 0.1367", () => {
  // J. Bortz, G. Lienert, K. Boehnke, Verteilungsfreie Methoden in der Biostatistik; by R's exactRankTests on r-help, 2006-08-25.
  const first = [9, 14, 8, 11, 14, 10, 8, 14, 12, 14, 13, 9, 15, 12, 9];
  const second = [13, 15, 9, 12, 16, 10, 8, 13, 12, 16, 9, 10, 16, 12, 9];
  const { statistic, p } = signedRank(minus(first, second));
  assert.is(statistic, 13);
  near(p, 0.1367, 5e-5);
});

signed("critical values are those of Wilcoxon's table", () => {
  // Two-sided 5%, n and largest T: F. Wilcoxon and R. Wilcox, Some Rapid Approximate Statistical Procedures, 1964, table 2.
  const table = [
    [6, 0],
    [7, 2],
    [8, 3],
    [9, 5],
    [10, 8],
    [11, 10],
    [12, 13],
    [13, 17],
    [14, 21],
    [15, 25],
    [16, 29],
    [20, 52],
    [25, 89],
  ] as const;
  for (const [n, critical] of table) {
    /** Ranks 1 to n, of which those that sum to `sum` are negative. */
    const p = (sum: number): number => {
      let left = sum;
      const differences = Array.from({ length: n }, (_, index) => n - index).map((rank) => {
        if (rank > left) return rank;
        left -= rank;
        return -rank;
      });
      return signedRank(differences).p;
    };
    assert.ok(p(critical) <= 0.0501, `${n}: ${p(critical)}`);
    assert.ok(p(critical + 1) > 0.05, `${n}: ${p(critical + 1)}`);
  }
});

signed("agrees with all 2^n signs, counted one by one, with ties and zeros", () => {
  const random = seededRandom(5);
  for (let round = 0; round < 120; round++) {
    const differences = tied(random, 1 + Math.floor(random() * 10), 3 + Math.floor(random() * 12));
    const used = differences.filter((value) => value !== 0);
    const ranks = ranksByCounting(used.map(Math.abs));
    const sumOf = (positive: (index: number) => boolean): number =>
      ranks.reduce((sum, rank, index) => sum + (positive(index) ? rank : 0), 0);
    const all = Array.from({ length: 2 ** used.length }, (_, signs) => sumOf((index) => ((signs >> index) & 1) === 1));
    const found = sumOf((index) => used[index]! > 0);
    assert.is(signedRank(differences).statistic, found);
    near(signedRank(differences).p, shareAsFar(all, found), 1e-12, `${differences}`);
  }
});

signed("differences of 0 say nothing, and one sign throughout is the smallest p", () => {
  assert.equal(signedRank([]), { statistic: 0, p: 1, exact: true });
  assert.equal(signedRank([0, 0, 0]), { statistic: 0, p: 1, exact: true });
  for (const n of [1, 4, 7, 10]) {
    near(signedRank(Array.from({ length: n }, (_, index) => index + 1)).p, smallestSignedRankP(n), 1e-15);
  }
  near(smallestSignedRankP(10), 2 / 1024, 1e-15);
});

signed("beyond the exact sizes the normal approximation takes over where the exact one ends", () => {
  const random = seededRandom(8);
  for (let round = 0; round < 10; round++) {
    const differences = Array.from({ length: 100 }, () => Math.round(100 * (random() - 0.45)));
    const exact = signedRank(differences);
    assert.ok(exact.exact);
    // One more, of the smallest rank, changes little but the method.
    const approximate = signedRank([...differences.map((value) => (value === 0 ? 1 : value)), 0.1, -0.1]);
    assert.not.ok(approximate.exact);
    near(approximate.p, exact.p, 0.03);
  }
});

signed.run();

const summed = suite("Mann-Whitney U");
const permeability = [
  [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
  [1.15, 0.88, 0.9, 0.74, 1.21],
] as const;

summed("Hollander and Wolfe's permeabilities, R's and SAS's example: W = 35, p = 0.2544", () => {
  // R, ?wilcox.test (one-sided 0.1272); SAS PROC NPAR1WAY gives the exact two-sided 0.2544.
  const { statistic, p, exact } = rankSum(...permeability);
  assert.is(statistic, 35);
  near(p, 0.2544, 5e-5);
  assert.ok(exact);
});

summed("the examples of Sprent and Smeeton, without ties and with them", () => {
  // P. Sprent and N. Smeeton, Applied Nonparametric Statistical Methods, 4th ed., examples 6.1 and 6.4; figures by R's ANSM5.
  const a = [23, 18, 17, 25, 22, 19, 31, 26, 29, 33];
  const b = [21, 28, 32, 30, 41, 24, 35, 34, 27, 39, 36];
  assert.is(rankSum(a, b).statistic, 21);
  assert.is(rankSum(b, a).statistic, 89);
  near(rankSum(a, b).p, 0.015871126, 1e-9);
  const c = [16, 18, 19, 22, 22, 25, 28, 28, 28, 31, 33];
  const d = [22, 23, 25, 27, 27, 28, 30, 32, 33, 35, 36, 38, 38];
  // They double the smaller tail, which with ties is not quite both tails: 0.03586652.
  near(rankSum(c, d).p, 0.0358665, 5e-6);
});

summed("the blood pressures of StatXact, with ties: p = 0.0989", () => {
  // Cytel, StatXact 5; the same figure is a regression test of R's exactRankTests.
  const treated = [94, 108, 110, 90];
  const control = [80, 94, 85, 90, 90, 90, 108, 94, 78, 105, 88];
  near(rankSum(treated, control).p, 0.0989, 5e-5);
});

summed("agrees with all choices of one sample, counted one by one, with ties", () => {
  const random = seededRandom(6);
  for (let round = 0; round < 80; round++) {
    const [m, n] = [1 + Math.floor(random() * 6), 1 + Math.floor(random() * 6)];
    const values = tied(random, m + n, 2 + Math.floor(random() * 14));
    const ranks = ranksByCounting(values);
    const sums: number[] = [];
    for (let chosen = 0; chosen < 2 ** (m + n); chosen++) {
      const picked = ranks.filter((_, index) => (chosen >> index) & 1);
      if (picked.length === m) sums.push(picked.reduce((sum, rank) => sum + rank, 0));
    }
    const found = ranks.slice(0, m).reduce((sum, rank) => sum + rank, 0);
    const { statistic, p } = rankSum(values.slice(0, m), values.slice(m));
    assert.is(statistic, found - (m * (m + 1)) / 2);
    near(p, shareAsFar(sums, found), 1e-12, `${values} (${m})`);
  }
});

summed("samples apart have the smallest p, samples without values or all equal say nothing", () => {
  near(rankSum([1, 2, 3, 4], [5, 6, 7, 8]).p, smallestRankSumP(4, 4), 1e-15);
  near(smallestRankSumP(4, 4), 2 / 70, 1e-15);
  near(smallestRankSumP(10, 3), 2 / 286, 1e-15);
  assert.is(rankSum([], [1, 2]).p, 1);
  assert.is(rankSum([5, 5, 5], [5, 5]).p, 1);
  assert.is(rankSum(new Array<number>(40).fill(5), new Array<number>(40).fill(5)).p, 1);
});

summed("large samples take the normal approximation with ties, as SciPy does", () => {
  // scipy.stats.mannwhitneyu(first, second, method="asymptotic"), SciPy 1.17.1: U = 520.5, p = 0.05704883898815104.
  const first = [
    23, 15, 14, 22, 3, 17, 25, 24, 4, 29, 26, 27, 27, 18, 17, 22, 19, 11, 3, 5, 15, 7, 5, 14, 19, 12, 3, 25, 20, 15, 7,
    6, 27, 11, 10, 25, 6, 15, 8, 15,
  ];
  const second = [
    6, 30, 19, 15, 19, 11, 4, 10, 5, 32, 29, 18, 6, 30, 26, 9, 21, 26, 6, 32, 27, 27, 7, 13, 16, 22, 29, 28, 33, 19, 18,
    16, 23, 13, 25,
  ];
  const { statistic, p, exact } = rankSum(first, second);
  assert.not.ok(exact);
  assert.is(statistic, 520.5);
  near(p, 0.05704883898815104, 1e-7);
});

summed.run();

const corrected = suite("Holm's correction");

corrected("four tests as they are worked in the common example", () => {
  // p = 0.01, 0.04, 0.03, 0.005 at 5%: the first and the last are rejected (Wikipedia, "Holm–Bonferroni method").
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [index, expected] of [0.03, 0.06, 0.06, 0.02].entries()) near(adjusted[index]!, expected, 1e-12);
});

corrected("decides as the step-down rule of the paper, written out", () => {
  const random = seededRandom(4);
  for (let round = 0; round < 200; round++) {
    const pValues = Array.from({ length: 1 + Math.floor(random() * 8) }, () => random() ** 3);
    const adjusted = holm(pValues);
    for (const alpha of [0.01, 0.05, 0.2]) {
      const left = [...pValues].sort((a, b) => a - b);
      const rejected = new Set<number>();
      while (left.length > 0 && left[0]! <= alpha / left.length) rejected.add(left.shift()!);
      assert.equal(
        adjusted.map((p) => p <= alpha),
        pValues.map((p) => rejected.has(p)),
      );
    }
  }
});

corrected("one test is left as it is, none gives none, and no p is above 1", () => {
  assert.equal(holm([0.3]), [0.3]);
  assert.equal(holm([]), []);
  assert.equal(holm([0.9, 0.8]), [1, 1]);
});

corrected.run();

const tails = suite("normal tails");

tails("are those of the tables", () => {
  // Abramowitz and Stegun, table 26.1 and 26.2: 2 · Q(z).
  const table = [
    [0, 1],
    [1, 0.3173105079],
    [1.959963985, 0.05],
    [2.575829304, 0.01],
    [3, 0.002699796],
    [5, 5.733031e-7],
  ] as const;
  for (const [z, p] of table) {
    near(twoSidedNormal(z) / p, 1, 1e-6);
    assert.is(twoSidedNormal(-z), twoSidedNormal(z));
  }
});

tails.run();
