import { latencyOf } from "../drivers/latency.js";
import { completedInWindow, requestsPerSecond, windowSeconds } from "../drivers/rate.js";
import type { Load } from "../sweep/plan.js";
import type { RanTrial } from "../validity/saturation.js";
import { significant, whole } from "./format.js";

/** A figure of one trial. The unit of the experiment is the trial, so a cell is the median of these over its trials. */
export interface Metric {
  readonly key: MetricKey;
  /** Row heading, with the unit. */
  readonly label: string;
  /** What a request cost the server: it stands where the load generator was the limit of the speed. */
  readonly cost: boolean;
  /** NaN where the server is not ours to look into, and where the generator does not tell it. */
  readonly of: (trial: RanTrial) => number;
  readonly format: (value: number) => string;
}

export type MetricKey =
  | "requestsPerSecond"
  | "timePerRequestMs"
  | "p50Ms"
  | "p90Ms"
  | "p99Ms"
  | "maxMs"
  | "cpuPerRequestMicros"
  | "peakRssMebibytes";

/** A percentile of connect + processing time, which is what ab's percentage table holds. */
const totalMs =
  (percentile: number) =>
  ({ run }: RanTrial): number =>
    latencyOf(run.latency.total).valueAtPercentile(percentile) / 1e6;

/** The figure that ranks closed loops: requests per second. */
export const speed: Metric = {
  key: "requestsPerSecond",
  label: "Requests per second",
  cost: false,
  of: ({ run }) => requestsPerSecond(run),
  format: whole,
};

/** What ranks open loops. Not that of all requests together: that hangs on the worst trials, and the trial is the unit. */
export const tail: Metric = {
  key: "p99Ms",
  label: "99%, median of trials, ms",
  cost: false,
  of: totalMs(99),
  format: significant,
};

/** What a request costs the server. */
const cost: Metric = {
  key: "cpuPerRequestMicros",
  label: "Server CPU per request, µs",
  cost: true,
  of: ({ server }) =>
    server === null ? Number.NaN : (server.cpuUserMicros + server.cpuSystemMicros) / server.requests,
  format: significant,
};

/** A load, and whether its requests per second are fair. */
export interface RankedLoad extends Load {
  /**
   * The load generator shared the CPUs of the server and took a part of them that a core with more threads lacked: what stays fair is the CPU
   * of a request. Absent where it is not so.
   */
  readonly ranksByCost?: boolean;
}

/**
 * What ranks the cores under a load: in a closed loop how much they serve, in an open loop, where all are asked the same, how long the
 * slowest hundredth waits, and where neither is fair what a request costs.
 */
export function rankingMetric({ rate, ranksByCost }: RankedLoad): Metric {
  if (rate !== null) return tail;
  return ranksByCost === true ? cost : speed;
}

/** Whether a metric says anything of cores under this load: at a given rate all serve the same. */
export function compares(metric: Metric, { rate }: Load): boolean {
  return metric !== speed || rate === null;
}

/** The rows of the tables, in ab's terms and order, then the cost beside the speed. */
export const metrics: readonly Metric[] = [
  speed,
  {
    key: "timePerRequestMs",
    label: "Time per request (mean), ms",
    cost: false,
    // ab's own formula: concurrency ÷ requests per second. An open loop does not keep its connections busy.
    of: ({ run }) =>
      run.loop === "open"
        ? run.latency.total.sum / run.latency.total.count / 1e6
        : (run.concurrency * windowSeconds(run) * 1000) / completedInWindow(run),
    format: significant,
  },
  { key: "p50Ms", label: "50%, ms", cost: false, of: totalMs(50), format: significant },
  { key: "p90Ms", label: "90%, ms", cost: false, of: totalMs(90), format: significant },
  tail,
  {
    key: "maxMs",
    label: "Longest request, ms",
    cost: false,
    of: ({ run }) => (run.latency.total?.max ?? Number.NaN) / 1e6,
    format: significant,
  },
  cost,
  {
    key: "peakRssMebibytes",
    label: "Peak RSS, MiB",
    cost: true,
    of: ({ server }) => (server === null ? Number.NaN : server.peakRssBytes / 2 ** 20),
    format: significant,
  },
];
