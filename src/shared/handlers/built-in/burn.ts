/**
 * CPU work of a known amount. It counts iterations and does not look at the clock: a thread that is preempted burns later,
 * not less, so that two threads on one core take twice as long, as real work does.
 */

/** Spends this many iterations of a loop that the compiler can neither shorten nor leave out; its result must be used. */
export function burn(iterations: number): number {
  let state = iterations | 1;
  // A linear congruential step (Knuth, TAOCP 2, §3.2.1, multiplier of Numerical Recipes): each depends on the one before.
  for (let i = 0; i < iterations; i++) state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return state;
}

const CALIBRATION_ROUNDS = 12;
const ROUND_ITERATIONS = 2_000_000;

/**
 * Iterations per µs on this machine now: the fastest of several rounds, since whatever disturbs a round makes it slower.
 * Takes some 20 to 40 ms. The first rounds also let the compiler optimise the loop.
 */
export function calibrate(): number {
  let fastestMs = Number.POSITIVE_INFINITY;
  let sink = 0;
  for (let round = 0; round < CALIBRATION_ROUNDS; round++) {
    const startMs = performance.now();
    sink ^= burn(ROUND_ITERATIONS);
    fastestMs = Math.min(fastestMs, performance.now() - startMs);
  }
  // The sum of all rounds is used, so that no round can be optimised away; it never changes the figure.
  return ROUND_ITERATIONS / (fastestMs * 1000) + (sink === 0.5 ? 1 : 0);
}
