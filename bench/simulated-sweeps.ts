import { requestsPerSecond } from "../src/harness/drivers/rate.js";
import {
  alpha,
  changeTest,
  isCalled,
  judge,
  pairedTest,
  type TestResult,
} from "../src/harness/statistics/difference.js";
import { holm } from "../src/harness/statistics/holm.js";
import { median } from "../src/harness/statistics/median.js";
import { noiseFloor } from "../src/harness/statistics/noise-floor.js";
import type { Random } from "../src/harness/statistics/random.js";
import { rankSum } from "../src/harness/statistics/rank-sum.js";
import { logRatios } from "../src/harness/statistics/ratio.js";
import type { SweepResult } from "../src/harness/sweep/result.js";
import { blocksAdded, stopOf } from "../src/harness/validity/until.js";
import { formerNoiseFloor } from "./former/noise-floor.js";
import { blocksOf, type Noise, normal } from "./noises.js";

/** Sweeps that were never run, with the noise of one that was: how often are differences called that are not there, and found that are? */

/** Noise of one concurrency, as logarithms. */
export interface LevelNoise {
  readonly concurrency: number;
  /** The trials of the base about their median. */
  readonly trials: readonly number[];
  /** The pairs of a block, other ÷ base, about their median: what drifts is in both, so this is not twice the noise of a trial. */
  readonly pairs: readonly number[];
}

/** The noise in the requests per second of a stored sweep's first two cores. */
export function noiseIn({ plan, trials }: SweepResult): readonly LevelNoise[] {
  const [base, other] = plan.cores;
  const centred = (values: readonly number[]): readonly number[] => values.map((value) => value - median(values));
  return plan.concurrencies.map((concurrency) => {
    const logSpeeds = (core: string | undefined): readonly number[] =>
      Array.from({ length: plan.trials }, (_, block) => {
        const run = trials.find(
          (trial) => trial.core === core && trial.concurrency === concurrency && trial.block === block,
        )?.run;
        if (!run) throw new Error(`${core} at c=${concurrency} has no trial in block ${block + 1}`);
        return Math.log(requestsPerSecond(run));
      });
    const first = logSpeeds(base);
    const second = logSpeeds(other);
    return { concurrency, trials: centred(first), pairs: centred(second.map((value, block) => value - first[block]!)) };
  });
}

export type Draw = (values: readonly number[], random: Random) => number;

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Two ways from ten values to as many as one likes. */
export const draws: Readonly<Record<"resampled" | "normal", Draw>> = {
  /** One of the values, outliers and all, with either sign (equal cores differ to both sides alike) and a little off, lest too many be equal. */
  resampled: (values, random) =>
    Math.sign(random() - 0.5) * values[Math.floor(random() * values.length)]! +
    0.1 * deviation(values) * normal(random),
  /** A normal distribution as wide as the values. */
  normal: (values, random) => deviation(values) * normal(random),
};

export interface SimulatedSweep {
  readonly levels: readonly LevelNoise[];
  readonly draw: Draw;
  readonly random: Random;
  readonly trials: number;
  /** other ÷ base, in truth. */
  readonly ratio: number;
}

/** The logarithms of `count` pairs of a concurrency. */
function pairs({ draw, random, ratio }: SimulatedSweep, { pairs: noise }: LevelNoise, count: number): number[] {
  return Array.from({ length: count }, () => Math.log(ratio) + draw(noise, random));
}

function evidence(logs: readonly number[]): TestResult | null {
  return pairedTest(
    logs.map(() => 1),
    logs.map(Math.exp),
  );
}

function called(family: readonly (TestResult | null)[], floor: number | null = null): readonly boolean[] {
  return judge(family, floor).map((difference) => difference !== null && isCalled(difference));
}

/** At which concurrencies a sweep calls a difference; with `aa` above the noise floor of an A/A run of its own. */
export function simulatedSweep(sweep: SimulatedSweep, aa = false): readonly boolean[] {
  const floor = aa ? noiseFloor(sweep.levels.map((level) => pairs({ ...sweep, ratio: 1 }, level, sweep.trials))) : null;
  const family = sweep.levels.map((level) => evidence(pairs(sweep, level, sweep.trials)));
  return called(family, floor?.ratio ?? null);
}

/** The same for a sweep with `--until`, which begins with `trials`; how many trials it took; and the share of its intervals that hold the truth. */
export function simulatedUntil(
  sweep: SimulatedSweep,
  halfWidth: number,
  maxTrials: number,
): { readonly called: readonly boolean[]; readonly trials: number; readonly covered: number } {
  const until = { halfWidth, maxTrials, maxSeconds: Number.POSITIVE_INFINITY };
  const logs = sweep.levels.map((level) => pairs(sweep, level, sweep.trials));
  for (;;) {
    const family = logs.map((level) => evidence(level));
    const trials = logs[0]!.length;
    const ratios = family.flatMap((found) => (found === null ? [] : [found.ratio]));
    if (stopOf(until, ratios, { trials, elapsedSeconds: 0, secondsPerBlock: 0 }) !== null) {
      const holds = ratios.filter(
        ({ interval }) => interval && interval.low <= sweep.ratio && sweep.ratio <= interval.high,
      );
      return { called: called(family), trials, covered: holds.length / ratios.length };
    }
    for (const [index, level] of logs.entries()) level.push(...pairs(sweep, sweep.levels[index]!, blocksAdded));
  }
}

/** Two sweeps of the same two cores under four loads, one after the other. */
export interface SimulatedChange {
  readonly noise: Noise;
  readonly random: Random;
  readonly blocks: number;
  /** The second sweep finds everything faster by this, as a logarithm: it is another hour. */
  readonly sessionEffect: number;
  /** What of that effect only the second core has. */
  readonly uneven: number;
  /** Of the second core, after ÷ before, in truth. */
  readonly ratio: number;
}

const LOADS = 4;

/**
 * Which of the ratios between the cores a change report says have changed; and which of the cells the former one did, that compared
 * absolute values by Mann-Whitney.
 */
export function simulatedChange({ noise, random, blocks, sessionEffect, uneven, ratio }: SimulatedChange): {
  readonly called: readonly boolean[];
  readonly former: () => readonly boolean[];
} {
  const loads = Array.from({ length: LOADS }, () => {
    const before = blocksOf(noise, random, blocks);
    const after = blocksOf(noise, random, blocks);
    const speeds = (logs: readonly number[], by: number): readonly number[] => logs.map((log) => Math.exp(log + by));
    const otherEffect = sessionEffect * (1 + uneven) + Math.log(ratio);
    return {
      base: [speeds(before.base, 0), speeds(after.base, sessionEffect)],
      other: [speeds(before.other, 0), speeds(after.other, otherEffect)],
    } as const;
  });
  const changes = loads.map(({ base, other }) =>
    changeTest(logRatios(base[0], other[0])!, logRatios(base[1], other[1])!),
  );
  return {
    called: called(changes),
    former: () =>
      holm(loads.flatMap(({ base, other }) => [rankSum(...base).p, rankSum(...other).p])).map((p) => p <= alpha),
  };
}

/** The noise floors of an A/A run under four loads: by the biweight, and as it was before. As ratios above 1. */
export function simulatedFloors(
  noise: Noise,
  random: Random,
  blocks: number,
): { readonly robust: number; readonly former: number } {
  const levels = Array.from({ length: LOADS }, () => {
    const { base, other } = blocksOf(noise, random, blocks);
    return other.map((log, block) => log - base[block]!);
  });
  return { robust: noiseFloor(levels)!.ratio, former: formerNoiseFloor(levels) };
}
