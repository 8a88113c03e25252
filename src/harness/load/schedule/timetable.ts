import { seededRandom } from "../../statistics/random.js";
import type { LoadOptions } from "../request/options.js";

/** The schedule of an open loop, fixed before it begins. */
export interface Timetable {
  readonly requests: number;
  /** From the start; all requests are due in it. */
  readonly lengthMs: number;
}

type Paced = Pick<LoadOptions, "requests" | "durationMs" | "arrivals" | "rampMs" | "seed">;

/**
 * How many requests an open loop sends and over which time: rate × duration, or a number over as long as it takes. While the rate rises from 0
 * half as many are due as at the full rate.
 */
export function timetableOf({ requests, durationMs = null, arrivals, rampMs = 0 }: Paced, rate: number): Timetable {
  if (arrivals instanceof Float64Array) return recorded(arrivals, requests, durationMs ?? Number.POSITIVE_INFINITY);
  const pace = new Pace(rate, rampMs);
  if (durationMs === null) return { requests, lengthMs: pace.timeOf(requests) };
  // Number k, from 0, is due when k have been: those before the end count. Less the rounding of the product.
  const due = pace.countAt(durationMs);
  const count = Math.min(requests, Math.max(1, Math.ceil(due - due * 1e-12)));
  return { requests: count, lengthMs: count < requests ? durationMs : Math.min(durationMs, pace.timeOf(count)) };
}

/** Ends a mean distance after the last. */
function recorded(instants: Float64Array, requests: number, durationMs: number): Timetable {
  let count = Math.min(requests, instants.length);
  while (count > 1 && instants[count - 1]! >= durationMs) count--;
  const last = instants[count - 1]!;
  return { requests: count, lengthMs: Math.min(durationMs, count === 1 ? last + 1 : (last * count) / (count - 1)) };
}

/**
 * Gives the instants of one thread's requests, ms from the start, one after another. The threads share the schedule: evenly spaced and recorded
 * instants they take in turn; of random ones each has its own, and all together are as random as those of one thread.
 */
export function instantsOf(options: Paced, rate: number, thread: number, threads: number): () => number {
  const { arrivals = "poisson", rampMs = 0, seed = 1 } = options;
  const { requests, lengthMs } = timetableOf(options, rate);
  let number = thread;
  const takeNumber = (): number => {
    const taken = number;
    number += threads;
    return taken;
  };
  if (arrivals instanceof Float64Array) return () => arrivals[takeNumber()] ?? Number.POSITIVE_INFINITY;
  const pace = new Pace(rate, rampMs);
  if (arrivals === "even") return () => pace.timeOf(takeNumber());

  // So many instants, independent and equally likely anywhere, in order: a Poisson process of which the number of arrivals is known. In order
  // without sorting: of n that lie behind u the first is 1 − (1 − u) · V^(1/n), with V uniform (Luc Devroye, "Non-Uniform Random Variate
  // Generation", 1986, V.3). Where the rate changes they are uniform in the number of requests due.
  const random = seededRandom((seed + Math.imul(thread + 1, 0x85ebca6b)) | 0);
  const due = pace.countAt(lengthMs);
  let left = Math.ceil((requests - thread) / threads);
  let rest = 1;
  return () => {
    if (left <= 0) return Number.POSITIVE_INFINITY;
    rest *= (1 - random()) ** (1 / left--);
    return pace.timeOf((1 - rest) * due);
  };
}

/** A rate that rises from 0 in a straight line for `rampMs`, and stays. */
class Pace {
  readonly #perMs: number;
  readonly #rampMs: number;

  constructor(rate: number, rampMs: number) {
    this.#perMs = rate / 1000;
    this.#rampMs = rampMs;
  }

  /** How many requests are due until a time. */
  countAt(ms: number): number {
    return ms < this.#rampMs ? (this.#perMs * ms * ms) / (2 * this.#rampMs) : this.#perMs * (ms - this.#rampMs / 2);
  }

  /** When so many are due. */
  timeOf(count: number): number {
    return count < (this.#perMs * this.#rampMs) / 2
      ? Math.sqrt((2 * count * this.#rampMs) / this.#perMs)
      : count / this.#perMs + this.#rampMs / 2;
  }
}
