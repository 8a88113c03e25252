import { requestText } from "../sweep/plan.js";
import type { Estimate } from "./cell.js";
import type { Comparison, Level } from "./comparison.js";
import { counted, listed, loadText, tick } from "./format.js";
import type { MetricKey } from "./metrics.js";
import type { Plot, Point, Series } from "./plot.js";

/** The levels along the axis; where the CPUs change there is a gap, so that no line leads from one number of them to another. */
function slotsOf({ levels }: Comparison): readonly (Level | null)[] {
  return levels.flatMap((level, index) =>
    index > 0 && levels[index - 1]!.serverCpus !== level.serverCpus ? [null, level] : [level],
  );
}

/**
 * The cells of one core: an invalid one leaves a gap in the line, never a point, except where the load generator alone was the limit, which
 * is drawn as a bound.
 */
function pointsOf(comparison: Comparison, core: string, key: MetricKey): readonly Point[] {
  return slotsOf(comparison).flatMap((level, category) => {
    const cell = level?.cells.find((candidate) => candidate.core === core);
    if (cell === undefined || !(cell.verdict.valid || cell.verdict.lowerBound)) return [];
    const { value, interval }: Estimate = cell.estimates[key];
    // What another generator did not tell.
    if (Number.isNaN(value)) return [];
    return [
      { category, value, low: interval?.low ?? null, high: interval?.high ?? null, bound: cell.verdict.lowerBound },
    ];
  });
}

function subtitle({ levels, sweep: { plan } }: Comparison, bound: string): string {
  const limited = levels.some(({ cells }) => cells.some(({ verdict }) => verdict.lowerBound));
  const left = levels.flatMap(({ cells }) =>
    cells
      .filter(({ verdict }) => !verdict.valid && !verdict.lowerBound)
      .map((cell) => `${cell.core} at ${loadText(cell).replace("c=", "")}`),
  );
  const request = requestText(plan);
  const parts = [
    `${request.length > 44 ? `${request.slice(0, 43)}…` : request}, ${plan.keepAlive ? "keep-alive" : "no keep-alive"}`,
    `median of ${counted(plan.trials, "trial")}, bars: 95% interval`,
    ...(limited ? [`hollow: ${bound} (generator was the limit)`] : []),
    ...(left.length > 3 ? [`${left.length} invalid cells left out`] : []),
    ...(left.length > 0 && left.length <= 3 ? [`invalid, left out: ${listed(left)}`] : []),
  ];
  return parts.join(" · ");
}

function categories(comparison: Comparison): readonly string[] {
  return slotsOf(comparison).map((level) => {
    if (level === null) return "";
    const { concurrency, rate, serverCpus } = level;
    const load = rate === null ? String(concurrency) : `${concurrency}, ${tick(rate)}/s`;
    return serverCpus === undefined ? load : `${load}, ${counted(serverCpus, "CPU")}`;
  });
}

/** Requests per second over concurrency. */
export function throughputPlot(comparison: Comparison): Plot {
  return {
    title: "Throughput",
    subtitle: subtitle(comparison, "at least"),
    xName: "Concurrency (connections)",
    yName: "Requests per second",
    categories: categories(comparison),
    scale: "linear",
    series: comparison.sweep.plan.cores.map((core, colourIndex) => ({
      name: core,
      colourIndex,
      dashed: false,
      points: pointsOf(comparison, core, "requestsPerSecond"),
    })),
  };
}

/** Median and 99th percentile of latency over concurrency on a logarithmic axis. */
export function latencyPlot(comparison: Comparison): Plot {
  const { cores } = comparison.sweep.plan;
  const lines = (key: MetricKey, label: string, dashed: boolean): readonly Series[] =>
    cores.map((core, colourIndex) => ({
      name: `${core} ${label}`,
      colourIndex,
      dashed,
      // Another generator may tell whole milliseconds: 0 has no place on a logarithmic axis.
      points: pointsOf(comparison, core, key).filter(({ value, low }) => value > 0 && (low === null || low > 0)),
    }));
  return {
    title: "Latency",
    subtitle: subtitle(comparison, "at most"),
    xName: "Concurrency (connections)",
    yName: "Time per request, ms (log scale)",
    categories: categories(comparison),
    scale: "log",
    series: [...lines("p99Ms", "p99", false), ...lines("p50Ms", "p50", true)],
  };
}
