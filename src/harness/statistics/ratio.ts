import { type Biweight, biweight, fewestValues } from "./biweight.js";
import { hodgesLehmann } from "./hodges-lehmann.js";
import type { Interval } from "./interval.js";
import { signFlipInterval, signFlipP } from "./sign-flips.js";
import { tBeyond, twoSidedT } from "./student-t.js";

/** How many times the base the other one is, over pairs measured next to each other. */
export interface Ratio {
  readonly ratio: number;
  /** null where the pairs cannot carry one: fewer than `fewestPairs`. */
  readonly interval: Interval | null;
  /** Two-sided, that the ratio is 1: from the same procedure as the interval. */
  readonly p: number;
  readonly pairs: number;
  readonly method: Method;
}

/**
 * "biweight": Tukey's biweight with sign flips and Student's t. "ranks": Hodges-Lehmann and its rank test, where more than half of the values are
 * equal or they are few.
 */
export type Method = "biweight" | "ranks";

/** Coverage of every interval of a ratio. */
const level = 0.95;

/**
 * What share of the error that is allowed Student's t may make, the sign-flip test the rest. With few blocks few assignments of signs are left once
 * some blocks are disturbed, and t has to find the difference; with many it is hardly needed. Six blocks: 2 of 64 assignments are 62.5% of 5%.
 */
function studentShare(pairs: number): number {
  if (pairs < 8) return 0.375;
  return pairs < 10 ? 0.2 : 0.1;
}

/** Fewer have no interval. */
export const fewestPairs = fewestValues;

/**
 * The logarithm of other ÷ base, so that 10 and 11 are exactly as far apart as 11 and 10: whole milliseconds must tie. NaN where one of the
 * two is not above 0.
 */
export function logRatio(base: number, other: number): number {
  if (!(base > 0 && other > 0)) return Number.NaN;
  return other >= base ? Math.log(other / base) : -Math.log(base / other);
}

/**
 * The logarithms of the ratios of pairs: `base[i]` and `other[i]` are one pair, e.g. the trials of one block. null where there are none, or a
 * value is not above 0. Throws a RangeError for lists of different length.
 */
export function logRatios(base: readonly number[], other: readonly number[]): readonly number[] | null {
  if (base.length !== other.length)
    throw new RangeError(`${base.length} base values against ${other.length}: not pairs`);
  const logs = base.map((value, pair) => logRatio(value, other[pair]!));
  return logs.length === 0 || logs.some(Number.isNaN) ? null : logs;
}

/**
 * The ratio of two cores over pairs, so estimated that a few disturbed pairs neither hide a difference nor make one: Tukey's biweight of the
 * log-ratios. No pair is dropped or measured again. Two tests share the error that is allowed (Bonferroni): the exact sign-flip test, which is right
 * whatever the noise (sign-flips.ts), and Student's t of the biweight, which finds a difference where disturbed pairs leave too few signs
 * (biweight.ts). p is the smaller of their two, each divided by its share; the interval is what lies in both of theirs.
 *
 * Where the biweight has no spread to work with (most pairs have one ratio, as whole milliseconds can) or there are fewer than `fewestPairs`, the
 * Hodges-Lehmann estimate, its exact interval and the exact signed-rank test. Simulated beside its rivals in `npm run bench -- power`.
 *
 * Source: beside those of the procedures, on paired log-ratios in benchmarking: T. Kalibera and R. Jones, "Rigorous benchmarking in reasonable
 * time", ISMM 2013.
 */
export function pairedRatio(base: readonly number[], other: readonly number[]): Ratio | null {
  const logs = logRatios(base, other);
  return logs && ratioOfLogs(logs);
}

/** The same from the logarithms of the ratios; at least one. */
export function ratioOfLogs(logs: readonly number[]): Ratio {
  const found = biweight(logs);
  if (found !== null) {
    const interval = exponential(intervalOfBoth(logs, found));
    return {
      ratio: Math.exp(found.location),
      interval,
      p: pOfBoth(logs, found),
      pairs: logs.length,
      method: "biweight",
    };
  }
  const { location, interval, p } = hodgesLehmann(logs, level);
  return {
    ratio: Math.exp(location),
    interval: interval && exponential(interval),
    p,
    pairs: logs.length,
    method: "ranks",
  };
}

/** The p of `pairedRatio` from the logarithms of ratios, without the interval, which takes most of the time. */
export function pairedP(logs: readonly number[]): number {
  const found = biweight(logs);
  return found === null ? hodgesLehmann(logs, level).p : pOfBoth(logs, found);
}

function pOfBoth(logs: readonly number[], { location, standardError, freedom }: Biweight): number {
  const share = studentShare(logs.length);
  const student = twoSidedT(location / standardError, freedom) / share;
  return Math.min(1, student, signFlipP(logs) / (1 - share));
}

function intervalOfBoth(logs: readonly number[], { location, standardError, freedom }: Biweight): Interval {
  const share = studentShare(logs.length);
  const alpha = 1 - level;
  const half = tBeyond(alpha * share, freedom) * standardError;
  const flips = signFlipInterval(logs, { centre: location, step: standardError }, 1 - alpha * (1 - share));
  return { low: Math.max(location - half, flips.low), high: Math.min(location + half, flips.high), level };
}

/** A ratio from the location of its logarithm. */
export function studentRatio({
  location,
  standardError,
  freedom,
}: {
  readonly location: number;
  readonly standardError: number;
  readonly freedom: number;
}): Pick<Ratio, "ratio" | "interval" | "p"> {
  const half = tBeyond(1 - level, freedom) * standardError;
  return {
    ratio: Math.exp(location),
    interval: exponential({ low: location - half, high: location + half, level }),
    p: twoSidedT(location / standardError, freedom),
  };
}

/** An interval of a logarithm as one of what it is the logarithm of. */
export function exponential({ low, high, level: coverage }: Interval): Interval {
  return { low: Math.exp(low), high: Math.exp(high), level: coverage };
}

/** Significant: the interval leaves out 1. Without an interval nothing is. */
export function excludesOne({ interval }: Pick<Ratio, "interval">): boolean {
  return interval !== null && (interval.low > 1 || interval.high < 1);
}
