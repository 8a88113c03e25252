import type { Ratio } from "../statistics/ratio.js";
import type { Stop, Until } from "../sweep/result.js";

/** Blocks are added in pairs, so that each core comes first as often as the other. */
export const blocksAdded = 2;

/** Blocks before the first look: of fewer an interval can be narrow by luck, and who stops there stops for luck. */
export const leastBlocks = 8;

/** Half the width of a ratio's interval as a share of the ratio, 0.03 for ±3%; infinite without an interval. */
export function halfWidth({ interval }: Ratio): number {
  // The interval is symmetric in the logarithm, or nearly so.
  return interval === null ? Number.POSITIVE_INFINITY : Math.sqrt(interval.high / interval.low) - 1;
}

/**
 * Are more blocks needed (null), and if not, why? `ratios` are those of requests per second that could be made. The width alone decides, never
 * the ratio: who stops when a difference is significant finds one in the end where there is none. A fixed-width interval keeps its level
 * nearly, the more so the more trials come before the first look.
 *
 * Source: Y. Chow and H. Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals for the mean", Annals of
 * Mathematical Statistics 36(2), 1965; on looking until it is significant: P. Armitage, C. McPherson, B. Rowe, "Repeated significance tests
 * on accumulating data", Journal of the Royal Statistical Society A 132(2), 1969.
 */
export function stopOf(
  until: Until,
  ratios: readonly Ratio[],
  { trials, elapsedSeconds, secondsPerBlock }: { trials: number; elapsedSeconds: number; secondsPerBlock: number },
): Stop | null {
  if (ratios.length === 0) return { code: "nothing-to-narrow", widest: null };
  const widest = Math.max(...ratios.map(halfWidth));
  const stop = (code: Stop["code"]): Stop => ({ code, widest: Number.isFinite(widest) ? widest : null });
  if (widest <= until.halfWidth && trials >= leastBlocks) return stop("narrow");
  if (trials + blocksAdded > until.maxTrials) return stop("max-trials");
  if (elapsedSeconds + blocksAdded * secondsPerBlock > until.maxSeconds) return stop("max-time");
  return null;
}
