import type { Probe } from "./check.js";
import { coreOf, type PlannedTrial, planTrials, warmUpSeconds } from "./plan.js";
import type { SweepPlan } from "./result.js";

/** A trial also starts a server and a generator, and warms the generator up: about so many times what a server's start takes. */
const STARTS = 3;

/** How long a trial by time is for a handler of which nothing is known, seconds: at least, and at most. */
const [SHORTEST, LONGEST] = [2, 10] as const;
/** And at least so many times the mean latency of the slowest core, so that few requests are cut off by its end. */
const LATENCIES = 10;

/** Length of a trial by time, seconds, that suits what the probes found. */
export function trialSeconds(probes: readonly Probe[]): number {
  const slowestMs = Math.max(0, ...probes.map(({ meanLatencyMs }) => meanLatencyMs));
  return Math.min(LONGEST, Math.max(SHORTEST, Math.ceil((LATENCIES * slowestMs) / 1000)));
}

/** About how long the trials of a plan take, seconds; null where a core of which requests are asked by number served none. */
export function estimatedSeconds(plan: SweepPlan, probes: readonly Probe[]): number | null {
  const starts = probes.map(({ startMs }) => startMs);
  const overheadSeconds = (STARTS * starts.reduce((sum, ms) => sum + ms, 0)) / Math.max(1, starts.length) / 1000;
  let sum = 0;
  for (const trial of planTrials(plan)) {
    const seconds = secondsOf(trial, plan, probes);
    if (!Number.isFinite(seconds)) return null;
    sum += seconds + overheadSeconds;
  }
  return sum;
}

function secondsOf({ core, rate }: PlannedTrial, plan: SweepPlan, probes: readonly Probe[]): number {
  const { requests, warmupRequests, seconds, openLoop } = plan;
  const speed = probes.find(({ name }) => name === coreOf(plan, core))?.requestsPerSecond ?? 0;
  if (rate !== null) return openLoop!.seconds + Math.min(warmupRequests, (rate * openLoop!.seconds) / 2) / rate;
  return seconds === undefined ? (requests + warmupRequests) / speed : seconds + warmUpSeconds(seconds);
}
