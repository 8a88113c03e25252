import type { RunWindow } from "../load/result/run-result.js";
import type { GeneratorResult } from "./result.js";

/** What a run's rates rest on. */
type Paced = Pick<GeneratorResult, "completed" | "elapsedSeconds"> & {
  readonly window?: Pick<RunWindow, "seconds" | "completed"> | undefined;
};

/** Length of the measured window, seconds: the whole run where it has none of its own. */
export function windowSeconds({ window, elapsedSeconds }: Paced): number {
  return window?.seconds ?? elapsedSeconds;
}

/** Requests that were completed in the window. */
export function completedInWindow({ window, completed }: Paced): number {
  return window?.completed ?? completed;
}

/** What was completed in the window ÷ its length: an answer that came after it makes no rate smaller. */
export function requestsPerSecond(run: Paced): number {
  return completedInWindow(run) / windowSeconds(run);
}

/**
 * The time in which all requests of the run would be completed at its rate, seconds: what all of them cost together (CPU, bytes) is set
 * against it. Without the wait for the last answers, in which nothing is done, it is as long as the run.
 */
export function workSeconds(run: Paced): number {
  const { window, completed, elapsedSeconds } = run;
  if (window === undefined || window.completed === 0) return elapsedSeconds;
  return (window.seconds * completed) / window.completed;
}
