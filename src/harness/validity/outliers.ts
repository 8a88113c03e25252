import { requestsPerSecond } from "../drivers/rate.js";
import { median } from "../statistics/median.js";
import { thresholds, type Warning } from "./diagnostics.js";
import type { RanTrial } from "./saturation.js";

/**
 * Modified z-scores: 0.6745 × distance from the median ÷ median absolute distance (MAD), signless; 0.6745 is what makes the MAD of a normal
 * distribution its standard deviation. Infinite where more than half of the values are equal and one is not.
 * Source: B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers, 1993 (NIST/SEMATECH e-Handbook, 1.3.5.17).
 */
export function modifiedZScores(values: readonly number[]): readonly number[] {
  const middle = median(values);
  const distances = values.map((value) => Math.abs(value - middle));
  const usual = median(distances);
  return distances.map((distance) => (distance === 0 ? 0 : (0.6745 * distance) / usual));
}

/** By the number of trials: the score that the largest of so many normal values passes in 1.5 of 100 cases (simulated, in the test beside it). */
const highestScores: Readonly<Record<number, number>> = { 5: 15, 6: 8.7, 7: 9.2, 8: 6.9, 9: 7.6 };

/**
 * The modified z-score above which a trial counts as disturbed: so high that of clean cells 1 to 2% have one. The MAD of few values
 * is often much too small, so the customary 3.5 finds one in every tenth clean cell. Infinite below five trials.
 */
export function disturbedScore(trials: number): number {
  return trials < 5 ? Number.POSITIVE_INFINITY : (highestScores[trials] ?? 3.9 + 22 / trials);
}

/** Trials whose speed lies far from that of the others: something else ran beside them. They are kept, and told of. */
export function disturbed(trials: readonly RanTrial[]): readonly Warning[] {
  const speeds = trials.map(({ run }) => requestsPerSecond(run));
  const usual = median(speeds);
  const scores = modifiedZScores(speeds);
  const far = speeds.filter(
    (speed, index) =>
      scores[index]! > disturbedScore(speeds.length) && Math.abs(speed / usual - 1) > thresholds.outlierShare,
  );
  const [first, ...rest] = far;
  if (first === undefined) return [];
  const farthest = rest.reduce((a, b) => (Math.abs(b - usual) > Math.abs(a - usual) ? b : a), first);
  return [{ code: "disturbed", trials: far.length, requestsPerSecond: farthest, median: usual }];
}
