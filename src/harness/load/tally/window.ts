import type { RunWindow } from "../result/run-result.js";

/**
 * The measured window of a run begins with it and ends when no request starts any more: in a closed loop after the duration, or with the
 * start of the last of a number of requests; in an open loop with the schedule. Until then all connections are kept busy. What is under
 * way at that instant is waited for, and counted, and its latency recorded; but waiting for it is no part of the window, or one slow
 * answer would divide the rate.
 */

/** What one thread knows of the window. */
export interface PartialWindow {
  /** When it ended as far as this thread can tell, ms from the start of the run. */
  readonly endsAfterMs: number;
  /** Closed loop: when the last request of each connection ended, of those that were a success, ms from the start of the run. */
  readonly lastEndsMs: readonly number[];
  /** Open loop: successes that came after the window. */
  readonly completedAfter: number;
}

/** In a run of so few requests that most of them end after the window, it says nothing: such a run is its own window. */
const LEAST_SHARE = 0.5;

/**
 * The window of a run of `completed` successes; null where it has none of its own. The last request of all may have been started by any
 * thread, so its start is known only now; in a closed loop nothing ends after it but the last request of each connection. `byTime`: the
 * length was given, as that of a schedule is, and stands however few requests ended in it.
 */
export function windowOf(partials: readonly PartialWindow[], completed: number, byTime: boolean): RunWindow | null {
  const endsAfterMs = Math.max(...partials.map((part) => part.endsAfterMs));
  const lateMs = partials.flatMap(({ lastEndsMs }) => lastEndsMs.map((ms) => ms - endsAfterMs).filter((ms) => ms > 0));
  const completedAfter = partials.reduce((sum, part) => sum + part.completedAfter, lateMs.length);
  const completedInside = completed - completedAfter;
  if (!byTime && !(completedInside >= LEAST_SHARE * completed && endsAfterMs > 0)) return null;
  return {
    seconds: endsAfterMs / 1000,
    completed: completedInside,
    latencyAfterSeconds: lateMs.reduce((sum, ms) => sum + ms, 0) / 1000,
  };
}
