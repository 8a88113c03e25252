import { readPhases, SAMPLE_EVERY } from "../phases.js";
import { readStats } from "../stats.js";
import type { HandlerContext } from "./context.js";
import { type Handler, HeaderBlock } from "./handler.js";

const JSON_HEADERS = new HeaderBlock({
  "Content-Type": "application/json; charset=utf-8",
  "Cache-Control": "no-store",
});

/**
 * `/stats.json`: what the server has counted and spent since its start. The request that asks is counted in `requests` and
 * in `inFlight`; its own response is not in `responses` yet.
 */
export function stats({ shared }: HandlerContext): Handler {
  return () => {
    const totals = readStats(shared.stats);
    const usage = process.resourceUsage();
    const responses: Record<string, number> = { "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 };
    for (const [status, count] of Object.entries(totals.status)) responses[`${status.charAt(0)}xx`]! += count;
    const body = {
      mode: shared.config.mode,
      pid: process.pid,
      node: process.versions.node,
      uws: shared.uws,
      workers: totals.workers,
      uptimeMicros: Math.round((performance.timeOrigin + performance.now() - shared.startedAtMs) * 1000),
      requests: totals.requests,
      responses,
      status: totals.status,
      bodyBytes: totals.bodyBytes,
      activeConnections: totals.connectionsOpened - totals.connectionsClosed,
      connections: totals.connectionsOpened,
      inFlight: totals.inFlight,
      shed: totals.shed,
      aborted: totals.aborted,
      dropped: totals.dropped,
      timedOut: totals.timedOut,
      handled: totals.handled,
      handlerErrors: totals.handlerErrors,
      unhandledRejections: totals.unhandledRejections,
      workersLost: totals.workersLost,
      log: { lines: totals.logLines, dropped: totals.logDropped, failures: totals.logFailures },
      cpuUserMicros: usage.userCPUTime,
      cpuSystemMicros: usage.systemCPUTime,
      // libuv gives kilobytes (uv_getrusage).
      peakRssBytes: usage.maxRSS * 1024,
      eventLoop: { activeMs: totals.loopActiveMs, idleMs: totals.loopIdleMs, delayMaxMs: totals.loopDelayMaxMs },
      phases: { sampledEvery: SAMPLE_EVERY, ...readPhases(shared.phases) },
      iterationsPerMicro: shared.iterationsPerMicro,
    };
    return { status: 200, headers: JSON_HEADERS, body: `${JSON.stringify(body)}\n` };
  };
}
