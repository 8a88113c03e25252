import type { Metrics } from "../shared/stats/metrics.js";
import { oneLine } from "../shared/terminal-text.js";
import type { IntervalMetrics } from "../stats-mirror/interval.js";

/** The live view of `loopool stats` as lines of plain text. `rates` are the requests/s of the last intervals, oldest first. */
export function statsView(
  metrics: Metrics,
  interval: IntervalMetrics | null,
  rates: readonly number[],
): readonly string[] {
  const f = metrics;
  const times = interval === null ? sinceStart(f) : interval.latency;
  const rate = (value: (i: IntervalMetrics) => string): string => (interval === null ? "–" : value(interval));
  return [
    `loopool ${oneLine(f.mode)}   pid ${f.pid}   up ${duration(f.uptimeMicros / 1e6)}   Node ${oneLine(f.node)}`,
    "",
    row("requests/s", [rate((i) => whole(i.requestsPerSecond)), `total ${whole(f.requests)}`], sparkline(rates)),
    row("bytes/s", [rate((i) => bytes(i.bodyBytesPerSecond)), `total ${bytes(f.bodyBytes)}`]),
    row("responses", Object.entries(f.responses).map(counted)),
    row(
      "",
      ["200", "404", "500"].map((code) => counted([code, f.status[code] ?? 0])),
    ),
    row("connections", [`active ${whole(f.activeConnections)}`, `accepted ${whole(f.connections)}`]),
    row("requests", [
      `in flight ${whole(f.inFlight)}`,
      ...(f.queued === null ? [] : [`queued ${whole(f.queued)}`]),
      `shed ${whole(f.shed)}`,
      `timed out ${whole(f.timedOut)}`,
      `aborted ${whole(f.aborted)}`,
      `failed ${whole(f.handlerErrors)}`,
    ]),
    row(
      interval === null ? "latency, all" : "latency",
      times === null
        ? ["nothing was timed"]
        : [`p50 ${time(times.p50)}`, `p90 ${time(times.p90)}`, `p99 ${time(times.p99)}`],
    ),
    row("main thread", [
      rate((i) => `loop in use ${Math.round(i.loopUse * 100)}%`),
      `longest delay ${time(f.eventLoop.delayMaxMs * 1000)}`,
    ]),
    row("process", [rate((i) => `${i.cpus.toFixed(2)} CPUs`), `peak memory ${bytes(f.peakRssBytes)}`]),
    ...(f.workers === 0 ? [] : [row("workers", [whole(f.workers), `lost ${whole(f.workersLost)}`])]),
    ...f.workerStates.map(({ worker, state, forMs, on, handled }) => {
      const since = forMs === null || state === "absent" ? "" : `for ${duration(forMs / 1000)}`;
      return row("", [
        `${worker}`.padStart(3),
        oneLine(state).padEnd(6),
        since.padEnd(12),
        `${whole(handled)} handled`,
        oneLine(on ?? ""),
      ]);
    }),
  ];
}

const LABEL_WIDTH = 13;

function row(label: string, values: readonly string[], tail = ""): string {
  return `${label.padEnd(LABEL_WIDTH)}${[...values, tail].filter((value) => value !== "").join("   ")}`;
}

function sinceStart({ latency }: Metrics): IntervalMetrics["latency"] {
  if (latency.count === 0) return null;
  return { p50: latency.p50Micros, p90: latency.p90Micros, p99: latency.p99Micros };
}

function counted([what, count]: readonly [string, number]): string {
  return `${what} ${whole(count)}`;
}

const BARS = "▁▂▃▄▅▆▇█";

/** The highest value reaches the top; 0 is the bottom. */
function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values);
  if (values.length < 2 || highest <= 0) return "";
  return values.map((value) => BARS.charAt(Math.round((value / highest) * (BARS.length - 1)))).join("");
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return step === 0 ? `${Math.round(value)} B` : `${(value / 1000 ** step).toFixed(1)} ${units[step]}`;
}

function time(micros: number): string {
  if (micros < 1000) return `${Math.round(micros)} µs`;
  return micros < 1e6 ? `${(micros / 1e3).toPrecision(3)} ms` : `${(micros / 1e6).toPrecision(3)} s`;
}

function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return minutes < 1440
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}
