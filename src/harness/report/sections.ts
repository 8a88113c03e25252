import { apartMark, mediansAgree } from "./agreement.js";
import type { Cell } from "./cell.js";
import type { Comparison, Level, Ratios } from "./comparison.js";
import { differenceCell, doubtText } from "./difference-text.js";
import { estimate, loadText, ratio, significant, whole } from "./format.js";
import { pooledP99Ms } from "./latencies.js";
import { type Metric, metrics, rankingMetric, speed, tail } from "./metrics.js";
import type { Table } from "./table.js";

/** The tables of a report that hold what was found. */

function ratioCell({ byMetric, speedBound }: Ratios, metric: Metric, isOpen: boolean): string {
  const found = byMetric[metric.key];
  if (metric === speed && isOpen) return "given";
  if (found === null && metric === speed && speedBound !== null) {
    const bound = ratio(speedBound.ratio.ratio, speedBound.ratio.interval);
    return `${speedBound.side === "at most" ? "≤" : "≥"} ${bound.value} ${bound.interval}`;
  }
  return found === null ? "not ranked" : differenceCell(found);
}

/** The mark of a ratio with which the medians of its row do not agree. */
function apart({ core, base: baseName, byMetric }: Ratios, metric: Metric, cells: readonly Cell[]): string {
  const found = byMetric[metric.key];
  const base = cells.find((cell) => cell.core === baseName);
  const other = cells.find((cell) => cell.core === core);
  if (found === null || base === undefined || other === undefined) return "";
  return mediansAgree(base.estimates[metric.key], other.estimates[metric.key], found) ? "" : ` ${apartMark}`;
}

function heading({ core, verdict }: Cell): string {
  return verdict.valid ? core : `${core} (invalid)`;
}

/** All cores under one load, in ab's terms, with the ratio of each to the base. */
export function levelTable({ cells, ratios, rate }: Level): Table {
  const rows = metrics.map((metric) => [
    metric.label,
    ...cells.map(({ estimates, trials }) => {
      const { value, interval } = estimates[metric.key];
      return trials.length === 0 ? "–" : estimate(value, interval, metric.format);
    }),
    ...ratios.map((entry) => `${ratioCell(entry, metric, rate !== null)}${apart(entry, metric, cells)}`),
  ]);
  // The other 99th percentile stands below the median of the trials': a server that stalls in few trials shows only here.
  const pooled = [
    "99% of all requests together, ms",
    ...cells.map((cell) => significant(pooledP99Ms(cell) ?? Number.NaN)),
    ...ratios.map(() => ""),
  ];
  rows.splice(rows.findIndex(([label]) => label === tail.label) + 1, 0, pooled);
  const errors = [
    "Failed requests (all trials)",
    ...cells.map(({ failedRequests, trials }) => (trials.length === 0 ? "–" : whole(failedRequests))),
    ...ratios.map(() => ""),
  ];
  return {
    header: ["", ...cells.map(heading), ...ratios.map(({ core, base }) => `${core} ÷ ${base}`)],
    rows: [...rows, errors],
  };
}

/** Requests per second, tail and cost under every load at a glance: ratios to the base only. */
export function overviewTable({ levels }: Comparison): Table {
  const { ratios: compared = [] } = levels[0] ?? {};
  const keys = ["requestsPerSecond", "p99Ms", "cpuPerRequestMicros"] as const;
  const shown = keys.flatMap((key) => metrics.filter((metric) => metric.key === key));
  const titles = ["requests/s", "99% latency", "CPU per request"];
  return {
    header: [
      levels.some(({ rate, serverCpus }) => rate !== null || serverCpus !== undefined) ? "Load" : "Concurrency",
      ...compared.flatMap(({ core, base }) => titles.map((title) => `${core} ÷ ${base}: ${title}`)),
    ],
    rows: levels.map(({ ratios, ...level }) => [
      level.rate === null && level.serverCpus === undefined ? String(level.concurrency) : loadText(level),
      ...ratios.flatMap((entry) => shown.map((metric) => ratioCell(entry, metric, level.rate !== null))),
    ]),
  };
}

/**
 * The verdict on every comparison that ranks in words: why no difference is called, or how significant one is. Empty where nothing could
 * be compared.
 */
export function verdictsTable({ levels, sweep }: Comparison): Table {
  const title = `Requests per second${sweep.plan.openLoop === undefined ? "" : "; at a given rate: 99% latency"}`;
  const rows = levels.flatMap((level) =>
    level.ratios.map(({ core, base, byMetric, speedBound }) => {
      const found = byMetric[rankingMetric(level).key] ?? speedBound?.ratio ?? null;
      return [
        `${core} ÷ ${base}, ${loadText(level)}`,
        found === null ? "not ranked" : found.verdict,
        found === null ? "–" : significant(found.p),
        found === null ? "–" : significant(found.correctedP),
        found === null
          ? "a cell is invalid"
          : found.doubts.map(doubtText).join("; ") || "significant, and the interval leaves out 1",
      ];
    }),
  );
  return { header: [title, "Verdict", "p", "p (Holm)", "Why"], rows };
}
