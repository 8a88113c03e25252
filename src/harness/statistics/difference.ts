import { biweight } from "./biweight.js";
import { holm } from "./holm.js";
import { rankSum, smallestRankSumP } from "./rank-sum.js";
import { excludesOne, exponential, fewestPairs, pairedRatio, type Ratio, studentRatio } from "./ratio.js";
import { shiftBetween } from "./shift.js";
import { smallestSignedRankP } from "./signed-rank.js";

/** The chance of calling any difference in a family of comparisons where there is none. */
export const alpha = 0.05;

/** What the trials of two cells say about one metric, before anything else is known. */
export interface TestResult {
  readonly ratio: Ratio;
  /** The smallest p that these trials could have given; 0: as small as one likes. */
  readonly smallestP: number;
  /** Trials a side that could show a difference among so many comparisons. */
  readonly needed: (family: number) => number;
}

/** Why no difference is called. */
export type Doubt =
  /** Not even trials that all say the same could be significant among `family` comparisons: `needed` could. */
  | { readonly code: "too-few-trials"; readonly trials: number; readonly needed: number; readonly family: number }
  /** `alone`: it would be, if it were the only comparison. */
  | { readonly code: "not-significant"; readonly p: number; readonly family: number; readonly alone: boolean }
  /** Significant, but the interval of the ratio holds 1: many values are equal, or the test has a gap there that an interval has not. */
  | { readonly code: "interval-holds-one" }
  /** No larger than what the same core shows against itself: `floor` as a ratio above 1. */
  | { readonly code: "below-noise-floor"; readonly floor: number };

/** How one cell compares with another in one metric. */
export interface Difference extends Ratio {
  /** Holm's correction over the `family` comparisons of this metric. */
  readonly correctedP: number;
  readonly family: number;
  /** "none": none was found, which does not prove that there is none. "undecided": none could have been found. */
  readonly verdict: "higher" | "lower" | "none" | "undecided";
  /** Empty for a difference that is called. */
  readonly doubts: readonly Doubt[];
}

/** Pairs from one block each. null where a value is not above 0. */
export function pairedTest(base: readonly number[], other: readonly number[]): TestResult | null {
  const ratio = pairedRatio(base, other);
  return ratio && testOf(ratio);
}

/** What a ratio of pairs says before it is judged. */
export function testOf(ratio: Ratio): TestResult {
  const isBiweight = ratio.method === "biweight";
  return {
    ratio,
    smallestP: isBiweight ? 0 : smallestSignedRankP(ratio.pairs),
    needed: (family) =>
      ratio.pairs < fewestPairs
        ? fewestPairs
        : firstAbove(ratio.pairs, (pairs) => smallestSignedRankP(pairs) * family <= alpha),
  };
}

/**
 * How a ratio changed between two sweeps: `before` and `after` hold the logarithms of the ratios of two cores in the blocks of each. What made
 * one of the sweeps faster or slower as a whole is in both cores, so it is in neither list. The difference of two biweights, with the fewer
 * of their degrees of freedom: with Welch's, four comparisons of autocorrelated trials called 8% where nothing differs. Where one of the two
 * has no spread or few values, Hodges-Lehmann and Mann-Whitney. null where a list is empty.
 */
export function changeTest(before: readonly number[], after: readonly number[]): TestResult | null {
  const pairs = Math.min(before.length, after.length);
  if (pairs === 0) return null;
  const [first, second] = [biweight(before), biweight(after)];
  if (first !== null && second !== null) {
    const found = {
      location: second.location - first.location,
      standardError: Math.hypot(first.standardError, second.standardError),
      freedom: Math.min(first.freedom, second.freedom),
    };
    return { ratio: { ...studentRatio(found), pairs, method: "biweight" }, smallestP: 0, needed: () => fewestPairs };
  }
  const { shift, interval } = shiftBetween(before, after);
  return {
    ratio: {
      ratio: Math.exp(shift),
      interval: interval && exponential(interval),
      p: rankSum(before, after).p,
      pairs,
      method: "ranks",
    },
    smallestP: smallestRankSumP(before.length, after.length),
    needed: (family) => firstAbove(pairs, (count) => smallestRankSumP(count, count) * family <= alpha),
  };
}

/** The first number above `number` that is enough. */
function firstAbove(number: number, enough: (count: number) => boolean): number {
  let needed = number + 1;
  while (!enough(needed)) needed++;
  return needed;
}

/**
 * Judges comparisons of one metric together, in the order given. A difference is called where p, corrected by Holm over all of
 * them, is at most `alpha`, the interval of the ratio leaves out 1, and the ratio is farther from 1 than the noise floor (a ratio
 * above 1; null: not measured). So of all families in which nothing differs, about `alpha` at most hold a call.
 */
export function judge(
  family: readonly (TestResult | null)[],
  noiseFloor: number | null = null,
): readonly (Difference | null)[] {
  const known = family.filter((tests) => tests !== null);
  const corrected = holm(known.map(({ ratio }) => ratio.p));
  return family.map((tests) => {
    if (tests === null) return null;
    const correctedP = corrected[known.indexOf(tests)]!;
    const doubts = doubtsOf(tests, correctedP, known.length, noiseFloor);
    const undecided = doubts.some(({ code }) => code === "too-few-trials");
    const called = tests.ratio.ratio > 1 ? "higher" : "lower";
    return {
      ...tests.ratio,
      correctedP,
      family: known.length,
      verdict: undecided ? "undecided" : doubts.length > 0 ? "none" : called,
      doubts,
    };
  });
}

/** A difference that is called. */
export function isCalled(difference: Difference): boolean {
  return difference.doubts.length === 0;
}

function doubtsOf(
  { ratio, smallestP, needed }: TestResult,
  correctedP: number,
  family: number,
  noiseFloor: number | null,
): readonly Doubt[] {
  const significant = correctedP <= alpha;
  // Holm tests the smallest p of the family at α ÷ family.
  if (!significant && smallestP * family > alpha) {
    return [{ code: "too-few-trials", trials: ratio.pairs, needed: needed(family), family }];
  }
  const doubts: Doubt[] = [];
  if (!significant) doubts.push({ code: "not-significant", p: correctedP, family, alone: ratio.p <= alpha });
  else if (!excludesOne(ratio)) doubts.push({ code: "interval-holds-one" });
  const distance = Math.max(ratio.ratio, 1 / ratio.ratio);
  if (noiseFloor !== null && distance <= noiseFloor) doubts.push({ code: "below-noise-floor", floor: noiseFloor });
  return doubts;
}
