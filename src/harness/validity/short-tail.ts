import { median } from "../statistics/median.js";
import { thresholds, type Warning } from "./diagnostics.js";
import { loopShare, type RanTrial } from "./saturation.js";

/**
 * By what share the 99th percentile of a trial lies below that of a trial without end, about, where requests come at random: a queue needs time to
 * become as long as it can, and a trial that is short beside that time sees few of the long ones. `load` is the share of its capacity at which
 * the server runs, 0 to below 1.
 *
 * The time is that of the M/G/1 queue, 1 ÷ (1 − √load)² services, after which a queue has forgotten how it began; the share is fitted to
 * simulated M/D/1 queues (the test beside it).
 *
 * Source: P. M. Morse, Queues, Inventories and Maintenance, 1958, on the relaxation time.
 */
export function expectedTailBias(requests: number, load: number): number {
  return 2.5 / (requests / relaxationRequests(load) + 4.5);
}

/** Requests that come in one relaxation time. */
function relaxationRequests(load: number): number {
  return load / (1 - Math.sqrt(load)) ** 2;
}

/** Requests after which the share is no more than `limits.tailBias`. */
function enoughRequests(load: number): number {
  return Math.ceil((2.5 / thresholds.tailBias - 4.5) * relaxationRequests(load));
}

/** Open loops whose trials are too short for their 99th percentile. Nothing is known of a server that is not ours, or that has no time left at all. */
export function shortTail(trials: readonly RanTrial[]): readonly Warning[] {
  const rates = trials.flatMap(({ run }) => run.openLoop?.rate ?? []);
  const [rate] = rates;
  const load = median(trials.map(loopShare));
  if (rate === undefined || !(load > 0 && load < thresholds.full + 0.09)) return [];
  const requests = median(trials.map(({ run }) => run.completed));
  const bias = expectedTailBias(requests, load);
  if (bias <= thresholds.tailBias) return [];
  // Results of an older version have no arrivals: they were even.
  const even = trials.every(({ run }) => (run.openLoop?.arrivals ?? "even") === "even");
  return [{ code: "tail-too-short", even, load, requests, bias, seconds: Math.ceil(enoughRequests(load) / rate) }];
}
