import { compare } from "../harness/report/comparison.js";
import type { SweepResult } from "../harness/sweep/result.js";
import type { NextBlocks } from "../harness/sweep/sweep.js";
import { blocksAdded, stopOf } from "../harness/validity/until.js";

/** With `--until`: more blocks until the ratios are known well enough. `begun` is what this process found, so that it can tell its own pace. */
export function untilNarrow(begun: SweepResult): NextBlocks {
  return (result, elapsedMs) => {
    const { plan } = result;
    if (plan.until === undefined) return null;
    const ratios = compare(result).levels.flatMap((level) =>
      level.ratios.flatMap(({ byMetric }) => byMetric.requestsPerSecond ?? []),
    );
    const elapsedSeconds = elapsedMs / 1000;
    const blocks = (plan.trials * (result.trials.length - begun.trials.length)) / result.trials.length;
    const secondsPerBlock = elapsedSeconds / blocks;
    const stop = stopOf(plan.until, ratios, { trials: plan.trials, elapsedSeconds, secondsPerBlock });
    return stop ?? { ...plan, trials: plan.trials + blocksAdded };
  };
}
