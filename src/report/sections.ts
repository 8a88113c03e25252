import type { Cell } from "./cell.js";
import type { Comparison, Level, Ratios } from "./comparison.js";
import { differenceCell, doubtText } from "./difference-text.js";
import { estimate, ratio, significant, whole } from "./format.js";
import { type Metric, metrics, speed } from "./metrics.js";
import type { Table } from "./table.js";

/** The tables of a report that hold what was found. */

function ratioCell({ byMetric, speedBound }: Ratios, metric: Metric): string {
  const found = byMetric[metric.key];
  if (found === null && metric === speed && speedBound !== null) {
    const bound = ratio(speedBound.ratio.ratio, speedBound.ratio.interval);
    return `${speedBound.side === "at most" ? "≤" : "≥"} ${bound.value} ${bound.interval}`;
  }
  return found === null ? "not ranked" : differenceCell(found);
}

function heading({ core, verdict }: Cell): string {
  return verdict.valid ? core : `${core} (invalid)`;
}

/** All cores at one concurrency, in ab's terms, with the ratio of each to the base. */
export function levelTable({ cells, ratios }: Level): Table {
  const [base] = cells;
  const rows = metrics.map((metric) => [
    metric.label,
    ...cells.map(({ estimates, trials }) => {
      const { value, interval } = estimates[metric.key];
      return trials.length === 0 ? "–" : estimate(value, interval, metric.format);
    }),
    ...ratios.map((entry) => ratioCell(entry, metric)),
  ]);
  const errors = [
    "Failed requests (all trials)",
    ...cells.map(({ failedRequests, trials }) => (trials.length === 0 ? "–" : whole(failedRequests))),
    ...ratios.map(() => ""),
  ];
  return {
    header: ["", ...cells.map(heading), ...ratios.map(({ core }) => `${core} ÷ ${base?.core ?? ""}`)],
    rows: [...rows, errors],
  };
}

/** Requests per second, tail and cost of every concurrency at a glance: ratios to the base only. */
export function overviewTable({ levels, sweep }: Comparison): Table {
  const [base = "", ...others] = sweep.plan.cores;
  const keys = ["requestsPerSecond", "p99Ms", "cpuPerRequestMicros"] as const;
  const shown = keys.flatMap((key) => metrics.filter((metric) => metric.key === key));
  const titles = ["requests/s", "99% latency", "CPU per request"];
  return {
    header: ["Concurrency", ...others.flatMap((core) => titles.map((title) => `${core} ÷ ${base}: ${title}`))],
    rows: levels.map(({ concurrency, ratios }) => [
      String(concurrency),
      ...ratios.flatMap((entry) => shown.map((metric) => ratioCell(entry, metric))),
    ]),
  };
}

/**
 * The verdict on every comparison of speeds in words: why no difference is called, or how significant one is. Empty where nothing could
 * be compared.
 */
export function verdictsTable({ levels, sweep }: Comparison): Table {
  const [base = ""] = sweep.plan.cores;
  const rows = levels.flatMap(({ concurrency, ratios }) =>
    ratios.map(({ core, byMetric, speedBound }) => {
      const found = byMetric.requestsPerSecond ?? speedBound?.ratio ?? null;
      return [
        `${core} ÷ ${base}, c=${concurrency}`,
        found === null ? "not ranked" : found.verdict,
        found === null ? "–" : significant(found.p),
        found === null ? "–" : significant(found.correctedP),
        found === null
          ? "a cell is invalid"
          : found.doubts.map(doubtText).join("; ") || "significant, and the interval leaves out 1",
      ];
    }),
  );
  return { header: ["Requests per second", "Verdict", "p (Wilcoxon)", "p (Holm)", "Why"], rows };
}
