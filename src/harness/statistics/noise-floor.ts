/** How far apart the same core was found from itself, in one metric. */
export interface NoiseFloor {
  /** No difference up to this ratio (above 1) is called. */
  readonly ratio: number;
  /** The largest ratio that was found (above 1), of the geometric mean over the pairs of one concurrency. */
  readonly largest: number;
  /** Pairs of trials, over all concurrencies. */
  readonly pairs: number;
}

/** Beyond ±this lies 5% of the standard normal distribution. */
const Z = 1.96;

/**
 * The noise floor of an A/A run: `logRatios` holds, for each concurrency, the logarithms of the ratios of the pairs of trials of one core
 * under two names. It is the larger of two: the largest mean ratio that was found, which also tells of what one name had ahead of the
 * other; and the ratio that a mean over as many pairs stays below in 95 of 100 cases, by the spread of all pairs about a ratio of 1 (the
 * true one). The second keeps a lucky A/A run from being taken for a quiet machine. null without pairs.
 */
export function noiseFloor(logRatios: readonly (readonly number[])[]): NoiseFloor | null {
  const levels = logRatios.filter((logs) => logs.length > 0);
  const all = levels.flat();
  if (all.length === 0) return null;
  const spread = Math.sqrt(all.reduce((sum, log) => sum + log * log, 0) / all.length);
  const largest = Math.max(...levels.map((logs) => Math.abs(logs.reduce((sum, log) => sum + log, 0) / logs.length)));
  const fewest = Math.min(...levels.map((logs) => logs.length));
  const byChance = (Z * spread) / Math.sqrt(fewest);
  return { ratio: Math.exp(Math.max(largest, byChance)), largest: Math.exp(largest), pairs: all.length };
}
