import type { StatsMetrics, TestServer } from "./server.js";

/**
 * Sends a request, waits until its handler has been called, and resolves with whether it is still without an answer: on a busy machine the time
 * of a short sleep may be up. To be the only one who asks.
 */
export async function isInFlight({ stats }: Pick<TestServer, "stats">, send: () => void): Promise<boolean> {
  // Each reading is a request itself, and counts itself.
  let { handled } = await stats();
  send();
  for (;;) {
    const metrics = await stats();
    handled++;
    if (metrics.handled > handled) return unanswered(metrics) > 0;
  }
}

/** Requests without an answer whose client is still there; the reading itself is none of them. */
export function unanswered({ requests, status, aborted }: StatsMetrics): number {
  return requests - 1 - aborted - Object.values(status).reduce((sum, count) => sum + count, 0);
}
