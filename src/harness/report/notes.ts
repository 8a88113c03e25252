import type { SweepPlan } from "../sweep/result.js";
import { calledAs } from "./called.js";
import type { Comparison } from "./comparison.js";
import { counted, significant, whole } from "./format.js";

/** What a report says in sentences, beside the answer. Our own words are markdown of one line, with no more than **strong** and *emphasis*. */

/** Which trials an interrupted sweep still owes, and how to go on; null for a finished one. */
export function unfinishedNotice({ sweep, plannedTrials }: Comparison, resultFile: string): string | null {
  const missing = plannedTrials - sweep.trials.length;
  if (missing <= 0 && sweep.finishedAt !== null) return null;
  const resume = calledAs(sweep, "sweep", "--resume", resultFile);
  return `Unfinished: ${whole(missing)} of ${counted(plannedTrials, "trial")} are missing, and a cell without all of its trials is not ranked. Go on with: ${resume}`;
}

/** What the figures of the reference server can be held against, and what not. */
export function comparability({ sweep }: Comparison): string {
  const { plan } = sweep;
  const sameLoad = `${plan.keepAlive ? "It opened a new connection for each request, ours kept them" : "Both opened a new connection for each request"}`;
  const ours = plan.seconds === undefined ? whole(plan.requests) : `what it could in ${significant(plan.seconds)} s`;
  const sameSize =
    plan.requests === 100_000 && plan.seconds === undefined
      ? "both sent 100,000 requests per run"
      : `it sent 100,000 requests per run, ours ${ours}`;
  return (
    `One of the servers loopool grew from (C, a master process and workers with threads) published ApacheBench figures at the same concurrencies. ` +
    `${sameLoad}; ${sameSize}. It ran on another machine, with another page, once per row and with latencies in whole milliseconds, so the figures ` +
    `are no race: what can be compared is the shape, how throughput and the longest request hold up from one concurrency to the next.`
  );
}

/** What the parts of a request's time are. */
export const phasesNote =
  "Mean times of the requests that the server measured (a sample). **In the ring**: published until a worker claimed it. **Handler with its waits**: called until its answer was there; of an asynchronous handler that holds what it waited for, and its wait for a turn of the event loop. **Way back**: handler done until the main thread had the answer. **Outside**: what is left of the mean time of all requests, in sockets, the kernel and queues before the server's event loop and the generator's; – where the sample, one request in sixteen, has a larger mean than all requests together, as a few slow ones can make it.";

const reading: readonly string[] = [
  "**Trial.** A fresh server process, a discarded warm-up, one measured window. Every figure is computed per trial; a table shows the median over the trials, percentiles included.",
  "**[low – high]** beside a median is its distribution-free 95% interval from order statistics; it needs six trials and is left out below that.",
  "**Ratios** are Tukey's biweight of the log-ratios of the blocks, in which the cores ran next to each other: a few disturbed trials hardly move it, and none is dropped. Interval and p are those of an exact sign-flip test, in which distant blocks count little, and of Student's t; where most blocks have one and the same ratio, Hodges-Lehmann and the exact signed-rank test. **~** marks a ratio of which no difference is called, which does not prove that there is none. One is called where p is at most 5% after Holm's correction, the interval leaves out 1, and the ratio is beyond the noise floor, where an A/A run measured one. The correction is over all comparisons of one metric in the report: of twenty reports of equal cores one holds a call of requests per second; over all eight metrics three or four hold one. Each interval stands for itself.",
  "**Two 99th percentiles.** The median of the trials' is what a trial usually shows, and what is compared: the trial is the unit. That of all requests together, also in the percentile curves and the .hgrm files, hangs on the worst trials. Far apart they say that few trials had most of the slow requests.",
  "**Closed loop.** Each connection sends its next request when the last one is answered, so a stalled server is asked less often and the percentiles hold *service time*: what waiting clients of an open system would see during a stall is not in them (coordinated omission).",
  "**Requests per second** are those completed in the measured window ÷ its length. The window ends when no request starts any more; what is under way then is waited for, counted, and among the latencies.",
  "**Time per request (mean)** is ab's: concurrency ÷ requests per second. The percentages are of connect + processing time.",
  "**Server CPU per request** covers the whole process with all its threads, user and system. On CPUs that are shared it is the fairer figure.",
  "**In flight** is the summed latency in the window ÷ its length. By Little's law it must come to the concurrency, less the generator's turn-around.",
  "**Server loop** is how much of the window the main event loop was busy, **Generator** how full the load generator was, by its CPU or its event loop: when it is full and the server is not, the generator was measured. Then requests per second are a lower bound (**≤** and **≥** mark a ratio with one), latencies an upper bound, and only the costs are compared.",
];

const readingOpenLoop =
  "**Open loop** (a load with a rate): requests are sent at times that are fixed beforehand, and latencies count from these, so what a stall delays is in them. All cores are asked the same, so requests per second are given and the 99th percentile of latency ranks. A cell is invalid where half of it may be the generator's own lateness.";

/** How to read a report. */
export function readingOf({ openLoop }: SweepPlan): readonly string[] {
  return openLoop === undefined ? reading : [...reading, readingOpenLoop];
}
