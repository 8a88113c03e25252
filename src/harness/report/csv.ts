import { latencyOf, meanOf } from "../drivers/latency.js";
import { completedInWindow, requestsPerSecond, windowSeconds, workSeconds } from "../drivers/rate.js";
import type { GeneratorResult } from "../drivers/result.js";
import { Histogram } from "../load/histogram/histogram.js";
import { errorClasses, type KindResult } from "../load/result/run-result.js";
import { isOurs, isSameLoad, planUnder } from "../sweep/plan.js";
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

function errorsText(errors: GeneratorResult["errors"]): string {
  const found = errorClasses.filter((name) => errors[name] > 0);
  return found.map((name) => `${name} ${errors[name]}`).join("; ");
}

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
  ["errors_by_class", ({ errors }) => errorsText(errors)],
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

/** A trial with what is known of it and its cell, or one kind of its requests. */
interface TrialRow {
  readonly trial: TrialResult;
  readonly kind: KindResult | null;
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
  ...runColumns.map(
    ([name, of]): Column<TrialRow> => [
      name,
      ({ trial: { run }, kind }) => (run === null ? null : kind === null ? of(run) : kindValue(name, run, kind)),
    ],
  ),
  [
    "server_cpu_us_per_request",
    ({ trial: { server }, kind }) =>
      kind !== null || server === null || server.requests === 0
        ? null
        : (server.cpuUserMicros + server.cpuSystemMicros) / server.requests,
  ],
  [
    "server_peak_rss_mib",
    ({ trial: { server }, kind }) => (server === null || kind !== null ? null : server.peakRssBytes / 2 ** 20),
  ],
  ["valid", ({ reasons }) => reasons.length === 0],
  ["reasons", ({ reasons }) => reasons.join("; ")],
  ["cell_valid", ({ cellReasons }) => cellReasons.length === 0],
  ["cell_reasons", ({ cellReasons }) => cellReasons.join("; ")],
  ["server_cpus", ({ trial }) => trial.serverCpus ?? null],
];

/** After the core, where requests are of several kinds. */
const kindColumn: Column<TrialRow> = ["kind", ({ kind }) => kind?.name ?? null];

/** Every trial of a sweep as a row, in the order they ran; of several kinds of request, a row for each of them after it. A field that was not measured is empty. */
export function trialsCsv(comparison: Comparison): string {
  const { plan, environment, trials } = comparison.sweep;
  const cells = allCells(comparison);
  const rows = trials.flatMap((trial): readonly TrialRow[] => {
    const cell = cells.find((candidate) => candidate.core === trial.core && isSameLoad(candidate, trial));
    const ours = isOurs(plan, trial.core);
    const { reasons } = verdictOf([trial], {
      plannedTrials: 1,
      pinning: planUnder(plan, trial).pinning,
      environment,
      ours,
    });
    const row = {
      trial,
      path: plan.path,
      reasons: reasons.map(reasonText),
      cellReasons: cell?.verdict.reasons.map(reasonText) ?? [],
    };
    return [null, ...(trial.run?.kinds ?? [])].map((kind) => ({ ...row, kind }));
  });
  const [core, ...others] = trialColumns;
  return csvOf(rows.some(({ kind }) => kind !== null) ? [core!, kindColumn, ...others] : trialColumns, rows);
}

/** A run, or one kind of its requests. */
interface RunRow {
  readonly run: GeneratorResult;
  readonly kind: KindResult | null;
}

/** One run of the generator as a row below its header; where it has several kinds of request, a row for each of them besides. */
export function runCsv(result: GeneratorResult): string {
  const columns: readonly Column<RunRow>[] = [
    ["url", ({ run }) => run.url],
    ["method", ({ run, kind }) => (kind === null ? (run.method ?? "GET") : null)],
    ["kind", ({ kind }) => kind?.name ?? null],
    ["concurrency", ({ run }) => run.concurrency],
    ["arrivals", ({ run }) => run.openLoop?.arrivals ?? null],
    ...runColumns.map(
      ([name, of]): Column<RunRow> => [name, ({ run, kind }) => (kind === null ? of(run) : kindValue(name, run, kind))],
    ),
  ];
  return csvOf(columns, [{ run: result, kind: null }, ...(result.kinds ?? []).map((kind) => ({ run: result, kind }))]);
}

/** What a column holds of one kind: its counts and latencies; what is of the run alone stays empty. */
function kindValue(name: string, run: GeneratorResult, kind: KindResult): Value {
  const total = Histogram.fromStored(kind.total);
  const ms = (ns: number): Value => (kind.completed === 0 ? null : ns / 1e6);
  const percentile = /^p([\d.]+)_ms$/.exec(name)?.[1];
  if (percentile !== undefined) return ms(total.valueAtPercentile(Number(percentile)));
  switch (name) {
    case "requests_sent":
      return kind.sent;
    case "requests_completed":
      return kind.completed;
    case "requests_failed":
      return kind.sent - kind.completed;
    case "errors_by_class":
      return errorsText(kind.errors);
    case "requests_per_s":
      return kind.completed / workSeconds(run);
    case "mean_ms":
      return ms(total.mean);
    case "max_ms":
      return ms(total.max);
    default:
      return null;
  }
}
