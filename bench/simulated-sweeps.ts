import { requestsPerSecond } from "../src/harness/drivers/rate.js";
import {
  type Evidence,
  isCalled,
  judge,
  pairedEvidence,
  unpairedEvidence,
} from "../src/harness/statistics/difference.js";
import { median } from "../src/harness/statistics/median.js";
import { noiseFloor } from "../src/harness/statistics/noise-floor.js";
import type { Random } from "../src/harness/statistics/random.js";
import type { SweepResult } from "../src/harness/sweep/result.js";
import { blocksAdded, stopOf } from "../src/harness/validity/until.js";

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

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

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
  readonly resamples: number;
}

/** The logarithms of `count` pairs of a concurrency. */
function pairs({ draw, random, ratio }: SimulatedSweep, { pairs: noise }: LevelNoise, count: number): number[] {
  return Array.from({ length: count }, () => Math.log(ratio) + draw(noise, random));
}

function evidence(logs: readonly number[], { random, resamples }: SimulatedSweep): Evidence | null {
  const seed = Math.floor(random() * 2 ** 32);
  return pairedEvidence(
    logs.map(() => 1),
    logs.map(Math.exp),
    { seed, resamples },
  );
}

function called(family: readonly (Evidence | null)[], floor: number | null = null): readonly boolean[] {
  return judge(family, floor).map((difference) => difference !== null && isCalled(difference));
}

/** At which concurrencies a sweep calls a difference; with `aa` above the noise floor of an A/A run of its own. */
export function simulatedSweep(sweep: SimulatedSweep, aa = false): readonly boolean[] {
  const floor = aa ? noiseFloor(sweep.levels.map((level) => pairs({ ...sweep, ratio: 1 }, level, sweep.trials))) : null;
  const family = sweep.levels.map((level) => evidence(pairs(sweep, level, sweep.trials), sweep));
  return called(family, floor?.ratio ?? null);
}

/** The same for a sweep with `--until`, which begins with `trials`; and how many trials it took. */
export function simulatedUntil(
  sweep: SimulatedSweep,
  halfWidth: number,
  maxTrials: number,
): { readonly called: readonly boolean[]; readonly trials: number } {
  const until = { halfWidth, maxTrials, maxSeconds: Number.POSITIVE_INFINITY };
  const logs = sweep.levels.map((level) => pairs(sweep, level, sweep.trials));
  for (;;) {
    const family = logs.map((level) => evidence(level, sweep));
    const trials = logs[0]!.length;
    const ratios = family.flatMap((found) => (found === null ? [] : [found.ratio]));
    if (stopOf(until, ratios, { trials, elapsedSeconds: 0, secondsPerBlock: 0 }) !== null) {
      return { called: called(family), trials };
    }
    for (const [index, level] of logs.entries()) level.push(...pairs(sweep, sweep.levels[index]!, blocksAdded));
  }
}

/** The same for one core in two sweeps, one after the other, on a machine that did not change in between. */
export function simulatedChange({ levels, draw, random, trials, ratio }: SimulatedSweep): readonly boolean[] {
  const speeds = (noise: readonly number[], factor: number): readonly number[] =>
    Array.from({ length: trials }, () => factor * Math.exp(draw(noise, random)));
  return called(levels.map((level) => unpairedEvidence(speeds(level.trials, 1), speeds(level.trials, ratio))));
}
