import type { Metrics } from "../shared/stats/metrics.js";

/** What happened between two readings of the same server. */
export interface IntervalMetrics {
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly bodyBytesPerSecond: number;
  /** CPU seconds used per second. */
  readonly cpus: number;
  /** Share of the time in which the main thread's event loop had something to do, 0 to 1. */
  readonly loopUse: number;
  /** Of the requests that were timed meanwhile, µs; null when there were none. */
  readonly latency: { readonly p50: number; readonly p90: number; readonly p99: number } | null;
}

/** null for readings of two different servers, or of one moment. */
export function intervalBetween(before: Metrics, after: Metrics): IntervalMetrics | null {
  const micros = after.uptimeMicros - before.uptimeMicros;
  if (before.pid !== after.pid || micros <= 0) return null;
  const seconds = micros / 1e6;
  const cpuMicros = after.cpuUserMicros + after.cpuSystemMicros - before.cpuUserMicros - before.cpuSystemMicros;
  const activeMs = after.eventLoop.activeMs - before.eventLoop.activeMs;
  const idleMs = after.eventLoop.idleMs - before.eventLoop.idleMs;
  return {
    seconds,
    requestsPerSecond: (after.requests - before.requests) / seconds,
    bodyBytesPerSecond: (after.bodyBytes - before.bodyBytes) / seconds,
    cpus: cpuMicros / micros,
    loopUse: activeMs + idleMs > 0 ? activeMs / (activeMs + idleMs) : 0,
    latency: latencyBetween(before.latency.cells, after.latency.cells),
  };
}

type Cells = Metrics["latency"]["cells"];

/** Cells only grow: their differences are the histogram of the time between. */
function latencyBetween(before: Cells, after: Cells): IntervalMetrics["latency"] {
  const earlier = new Map(before);
  const cells = after.map(([upper, count]) => [upper, count - (earlier.get(upper) ?? 0)] as const);
  const total = cells.reduce((sum, [, count]) => sum + count, 0);
  if (total <= 0) return null;
  const at = (share: number): number => {
    let seen = 0;
    for (const [upper, count] of cells) {
      seen += count;
      if (seen >= share * total) return upper;
    }
    return 0;
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
