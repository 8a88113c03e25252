/** Pairs of readings of both clocks; the tightest counts. A thread may lose its processor between two readings, for milliseconds. */
const READINGS = 16;

/**
 * Milliseconds of the system's monotonic clock, with fractions: the same clock in every thread of the process, so that a time taken
 * in one can be subtracted from a time taken in another. `performance.now()` starts with its thread; process.hrtime does not, but
 * costs several times as much, so it only tells the difference once.
 */
export function threadClock(): () => number {
  let tightestMs = Number.POSITIVE_INFINITY;
  let offsetMs = 0;
  for (let reading = 0; reading < READINGS; reading++) {
    const beforeMs = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const afterMs = performance.now();
    if (afterMs - beforeMs >= tightestMs) continue;
    tightestMs = afterMs - beforeMs;
    offsetMs = seconds * 1000 + nanoseconds / 1e6 - (beforeMs + afterMs) / 2;
  }
  return () => performance.now() + offsetMs;
}
