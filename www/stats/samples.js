// From two readings of /stats.json to what happened between them.

/**
 * One sample: a moment, and the rates up to it. `before` is null for the first reading, and for the first of a server that was started
 * again: there are no rates then. Latencies are in µs, null when no request was timed.
 */
export function sample(before, after, date) {
  const seconds = before === null ? 0 : (after.uptimeMicros - before.uptimeMicros) / 1e6;
  const rate = (now, then) => (seconds > 0 ? (now - then) / seconds : null);
  const loopMs = (reading) => reading.eventLoop.activeMs + reading.eventLoop.idleMs;
  const cpuMicros = (reading) => reading.cpuUserMicros + reading.cpuSystemMicros;
  const loopSpanMs = before === null ? 0 : loopMs(after) - loopMs(before);
  return {
    date,
    requestsPerSecond: rate(after.requests, before?.requests),
    bytesPerSecond: rate(after.bodyBytes, before?.bodyBytes),
    cpus: before === null ? null : rate(cpuMicros(after) / 1e6, cpuMicros(before) / 1e6),
    loopUse: loopSpanMs > 0 ? (after.eventLoop.activeMs - before.eventLoop.activeMs) / loopSpanMs : null,
    ...percentiles(before === null ? [] : before.latency.cells, before === null ? [] : after.latency.cells),
    inFlight: after.inFlight,
    queued: after.queued,
    states: after.workerStates.map(({ state }) => state),
  };
}

/** A moment of which nothing is known: lines have a gap there. */
export function gap(date) {
  return {
    date,
    requestsPerSecond: null,
    bytesPerSecond: null,
    cpus: null,
    loopUse: null,
    p50: null,
    p90: null,
    p99: null,
    inFlight: null,
    queued: null,
    states: [],
  };
}

/** Whether two readings are of one server that went on running. */
export function isSameServer(before, after) {
  return before.pid === after.pid && after.uptimeMicros > before.uptimeMicros;
}

/** The cells of the histogram only grow: their differences are the histogram of the time between. */
function percentiles(before, after) {
  const earlier = new Map(before);
  const cells = after.map(([upper, count]) => [upper, count - (earlier.get(upper) ?? 0)]);
  const total = cells.reduce((sum, [, count]) => sum + count, 0);
  const at = (share) => {
    let seen = 0;
    for (const [upper, count] of cells) {
      seen += count;
      if (count > 0 && seen >= share * total) return upper;
    }
    return null;
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
