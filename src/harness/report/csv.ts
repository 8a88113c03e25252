import { latencyOf, meanOf } from "../drivers/latency.js";
import { completedInWindow, requestsPerSecond, windowSeconds } from "../drivers/rate.js";
import type { GeneratorResult } from "../drivers/result.js";
import { errorClasses } from "../load/run-result.js";
import { externalTargetOf, isSameLoad, planUnder } from "../sweep/plan.js";
import type { TrialResult } from "../sweep/result.js";
import { failedRequests } from "../validity/accounting.js";
import { generatorShare } from "../validity/saturation.js";
import { verdictOf } from "../validity/verdict.js";
import { allCells, type Comparison } from "./comparison.js";
import { reasonText } from "./diagnostic-text.js";

/** What a field holds; null is an empty field: not measured. */
type Value = string | number | boolean | null;

/** A column: its name in the header, with the unit, and its value of a row. */
type Column<Row> = readonly [name: string, of: (row: Row) => Value];

/** What a spreadsheet takes for a formula, and runs: text that begins so gets an apostrophe before it (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * Comma-separated values with a header (RFC 4180): CRLF, and quotes around fields with a comma, a quote or a line end. Numbers are ours, and
 * stay numbers; text may come from outside.
 */
function csvOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const field = (value: Value): string => {
    const plain = value === null || Number.isNaN(value) ? "" : String(value);
    const text = typeof value === "string" && FORMULA.test(plain) ? `'${plain}` : plain;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const records = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, of]) => of(row)))];
  return records.map((record) => `${record.map(field).join(",")}\r\n`).join("");
}

const percentileMs =
  (percentile: number) =>
  ({ latency }: GeneratorResult): Value =>
    latency.total === null || latency.total.count === 0
      ? null
      : latencyOf(latency.total).valueAtPercentile(percentile) / 1e6;

/** What one run of the generator found. */
const runColumns: readonly Column<GeneratorResult>[] = [
  ["generator", (run) => ("tool" in run ? `${run.tool.name} ${run.tool.version}` : "loopool")],
  ["keep_alive", ({ keepAlive }) => keepAlive],
  ["loop", ({ loop }) => loop],
  ["rate_per_s", ({ openLoop }) => openLoop?.rate ?? null],
  ["achieved_rate_per_s", ({ openLoop }) => openLoop?.achievedRate ?? null],
  ["max_lag_ms", ({ openLoop }) => (openLoop === undefined ? null : openLoop.lag.max / 1e6)],
  ["started_at", ({ startedAt }) => startedAt],
  ["elapsed_s", ({ elapsedSeconds }) => elapsedSeconds],
  ["window_s", windowSeconds],
  ["completed_after_window", (run) => run.completed - completedInWindow(run)],
  ["requests_sent", ({ sent }) => sent],
  ["requests_completed", ({ completed }) => completed],
  ["requests_failed", failedRequests],
  [
    "errors_by_class",
    ({ errors }) =>
      errorClasses
        .filter((name) => errors[name] > 0)
        .map((name) => `${name} ${errors[name]}`)
        .join("; "),
  ],
  ["requests_per_s", requestsPerSecond],
  ["mean_ms", ({ latency: { total } }) => meanOf(total) / 1e6],
  ["p50_ms", percentileMs(50)],
  ["p90_ms", percentileMs(90)],
  ["p99_ms", percentileMs(99)],
  ["p99.9_ms", percentileMs(99.9)],
  [
    "max_ms",
    ({ latency: { total } }) => (total === null || total.count === 0 || total.max === null ? null : total.max / 1e6),
  ],
  ["generator_share", (run) => generatorShare({ run })],
];

/** A trial with what is known of it and its cell. */
interface TrialRow {
  readonly trial: TrialResult;
  readonly path: string;
  /** Why this trial alone is not valid. */
  readonly reasons: readonly string[];
  /** Why its cell is not. */
  readonly cellReasons: readonly string[];
}

const trialColumns: readonly Column<TrialRow>[] = [
  ["core", ({ trial }) => trial.core],
  ["path", ({ path }) => path],
  ["concurrency", ({ trial }) => trial.concurrency],
  ["block", ({ trial }) => trial.block],
  ...runColumns.map(([name, of]): Column<TrialRow> => [name, ({ trial: { run } }) => (run === null ? null : of(run))]),
  [
    "server_cpu_us_per_request",
    ({ trial: { server } }) =>
      server === null || server.requests === 0
        ? null
        : (server.cpuUserMicros + server.cpuSystemMicros) / server.requests,
  ],
  ["server_peak_rss_mib", ({ trial: { server } }) => (server === null ? null : server.peakRssBytes / 2 ** 20)],
  ["valid", ({ reasons }) => reasons.length === 0],
  ["reasons", ({ reasons }) => reasons.join("; ")],
  ["cell_valid", ({ cellReasons }) => cellReasons.length === 0],
  ["cell_reasons", ({ cellReasons }) => cellReasons.join("; ")],
  ["server_cpus", ({ trial }) => trial.serverCpus ?? null],
];

/** Every trial of a sweep as a row, in the order they ran. A field that was not measured is empty. */
export function trialsCsv(comparison: Comparison): string {
  const { plan, environment, trials } = comparison.sweep;
  const cells = allCells(comparison);
  const rows = trials.map((trial): TrialRow => {
    const cell = cells.find((candidate) => candidate.core === trial.core && isSameLoad(candidate, trial));
    const ours = externalTargetOf(plan, trial.core) === undefined;
    const { reasons } = verdictOf([trial], {
      plannedTrials: 1,
      pinning: planUnder(plan, trial).pinning,
      environment,
      ours,
    });
    return {
      trial,
      path: plan.path,
      reasons: reasons.map(reasonText),
      cellReasons: cell?.verdict.reasons.map(reasonText) ?? [],
    };
  });
  return csvOf(trialColumns, rows);
}

/** One run of the generator as a row below its header. */
export function runCsv(result: GeneratorResult): string {
  const columns: readonly Column<GeneratorResult>[] = [
    ["url", ({ url }) => url],
    ["concurrency", ({ concurrency }) => concurrency],
    ...runColumns,
  ];
  return csvOf(columns, [result]);
}
