import { biweight } from "../src/harness/statistics/biweight.js";
import { hodgesLehmann } from "../src/harness/statistics/hodges-lehmann.js";
import type { Interval } from "../src/harness/statistics/interval.js";
import type { Random } from "../src/harness/statistics/random.js";
import { logRatios, pairedP, pairedRatio } from "../src/harness/statistics/ratio.js";
import { signedRank } from "../src/harness/statistics/signed-rank.js";
import { tBeyond, twoSidedT } from "../src/harness/statistics/student-t.js";
import { bootstrapMean } from "./former/bootstrap-ratio.js";
import { blocksOf, type Noise } from "./noises.js";

/** Ways to a ratio from blocks of two cores, run beside each other on simulated blocks. */

/** What a procedure says of log-ratios. */
interface Diagnostic {
  /** Of the logarithm; null: none. */
  readonly interval: Interval | null;
  readonly p: number;
}

type Procedure = (logs: readonly number[], seed: number) => Diagnostic;

/** Comparisons of a family: the four concurrencies of a default sweep. */
const FAMILY = 4;
const ALPHA = 0.05;
/** Version 0.1 took 9,999; so many give the same interval to a few percent of its width. */
const RESAMPLES = 499;

export const procedures: Readonly<Record<"mean" | "ranks" | "student" | "sweep", Procedure>> = {
  /** Version 0.1: the mean of the logs with its bootstrap interval, and Wilcoxon's p beside it. */
  mean: (logs, seed) => ({ interval: bootstrapMean(logs, seed, RESAMPLES).interval, p: signedRank(logs).p }),
  ranks: (logs) => hodgesLehmann(logs),
  /** The biweight with Student's t alone. */
  student: (logs) => {
    const found = biweight(logs);
    if (found === null) return hodgesLehmann(logs);
    const { location, standardError, freedom } = found;
    const half = tBeyond(ALPHA, freedom) * standardError;
    const interval = { low: location - half, high: location + half, level: 1 - ALPHA };
    return { interval, p: twoSidedT(location / standardError, freedom) };
  },
  /** What a sweep does: the code of the harness itself. */
  sweep: (logs) => {
    const found = pairedRatio(
      logs.map(() => 1),
      logs.map(Math.exp),
    );
    if (found === null || found.interval === null) return { interval: null, p: 1 };
    const { low, high, level } = found.interval;
    return { interval: { low: Math.log(low), high: Math.log(high), level }, p: found.p };
  },
};

/** Shares of the experiments, 0 to 1. */
export interface Operating {
  readonly coverage: number;
  /** Median over the experiments of half the interval as a share of the ratio; null: more than half have no interval. */
  readonly halfWidth: number | null;
  /** A difference called where there is none. */
  readonly falseCalls: number;
  /** Any call in a family of four comparisons without a difference, after Holm. */
  readonly familyFalseCalls: number;
  /** By true ratio: found alone, and as the smallest p of four (at 5% ÷ 4). */
  readonly found: readonly { readonly ratio: number; readonly alone: number; readonly ofFour: number }[];
}

/** One procedure on `repetitions` simulated sweeps of so many blocks. */
export function operating(procedure: Procedure, { noise, blocks, ratios, repetitions, random }: Experiment): Operating {
  let covered = 0;
  let families = 0;
  const called = { alone: 0, family: 0 };
  const found = ratios.map((ratio) => ({ ratio, alone: 0, ofFour: 0 }));
  const widths: number[] = [];
  let inFamily: boolean[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const { base, other } = blocksOf(noise, random, blocks);
    const logs = logRatios(base.map(Math.exp), other.map(Math.exp))!;
    // Every procedure moves with its values: the interval of a true ratio is that of equal cores, moved.
    const { interval, p } = procedure(logs, repetition);
    const excludes = (by: number): boolean => interval !== null && (interval.low + by > 0 || interval.high + by < 0);
    if (interval !== null && interval.low <= 0 && interval.high >= 0) covered++;
    widths.push(interval === null ? Number.POSITIVE_INFINITY : Math.exp((interval.high - interval.low) / 2) - 1);
    if (p <= ALPHA && excludes(0)) called.alone++;
    inFamily.push(p <= ALPHA / FAMILY && excludes(0));
    if (inFamily.length === FAMILY) {
      families++;
      if (inFamily.includes(true)) called.family++;
      inFamily = [];
    }
    for (const entry of found) {
      const by = Math.log(entry.ratio);
      const shifted = procedureP(procedure, logs, by, interval);
      if (shifted <= ALPHA && excludes(by)) entry.alone++;
      if (shifted <= ALPHA / FAMILY && excludes(by)) entry.ofFour++;
    }
  }
  widths.sort((a, b) => a - b);
  const middle = widths[widths.length >> 1]!;
  return {
    coverage: covered / repetitions,
    halfWidth: Number.isFinite(middle) ? middle : null,
    falseCalls: called.alone / repetitions,
    familyFalseCalls: called.family / families,
    found: found.map(({ ratio, alone, ofFour }) => ({
      ratio,
      alone: alone / repetitions,
      ofFour: ofFour / repetitions,
    })),
  };
}

export interface Experiment {
  readonly noise: Noise;
  readonly blocks: number;
  /** True ratios other than 1. */
  readonly ratios: readonly number[];
  readonly repetitions: number;
  readonly random: Random;
}

/** p of values that lie by so much higher. The intervals, which cost most, are not made again for it. */
function procedureP(procedure: Procedure, logs: readonly number[], by: number, interval: Interval | null): number {
  const moved = logs.map((log) => log + by);
  if (procedure === procedures.sweep) return pairedP(moved);
  if (procedure === procedures.student) return procedure(moved, 0).p;
  return interval === null ? 1 : signedRank(moved).p;
}
