/** How often wrk recorded each value, ascending by value. */
export type Counts = readonly (readonly [micros: number, count: number])[];

/**
 * wrk's histogram as it was recorded. When its time is up wrk 4 adds, for every latency of at least twice the `expected` one (run time ÷
 * requests per connection, µs), latencies that requests sent meanwhile might have had (stats_correct, called unasked): then the mean breaks
 * Little's law, since no connection had more than one request under way. Each value added to lies a multiple of `expected` below a value
 * that was recorded, so from the largest value down all of it can be taken back. null where that does not leave `recorded` values, the
 * number that wrk's own counters give.
 */
export function asRecorded(counts: Counts, expected: number, recorded: number): Counts | null {
  const sum = (values: Iterable<number>): number => [...values].reduce((total, count) => total + count, 0);
  if (sum(counts.map(([, count]) => count)) === recorded) return counts;
  if (expected < 1) return null;
  const left = new Map(counts);
  for (const [value] of [...counts].reverse()) {
    if (value < 2 * expected) break;
    const count = left.get(value)!;
    if (count === 0) continue;
    for (let below = value - expected; below > expected; below -= expected) {
      left.set(below, (left.get(below) ?? 0) - count);
    }
  }
  const values = [...left.values()];
  if (values.some((count) => count < 0) || sum(values) !== recorded) return null;
  return [...left].filter(([, count]) => count > 0);
}
