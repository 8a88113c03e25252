import { usageError } from "../../shared/errors.js";
import { isCalled } from "../statistics/difference.js";
import type { CellChange, Change } from "./change.js";
import { ratio } from "./format.js";
import type { MetricKey } from "./metrics.js";

/** What fails a comparison of two sweeps, e.g. requests per second below 0.95 × those before. */
export interface Condition {
  readonly text: string;
  readonly metric: MetricKey;
  readonly compare: "<" | "<=" | ">" | ">=";
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
  switch (compare) {
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
  }
}

/** What a condition found in a change. */
export interface Judgement {
  /** Cells whose difference is called and meets a condition, each in words. */
  readonly failures: readonly string[];
  /** Cells that could not have met it whatever happened: invalid, or with too few trials. Each in words. */
  readonly unknown: readonly string[];
}

/** Only differences that are called count: a ratio that meets the limit by chance does not. */
export function judgeChange({ cells }: Change, conditions: readonly Condition[]): Judgement {
  const found = (of: (cell: CellChange, condition: Condition) => string | null): readonly string[] =>
    conditions.flatMap((condition) =>
      cells.flatMap((cell) => {
        const text = of(cell, condition);
        return text === null ? [] : [`${condition.text}: ${cell.core} at c=${cell.concurrency} ${text}`];
      }),
    );
  return {
    failures: found(({ byMetric }, condition) => {
      const difference = byMetric[condition.metric];
      if (difference === null || !isCalled(difference) || !meets(condition, difference.ratio)) return null;
      const text = ratio(difference.ratio, difference.interval);
      return `is ${text.value} ${text.interval}`;
    }),
    unknown: found(({ byMetric }, { metric }) => {
      const difference = byMetric[metric];
      if (difference === null) return "cannot be compared: it is invalid in one of the two";
      return difference.verdict === "undecided" ? "cannot be judged: too few trials, or too alike" : null;
    }),
  };
}
