import { biweight, fewestValues } from "./biweight.js";
import { hodgesLehmann } from "./hodges-lehmann.js";

/** How far apart the same core was found from itself, in one metric. */
export interface NoiseFloor {
  /** No difference up to this ratio (above 1) is called. */
  readonly ratio: number;
  /** The largest ratio that was found (above 1), of the pairs of one concurrency. */
  readonly largest: number;
  /** Pairs of trials, over all concurrencies. */
  readonly pairs: number;
}

/** Beyond ±this lies 5% of the standard normal distribution. */
const Z = 1.96;

/**
 * The noise floor of an A/A run: `logRatios` holds, for each concurrency, the logarithms of the ratios of the pairs of trials of one core
 * under two names. It is the larger of two: the largest ratio that was found, which also tells of what one name had ahead of the
 * other; and the ratio that one over as many pairs stays below in 95 of 100 cases, by the spread of all pairs about a ratio of 1 (the
 * true one). The second keeps a lucky A/A run from being taken for a quiet machine. Both by the biweight, as the ratios that the floor is
 * held against, so that a disturbed trial does not raise it. null without pairs.
 */
export function noiseFloor(logRatios: readonly (readonly number[])[]): NoiseFloor | null {
  const levels = logRatios.filter((logs) => logs.length > 0);
  const all = levels.flat();
  if (all.length === 0) return null;
  const largest = Math.max(...levels.map((logs) => Math.abs(biweight(logs)?.location ?? hodgesLehmann(logs).location)));
  const fewest = Math.min(...levels.map((logs) => logs.length));
  const byChance = Z * spreadOf(all) * Math.sqrt(1 / fewest);
  return { ratio: Math.exp(Math.max(largest, byChance)), largest: Math.exp(largest), pairs: all.length };
}

/** The scale about 0, so that it is one of ratios about 1: with each value its opposite, too. Of few values the root mean square. */
function spreadOf(values: readonly number[]): number {
  const mirrored = values.flatMap((value) => [value, -value]);
  const found = values.length < fewestValues ? null : biweight(mirrored);
  if (found !== null) return found.standardError * Math.sqrt(mirrored.length);
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
