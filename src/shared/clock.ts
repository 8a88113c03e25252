/**
 * Milliseconds of the system's monotonic clock, with fractions: the same clock in every thread of the process, so that a time taken
 * in one can be subtracted from a time taken in another. `performance.now()` starts with its thread; process.hrtime does not, but
 * costs several times as much, so it only tells the difference once.
 */
export function threadClock(): () => number {
  const [seconds, nanoseconds] = process.hrtime();
  const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now();
  return () => performance.now() + offsetMs;
}
