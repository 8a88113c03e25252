import { requestsPerSecond } from "../drivers/rate.js";
import { median } from "../statistics/median.js";
import { targetsOf } from "./plan.js";
import type { OpenLoopPlan, SweepPlan, SweepResult } from "./result.js";
import type { NextBlocks } from "./sweep.js";

/**
 * With `--rate auto`: when the closed loops have been measured, the plan goes on with open loops at shares of what the slowest core served at
 * the same concurrency, so that each core can serve the rate and all are asked the same. A concurrency at which a core served nothing gets
 * no rates.
 */
export const ratesFromCapacity: NextBlocks = ({ plan, trials }) => {
  const { openLoop } = plan;
  if (openLoop === undefined || openLoop.shares === null || openLoop.rates.length > 0) return null;
  const { shares } = openLoop;
  const rates: OpenLoopPlan["rates"] = plan.concurrencies.flatMap((concurrency) => {
    const slowest = Math.min(...targetsOf(plan).map((core) => servedBy(trials, core, concurrency)));
    return slowest > 0 ? shares.map((share) => ({ concurrency, requestsPerSecond: twoDigits(share * slowest) })) : [];
  });
  return rates.length === 0 ? null : ({ ...plan, openLoop: { ...openLoop, rates } } satisfies SweepPlan);
};

/** Median of the requests per second of a closed loop; 0 where no trial ran. */
function servedBy(trials: SweepResult["trials"], core: string, concurrency: number): number {
  const speeds = trials.flatMap(({ run, ...trial }) =>
    run !== null && trial.core === core && trial.concurrency === concurrency && trial.rate === null
      ? [requestsPerSecond(run)]
      : [],
  );
  return speeds.length === 0 ? 0 : median(speeds);
}

/** A round figure: the rate is a choice, not a finding. */
function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}
