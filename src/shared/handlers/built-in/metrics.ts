import { threadClock } from "../../clock.js";
import { liveMetrics } from "../../stats/metrics.js";
import { readHistograms } from "../../stats/phases.js";
import { WorkersWatch } from "../../stats/worker-states.js";
import type { HandlerContext } from "../context.js";
import { type Handler, HeaderBlock, NOT_SNIFFED } from "../handler.js";

const METRICS_HEADERS = new HeaderBlock({
  "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
  "Cache-Control": "no-store",
  ...NOT_SNIFFED,
});

/** `/metrics`: the metrics of /stats.json for Prometheus. */
export function metrics({ shared }: HandlerContext): Handler {
  const watch = shared.workersView === null ? null : new WorkersWatch(shared.workersView, shared.stats);
  const nowMs = threadClock();
  return async () => {
    // One copy for both: a scrape must not contradict itself.
    const phases = shared.phases.slice(0);
    const metrics = liveMetrics({ ...shared, phases }, watch, nowMs());
    // Only here: most servers are never asked.
    const { prometheusText } = await import("../../stats/prometheus.js");
    return { status: 200, headers: METRICS_HEADERS, body: prometheusText(metrics, readHistograms(phases)) };
  };
}
