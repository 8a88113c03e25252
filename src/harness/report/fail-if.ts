import { usageError } from "../../shared/errors.js";
import { type Difference, isCalled } from "../statistics/difference.js";
import type { Change } from "./change.js";
import { doubtText } from "./difference-text.js";
import { loadText, ratio } from "./format.js";
import { isBeyond, type LimitSign } from "./limit-sign.js";
import { compares, type Metric, type MetricKey, metrics } from "./metrics.js";

/** What fails a comparison of two sweeps, e.g. requests per second below 0.95 × those before. */
export interface Condition {
  readonly text: string;
  readonly metric: MetricKey;
  readonly compare: LimitSign;
  readonly limit: number;
}

/** Names for ratios after ÷ before. */
const names: Readonly<Record<string, MetricKey>> = {
  ratio: "requestsPerSecond",
  p50: "p50Ms",
  p90: "p90Ms",
  p99: "p99Ms",
  max: "maxMs",
  cpu: "cpuPerRequestMicros",
  rss: "peakRssMebibytes",
};

/**
 * The conditions of `--fail-if`, e.g. "ratio<0.95" or "ratio<0.95,p99>1.2". Throws a usage error that says what can be written.
 * A limit that a ratio of 1 meets is refused: it would fail what has not changed.
 */
export function parseConditions(expression: string): readonly Condition[] {
  return expression.split(",").map((part) => {
    const match = /^\s*([a-z]\w*)\s*(<=?|>=?)\s*(\d+(?:\.\d+)?)\s*$/.exec(part);
    const [, name = "", compare = "", number = ""] = match ?? [];
    const metric = Object.hasOwn(names, name) ? names[name] : undefined;
    if (metric === undefined) {
      throw usageError(
        `--fail-if must be like 'ratio<0.95' or 'ratio<0.95,p99>1.2', not "${expression}": ` +
          `one of ${Object.keys(names).join(", ")}, one of < <= > >=, and a ratio of after to before`,
      );
    }
    const condition = { text: `${name}${compare}${number}`, metric, compare, limit: Number(number) } as Condition;
    if (meets(condition, 1)) {
      throw usageError(
        `--fail-if ${condition.text} is met by a ratio of 1, which is no change: choose a limit beyond 1`,
      );
    }
    return condition;
  });
}

function meets({ compare, limit }: Condition, value: number): boolean {
  return isBeyond(value, compare, limit);
}

/** What a condition found in a change. */
export interface Judgement {
  /** Ratios whose difference is called and whose whole interval meets a condition, each in words. */
  readonly failures: readonly string[];
  /** Ratios of which neither that nor the opposite is known: the interval holds the limit, a cell is invalid, few trials. Each in words. */
  readonly unknown: readonly string[];
}

type Outcome = { readonly kind: "failure" | "unknown"; readonly text: string } | { readonly kind: "pass" };

/** A pass is a ratio whose whole interval misses the limit; one that was merely not found to meet it is unknown. */
export function judgeChange({ cells, base }: Change, conditions: readonly Condition[]): Judgement {
  const judged = conditions.flatMap((condition) => {
    if (base === null) {
      const text = `${condition.text}: one core was measured, so there is no ratio between cores to compare`;
      return [{ kind: "unknown", text } as const];
    }
    return cells
      .filter((cell) => cell.core !== base && compares(metricOf(condition), cell))
      .map((cell) => {
        const outcome = outcomeOf(cell.byMetric[condition.metric], condition);
        if (outcome.kind === "pass") return outcome;
        const text = `${condition.text}: ${cell.core} ÷ ${base} at ${loadText(cell)} ${outcome.text}`;
        return { ...outcome, text };
      });
  });
  const texts = (kind: Outcome["kind"]): readonly string[] =>
    judged.flatMap((outcome) => (outcome.kind === kind && outcome.kind !== "pass" ? [outcome.text] : []));
  return { failures: texts("failure"), unknown: texts("unknown") };
}

function metricOf({ metric }: Condition): Metric {
  return metrics.find(({ key }) => key === metric)!;
}

function outcomeOf(difference: Difference | null, condition: Condition): Outcome {
  if (difference === null)
    return { kind: "unknown", text: "cannot be compared: a cell is invalid in one of the two, or has no value" };
  const { interval, doubts } = difference;
  if (interval === null || difference.verdict === "undecided")
    return { kind: "unknown", text: "cannot be judged: too few trials" };
  const { value, interval: range } = ratio(difference.ratio, interval);
  const met = [interval.low, interval.high].filter((end) => meets(condition, end)).length;
  if (met === 0) return { kind: "pass" };
  if (met === 2 && isCalled(difference)) return { kind: "failure", text: `is ${value} ${range}` };
  const why = met === 2 ? doubts.map(doubtText).join("; ") : "the interval holds the limit";
  return { kind: "unknown", text: `is undecided: ${value} ${range}, ${why}` };
}
