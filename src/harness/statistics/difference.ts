import { holm } from "./holm.js";
import { rankSum, smallestRankSumP } from "./rank-sum.js";
import { excludesOne, pairedRatio, type Ratio, type RatioOptions } from "./ratio.js";
import { shiftBetween } from "./shift.js";
import { signedRank, smallestSignedRankP } from "./signed-rank.js";

/** The chance of calling any difference in a family of comparisons where there is none. */
export const alpha = 0.05;

/** What the trials of two cells say about one metric, before anything else is known. */
export interface Evidence {
  readonly ratio: Ratio;
  /** Of the rank test, for this comparison alone. */
  readonly p: number;
  /** The smallest p that this many trials a side could have given. */
  readonly smallestP: (trials: number) => number;
  /** Trials a side: pairs, or the fewer of two samples. */
  readonly trials: number;
}

/** Why no difference is called. */
export type Doubt =
  /** Not even trials that all say the same could be significant among `family` comparisons: `needed` could. */
  | { readonly code: "too-few-trials"; readonly trials: number; readonly needed: number; readonly family: number }
  /** The trials are too alike to tell their spread. */
  | { readonly code: "no-spread" }
  /** `alone`: it would be, if it were the only comparison. */
  | { readonly code: "not-significant"; readonly p: number; readonly family: number; readonly alone: boolean }
  /** Significant by the ranks, but a trial far out makes the interval of the ratio hold 1. */
  | { readonly code: "interval-holds-one" }
  /** No larger than what the same core shows against itself: `floor` as a ratio above 1. */
  | { readonly code: "below-noise-floor"; readonly floor: number };

/** How one cell compares with another in one metric. */
export interface Difference extends Ratio {
  /** Two-sided, of the rank test for this comparison alone. */
  readonly p: number;
  /** Holm's correction over the `family` comparisons of this metric. */
  readonly correctedP: number;
  readonly family: number;
  /** "none": none was found, which does not prove that there is none. "undecided": none could have been found. */
  readonly verdict: "higher" | "lower" | "none" | "undecided";
  /** Empty for a difference that is called. */
  readonly doubts: readonly Doubt[];
}

/** Pairs from one block each: the paired ratio and Wilcoxon's signed ranks of its logarithms. null where a value is not above 0. */
export function pairedEvidence(
  base: readonly number[],
  other: readonly number[],
  options: RatioOptions,
): Evidence | null {
  const ratio = pairedRatio(base, other, options);
  if (ratio === null) return null;
  const logs = base.map((value, pair) => Math.log(other[pair]! / value));
  return { ratio, p: signedRank(logs).p, smallestP: smallestSignedRankP, trials: base.length };
}

/**
 * Two samples measured at different times: the Hodges-Lehmann estimate of the ratio with its distribution-free interval, and
 * Mann-Whitney. null where a value is not above 0 or a sample is empty.
 */
export function unpairedEvidence(base: readonly number[], other: readonly number[]): Evidence | null {
  const trials = Math.min(base.length, other.length);
  if (trials === 0 || [...base, ...other].some((value) => !(value > 0))) return null;
  const { shift, interval } = shiftBetween(base.map(Math.log), other.map(Math.log));
  return {
    ratio: {
      ratio: Math.exp(shift),
      interval: interval && { ...interval, low: Math.exp(interval.low), high: Math.exp(interval.high) },
      pairs: trials,
    },
    p: rankSum(base, other).p,
    smallestP: (count) => smallestRankSumP(count, count),
    trials,
  };
}

/**
 * Judges comparisons of one metric together, in the order given. A difference is called where the rank test, corrected by Holm over all of
 * them, is significant at `alpha`, the interval of the ratio leaves out 1, and the ratio is farther from 1 than the noise floor (a ratio
 * above 1; null: not measured). So of all families in which nothing differs, at most `alpha` hold a call.
 */
export function judge(
  family: readonly (Evidence | null)[],
  noiseFloor: number | null = null,
): readonly (Difference | null)[] {
  const known = family.filter((evidence) => evidence !== null);
  const corrected = holm(known.map(({ p }) => p));
  return family.map((evidence) => {
    if (evidence === null) return null;
    const correctedP = corrected[known.indexOf(evidence)]!;
    const doubts = doubtsOf(evidence, correctedP, known.length, noiseFloor);
    const undecided = doubts.some(({ code }) => code === "too-few-trials" || code === "no-spread");
    const called = evidence.ratio.ratio > 1 ? "higher" : "lower";
    return {
      ...evidence.ratio,
      p: evidence.p,
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
  { ratio, p, smallestP, trials }: Evidence,
  correctedP: number,
  family: number,
  noiseFloor: number | null,
): readonly Doubt[] {
  const significant = correctedP <= alpha;
  // Holm tests the smallest p of the family at α ÷ family: where that is out of reach for one, it is for all of as many trials.
  const enough = (count: number): boolean => smallestP(count) * family <= alpha;
  if (!significant && !enough(trials)) {
    let needed = trials + 1;
    while (!enough(needed)) needed++;
    return [{ code: "too-few-trials", trials, needed, family }];
  }
  if (ratio.interval === null) return [{ code: "no-spread" }];
  const doubts: Doubt[] = [];
  if (!significant) doubts.push({ code: "not-significant", p: correctedP, family, alone: p <= alpha });
  else if (!excludesOne(ratio)) doubts.push({ code: "interval-holds-one" });
  const distance = Math.max(ratio.ratio, 1 / ratio.ratio);
  if (noiseFloor !== null && distance <= noiseFloor) doubts.push({ code: "below-noise-floor", floor: noiseFloor });
  return doubts;
}
