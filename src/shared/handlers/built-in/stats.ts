import { threadClock } from "../../clock.js";
import { liveMetrics } from "../../stats/metrics.js";
import { WorkersWatch } from "../../stats/worker-states.js";
import type { HandlerContext } from "../context.js";
import { type Handler, HeaderBlock, NOT_SNIFFED } from "../handler.js";

const JSON_HEADERS = new HeaderBlock({
  "Content-Type": "application/json; charset=utf-8",
  "Cache-Control": "no-store",
  ...NOT_SNIFFED,
});

/**
 * `/stats.json`: what the server has counted and spent since its start. The request that asks is counted in `requests`; its own
 * response is not in `responses` yet.
 */
export function stats({ shared }: HandlerContext): Handler {
  const watch = shared.workersView === null ? null : new WorkersWatch(shared.workersView, shared.stats);
  const nowMs = threadClock();
  return () => ({
    status: 200,
    headers: JSON_HEADERS,
    body: `${JSON.stringify(liveMetrics(shared, watch, nowMs()))}\n`,
  });
}
