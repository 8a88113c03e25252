import { usageError } from "../../shared/errors.js";
import { costText, listed } from "../report/format.js";
import { type BreakEvenCurve, curvesOf, type Outcome } from "./curves.js";
import { pathOf } from "./plan.js";
import type { BreakEvenResult } from "./result.js";
import { cpusText, outcomeText, subjectOf } from "./text.js";

/** A stored result with the name of its file. */
export interface NamedResult {
  readonly file: string;
  readonly result: BreakEvenResult;
}

/** How two results agree on one curve. */
export interface CurvePair {
  readonly first: BreakEvenCurve;
  readonly second: BreakEvenCurve;
  readonly agreement: "agree" | "differ" | "unknown";
}

/**
 * The curves that two results have in common, of another machine or another hour. Throws a usage error where they measured different
 * handlers or have no curve in common.
 */
export function compareResults(first: NamedResult, second: NamedResult): readonly CurvePair[] {
  const [a, b] = [first.result.plan, second.result.plan];
  const handlers = [a, b].map(({ handler }) => pathOf(handler, "N"));
  if (handlers[0] !== handlers[1]) {
    throw usageError(
      `${first.file} has measured ${handlers[0]} and ${second.file} ${handlers[1]}: compare results of one handler`,
    );
  }
  if (a.cores[0] !== b.cores[0]) {
    throw usageError(
      `the base of ${first.file} is the ${a.cores[0]}, that of ${second.file} the ${b.cores[0]}: compare results of one base`,
    );
  }
  const curves = curvesOf(second.result);
  const pairs = curvesOf(first.result).flatMap((curve): readonly CurvePair[] => {
    const other = curves.find((candidate) => keyOf(candidate) === keyOf(curve));
    return other === undefined
      ? []
      : [{ first: curve, second: other, agreement: agreementOf(curve.outcome, other.outcome) }];
  });
  if (pairs.length === 0) {
    const loads = [a, b].map(
      ({ serverCpus, concurrencies }) =>
        `${listed(serverCpus.map(({ cpus }) => cpus))} CPUs at c=${listed(concurrencies)}`,
    );
    throw usageError(`${first.file} (${loads[0]}) and ${second.file} (${loads[1]}) have nothing in common`);
  }
  return pairs;
}

function keyOf({ serverCpus, concurrency, rate, core, metric }: BreakEvenCurve): string {
  return [serverCpus, concurrency, rate, core, metric].join("/");
}

/** Two crossings differ when their intervals do not meet, which for equal crossings is rarer than one case in twenty. */
function agreementOf(first: Outcome, second: Outcome): CurvePair["agreement"] {
  const unknown = ["undecided", "several", "not-measured"];
  if (unknown.includes(first.kind) || unknown.includes(second.kind)) return "unknown";
  if (first.kind !== second.kind) return "differ";
  if (!("interval" in first && "interval" in second)) return "agree";
  const apart = first.interval.high < second.interval.low || second.interval.high < first.interval.low;
  return apart ? "differ" : "agree";
}

/** One line for each curve. */
export function comparisonLines(
  first: NamedResult,
  second: NamedResult,
  pairs: readonly CurvePair[],
): readonly string[] {
  const machine = ({ result: { environment } }: NamedResult): string =>
    `${environment.cpuModel}, ${environment.cores} CPUs, Node ${environment.node}`;
  return [
    `${first.file}: ${machine(first)}. ${second.file}: ${machine(second)}.`,
    ...pairs.map(({ first: a, second: b, agreement }) => {
      const load = `${cpusText(first.result.plan, a.serverCpus)} at c=${a.concurrency}${a.rate === null ? "" : ` and ${a.rate} requests/s`}`;
      return `With ${load}, ${a.core} in ${subjectOf(a.metric)}: ahead ${outcomeText(a.outcome)}; then ${outcomeText(b.outcome)}: ${meaningOf(a.outcome, b.outcome, agreement)}.`;
    }),
  ];
}

function meaningOf(first: Outcome, second: Outcome, agreement: CurvePair["agreement"]): string {
  if (agreement === "unknown") return "one of the two is undecided";
  if (!("interval" in first && "interval" in second)) return agreement === "agree" ? "the same" : "they differ";
  if (agreement === "differ") return "they differ, the intervals do not meet";
  const [low, high] = [
    Math.max(first.interval.low, second.interval.low),
    Math.min(first.interval.high, second.interval.high),
  ];
  return `the intervals meet from ${costText(low)} to ${costText(high)}`;
}
