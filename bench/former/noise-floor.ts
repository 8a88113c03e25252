/** What the noise floor of an A/A run was before the biweight, as a ratio above 1: kept to be compared with, see power.ts. */
export function formerNoiseFloor(levels: readonly (readonly number[])[]): number {
  const all = levels.flat();
  const spread = Math.sqrt(all.reduce((sum, log) => sum + log * log, 0) / all.length);
  const largest = Math.max(...levels.map((logs) => Math.abs(logs.reduce((sum, log) => sum + log, 0) / logs.length)));
  const fewest = Math.min(...levels.map((logs) => logs.length));
  return Math.exp(Math.max(largest, (1.96 * spread) / Math.sqrt(fewest)));
}
