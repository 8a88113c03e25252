import { requestsPerSecond } from "../drivers/rate.js";
import { median } from "../statistics/median.js";
import { limits, type Warning } from "./findings.js";
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

/** Trials whose speed lies far from that of the others: something else ran beside them. They are kept, and told of. */
export function disturbed(trials: readonly RanTrial[]): readonly Warning[] {
  const speeds = trials.map(({ run }) => requestsPerSecond(run));
  const usual = median(speeds);
  const scores = modifiedZScores(speeds);
  const far = speeds.filter(
    (speed, index) => scores[index]! > limits.outlierScore && Math.abs(speed / usual - 1) > limits.outlierShare,
  );
  const [first, ...rest] = far;
  if (first === undefined) return [];
  const farthest = rest.reduce((a, b) => (Math.abs(b - usual) > Math.abs(a - usual) ? b : a), first);
  return [{ code: "disturbed", trials: far.length, requestsPerSecond: farthest, median: usual }];
}
