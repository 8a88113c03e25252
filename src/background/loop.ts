import type { Job, Rest } from "../shared/job.js";
import type { Sleeper } from "../shared/memory/sleeper.js";

/** Runs the jobs until the thread is retired, asleep while none has anything to do, and lets each finish. */
export function runJobs(jobs: readonly Job[], sleeper: Sleeper): void {
  for (;;) {
    const rests = jobs.map((job): Rest => job.run());
    const afterMs = Math.min(...rests.map((rest) => rest.afterMs));
    if (!sleeper.announce(rests.some(({ isLight }) => isLight))) break;
    if (!jobs.some((job, i) => job.isDue(rests[i]!))) sleeper.wait(afterMs);
    sleeper.leave();
  }
  for (const job of jobs) job.finish();
}
