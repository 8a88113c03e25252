import { usageError } from "../../shared/errors.js";
import { latencyOf, meanOf } from "../drivers/latency.js";
import { requestsPerSecond, workSeconds } from "../drivers/rate.js";
import type { GeneratorResult } from "../drivers/result.js";
import { median, medianInterval } from "../statistics/median.js";
import { failedRequests } from "../validity/accounting.js";
import type { Comparison } from "./comparison.js";
import { reasonText } from "./diagnostic-text.js";
import type { Judgement } from "./fail-if.js";
import { estimate, loadText, significant } from "./format.js";
import { isBeyond, type LimitSign } from "./limit-sign.js";

/** What fails one run, or one sweep, by itself: "p99>50ms", "errors>0", "p99[GET /x]>50ms". */
export interface Limit {
  readonly text: string;
  readonly metric: LimitMetric;
  /** Kind of request; null: all. */
  readonly kind: string | null;
  readonly compare: LimitSign;
  /** In the metric's own unit: ms, requests, a share, requests per second. */
  readonly value: number;
}

type LimitMetric =
  | { readonly name: "percentile"; readonly percentile: number }
  | { readonly name: "mean" | "max" | "errors" | "error-share" | "rate" };

const FORM =
  "one of p50, p90, p99, p99.9, mean, max, errors and rate, with [KIND] where it is of one kind of request; one of < <= > >=; and a number, " +
  "of a latency with ms, s or us, of errors perhaps with %";
const IN_MS: Readonly<Record<string, number>> = { us: 0.001, µs: 0.001, ms: 1, s: 1000 };

/** The limits of `--fail-if`, several with commas. Throws a usage error that says what can be written. */
export function parseLimits(expression: string): readonly Limit[] {
  // A comma in a kind's name separates nothing.
  return expression.split(/,(?![^[]*\])/).map((part) => {
    const found = /^\s*([a-z]+[\d.]*)\s*(?:\[(.*)\])?\s*(<=?|>=?)\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s|%)?\s*$/.exec(part);
    const [, name = "", kind = null, compare = "", number = "", unit = ""] = found ?? [];
    const limit = found === null ? null : metricOf(name, unit);
    if (limit === null)
      throw usageError(
        `--fail-if must be like 'p99>50ms' or 'errors>0,p99[GET /x]>20ms', not "${expression}": ${FORM}`,
      );
    return {
      text: part.trim(),
      metric: limit.metric,
      kind,
      compare: compare as Limit["compare"],
      value: Number(number) * limit.scale,
    };
  });
}

function metricOf(name: string, unit: string): { readonly metric: LimitMetric; readonly scale: number } | null {
  const isLatency = /^(p[\d.]+|mean|max)$/.test(name);
  if (isLatency) {
    const scale = IN_MS[unit];
    if (scale === undefined) return null;
    if (name === "mean" || name === "max") return { metric: { name }, scale };
    const percentile = Number(name.slice(1));
    return percentile > 0 && percentile <= 100 ? { metric: { name: "percentile", percentile }, scale } : null;
  }
  if (name === "errors" && unit === "%") return { metric: { name: "error-share" }, scale: 0.01 };
  if (unit !== "") return null;
  return name === "errors" || name === "rate" ? { metric: { name }, scale: 1 } : null;
}

/** Throws a usage error where a limit is of a kind of request that is not sent. */
export function checkKinds(limits: readonly Limit[], names: readonly string[]): void {
  const lost = limits.find(({ kind }) => kind !== null && !names.includes(kind));
  if (lost !== undefined)
    throw usageError(`--fail-if ${lost.text}: no kind of request has that name; there are ${names.join(", ")}`);
}

/** Of one run; NaN where it is not told. */
function figureOf(run: GeneratorResult, { metric, kind }: Limit): number {
  const own = kind === null ? null : (run.kinds?.find(({ name }) => name === kind) ?? null);
  const total = own?.total ?? run.latency.total;
  const [sent, failed] = own === null ? [run.sent, failedRequests(run)] : [own.sent, own.sent - own.completed];
  const hasLatency = total !== null && total.count > 0;
  switch (metric.name) {
    case "percentile":
      return hasLatency ? latencyOf(total).valueAtPercentile(metric.percentile) / 1e6 : Number.NaN;
    case "mean":
      return hasLatency ? meanOf(total) / 1e6 : Number.NaN;
    case "max":
      return hasLatency ? latencyOf(total).max / 1e6 : Number.NaN;
    case "errors":
      return failed;
    case "error-share":
      return sent === 0 ? Number.NaN : failed / sent;
    case "rate":
      return own === null ? requestsPerSecond(run) : own.completed / workSeconds(run);
  }
}

function crosses({ compare, value: limit }: Limit, value: number): boolean {
  return isBeyond(value, compare, limit);
}

function inWords({ metric: { name } }: Limit, value: number): string {
  if (name === "error-share") return `${significant(value * 100)}%`;
  if (name === "errors") return significant(value);
  return `${significant(value)} ${name === "rate" ? "requests/s" : "ms"}`;
}

/** One run has no interval: what it found is what counts. */
export function judgeRun(run: GeneratorResult, limits: readonly Limit[]): Judgement {
  const judged = limits.map((limit) => ({ limit, value: figureOf(run, limit) }));
  return {
    failures: judged
      .filter(({ limit, value }) => crosses(limit, value))
      .map(({ limit, value }) => `${limit.text}: it was ${inWords(limit, value)}`),
    unknown: judged
      .filter(({ value }) => Number.isNaN(value))
      .map(({ limit }) => `${limit.text}: there is no such figure in this run`),
  };
}

type Outcome = { readonly kind: "failure" | "unknown"; readonly text: string };

/** Every core under every load: a limit is crossed by a whole interval of the median, or not at all, or it is not decided. */
export function judgeSweep({ levels }: Comparison, limits: readonly Limit[]): Judgement {
  const outcomes = limits.flatMap((limit) =>
    levels.flatMap((level) =>
      level.cells.flatMap((cell): Outcome | readonly [] => {
        const where = `${limit.text}: ${cell.core} at ${loadText(level)}`;
        // Errors are counted, and make a cell invalid: they are judged all the same.
        const isCount = limit.metric.name === "errors" || limit.metric.name === "error-share";
        if (!cell.verdict.valid && !isCount) {
          return { kind: "unknown", text: `${where} is invalid (${cell.verdict.reasons.map(reasonText).join("; ")})` };
        }
        const values = cell.trials.map(({ run }) => figureOf(run, limit)).filter((value) => !Number.isNaN(value));
        if (values.length === 0) return { kind: "unknown", text: `${where} has no such figure` };
        if (isCount) {
          const worst = limit.compare.startsWith(">") ? Math.max(...values) : Math.min(...values);
          return crosses(limit, worst)
            ? { kind: "failure", text: `${where} was ${inWords(limit, worst)} in a trial` }
            : [];
        }
        const interval = medianInterval(values);
        const text = `${where} is ${estimate(median(values), interval, (value) => inWords(limit, value))}`;
        if (interval === null) return { kind: "unknown", text: `${text}: too few trials for an interval, it takes 6` };
        const met = [interval.low, interval.high].filter((end) => crosses(limit, end)).length;
        if (met === 1) return { kind: "unknown", text: `${text}: the interval holds the limit` };
        return met === 2 ? { kind: "failure", text } : [];
      }),
    ),
  );
  const texts = (kind: Outcome["kind"]): readonly string[] =>
    outcomes.filter((one) => one.kind === kind).map(({ text }) => text);
  return { failures: texts("failure"), unknown: texts("unknown") };
}
