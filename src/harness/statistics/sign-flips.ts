import type { Interval } from "./interval.js";
import { median } from "./median.js";
import { twoSidedNormal } from "./normal.js";

/** Multiples of the median absolute deviation beyond the median distance at which a value's score has fallen to its least. */
const REACH = 5;

/** The least score of a distant value, as a share of the median distance: it breaks ties between assignments of signs, no more. */
const LEAST_SHARE = 0.05;

/** Scores become whole numbers that add up to about this, so that sums of them index an array. */
const TOTAL_SCORE = 1000;

/** Values up to which the distribution is counted, and up to which by going through all assignments of signs, which is faster then. */
const MOST_EXACT = 100;
const MOST_ASSIGNED = 11;

/** Each distance that is tried for the end of an interval is so many times the one before, from a quarter of the standard error on. */
const STEP = 1.19;
const HALVINGS = 12;

/**
 * The sign-flip test that values lie symmetrically about 0: the probability, if each had its sign by the toss of a coin, of a sum of signed scores
 * as far from 0 as the one found, or farther. A value's score is its distance from 0, except that distances far beyond the others count less and
 * less (by Tukey's biweight), so that disturbed values neither make a difference nor hide one. Scores do not depend on signs, so p is exact for
 * any number of values and any noise, the rounding of the scores included; above 100 values it is the normal approximation.
 *
 * Differences of two cores have such signs where both perform alike, if a coin decided which of the two came first: the test then assumes nothing
 * of the noise, not even that blocks are independent. 1 where there is no value but 0.
 *
 * Source: R. A. Fisher, The Design of Experiments, 1935, section 21; scores that fall off, and the interval: J. S. Maritz, "A note on exact robust
 * confidence intervals for location", Biometrika 66(1), 1979; counting: B. Streitberg and J. Röhmel, "Exact distributions for permutation and
 * rank tests", Statistical Software Newsletter 12(1), 1986.
 */
export function signFlipP(values: readonly number[]): number {
  const distances = values.map(Math.abs);
  const scores = scoresOf(distances);
  const all = scores.reduce((sum, score) => sum + score, 0);
  if (!(all > 0)) return 1;
  if (values.length > MOST_EXACT) {
    const sum = scores.reduce((total, score, index) => total + Math.sign(values[index]!) * score, 0);
    return twoSidedNormal(sum / Math.hypot(...scores));
  }
  // Upwards, so that no sign but that of 0 is without meaning.
  const whole = scores.map((score) => Math.ceil((score / all) * TOTAL_SCORE));
  return exactTails(
    whole,
    whole.reduce((sum, score, index) => sum + Math.sign(values[index]!) * score, 0),
  );
}

/**
 * The interval that belongs to the test: the shifts of the values on either side of `centre`, as far as the test goes on not to reject them at
 * 1 − `level`. What it does not reject farther out, beyond a gap, is left out: simulated, that covers as often as the test promises, and an interval
 * over the gap is up to five times as wide. `centre` is an estimate of the location, and `step` a length such as its standard error, by which
 * distances from it are tried. Ends within the values where 2 ÷ 2ⁿ is at most 1 − `level`.
 */
export function signFlipInterval(
  values: readonly number[],
  { centre, step }: { readonly centre: number; readonly step: number },
  level: number,
): Interval {
  const rejects = (shift: number): boolean => atMost(signFlipP(values.map((value) => value - shift)), 1 - level);
  const end = (sign: 1 | -1): number => {
    const farthest = Math.max(...values.map((value) => sign * (value - centre)), step) * (1 + 1e-9);
    let inner = 0;
    let outer = Math.min(step / 4, farthest);
    while (outer < farthest && !rejects(centre + sign * outer)) {
      inner = outer;
      outer = Math.min(outer * STEP, farthest);
    }
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = (inner + outer) / 2;
      if (rejects(centre + sign * middle)) outer = middle;
      else inner = middle;
    }
    return centre + sign * outer;
  };
  return { low: end(-1), high: end(1), level };
}

/** p at most α, up to the rounding of both: 2 ÷ 2⁶ is 62.5% of 5%. */
function atMost(p: number, alpha: number): boolean {
  return p <= alpha * (1 + 1e-9);
}

function scoresOf(distances: readonly number[]): readonly number[] {
  const middle = median(distances);
  const reach = REACH * median(distances.map((distance) => Math.abs(distance - middle)));
  return distances.map((distance) => {
    if (distance <= middle) return distance;
    const u = (distance - middle) / reach;
    const weight = u < 1 ? (1 - u * u) ** 2 : 0;
    return Math.max(weight * distance, LEAST_SHARE * middle);
  });
}

/** The share of all 2ⁿ assignments of signs to these scores whose sum lies at least as far from 0 as `sum`. */
function exactTails(scores: readonly number[], sum: number): number {
  const far = Math.abs(sum);
  if (scores.length <= MOST_ASSIGNED) return farther(scores, 0, 0, far) / 2 ** scores.length;
  const total = scores.reduce((all, score) => all + score, 0);
  // By the sum of the scores with a positive sign: their signed sum is twice that, less the total.
  const probability = new Float64Array(total + 1);
  probability[0] = 1;
  let reached = 0;
  for (const score of scores) {
    for (let positive = reached; positive >= 0; positive--) {
      const half = probability[positive]! / 2;
      probability[positive] = half;
      probability[positive + score]! += half;
    }
    reached += score;
  }
  let tail = 0;
  for (let positive = Math.ceil((total + far) / 2); positive <= total; positive++) tail += probability[positive]!;
  return Math.min(1, 2 * tail);
}

/** How many assignments of signs to the scores from `index` on take `sum` at least `far` from 0. */
function farther(scores: readonly number[], index: number, sum: number, far: number): number {
  if (index === scores.length) return Math.abs(sum) >= far ? 1 : 0;
  const score = scores[index]!;
  return farther(scores, index + 1, sum + score, far) + farther(scores, index + 1, sum - score, far);
}
