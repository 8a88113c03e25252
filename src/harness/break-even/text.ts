import { costText, counted, listed, percent, ratio, significant, whole } from "../report/format.js";
import type { MetricKey } from "../report/metrics.js";
import { isCalled } from "../statistics/difference.js";
import { sharesCpus } from "../sweep/pinning.js";
import type { BreakEvenCurve, CostRatio, Outcome } from "./curves.js";
import { cpusOf, pathOf } from "./plan.js";
import type { BreakEvenPlan, BreakEvenResult, HandlerKind } from "./result.js";

/** What a break-even found, in lines that one can act on. */

/** From this share of a CPU on the load generator's part in CPUs that it shares is worth a word. */
const NOTICED_CPUS = 0.05;

/** What is ahead in a metric, in words. */
interface Wording {
  readonly ahead: (core: string, base: string) => string;
  readonly never: (core: string, base: string) => string;
  readonly subject: string;
}

const wordings: Readonly<Partial<Record<MetricKey, Wording>>> = {
  requestsPerSecond: {
    ahead: (core, base) => `the ${core} serves more requests than the ${base}`,
    never: (core, base) => `the ${core} never serves more requests than the ${base}`,
    subject: "requests per second",
  },
  p99Ms: {
    ahead: (core, base) => `the 99th percentile of the ${core} is shorter than that of the ${base}`,
    never: (core, base) => `the 99th percentile of the ${core} is never shorter than that of the ${base}`,
    subject: "99th percentile of latency",
  },
  cpuPerRequestMicros: {
    ahead: (core, base) => `the ${core} spends less server CPU per request than the ${base}`,
    never: (core, base) => `the ${core} never spends less server CPU per request than the ${base}`,
    subject: "server CPU per request",
  },
};

function wordingOf(metric: MetricKey): Wording {
  return wordings[metric]!;
}

export function subjectOf(metric: MetricKey): string {
  return wordingOf(metric).subject;
}

/** What a cost is the cost of. */
export function costName({ waitMs, slowShare }: HandlerKind): string {
  if (slowShare !== null) return `of CPU in ${percent(slowShare)} of the requests`;
  return waitMs === 0 ? "of handler CPU" : `of handler CPU after a wait of ${significant(waitMs)} ms`;
}

/** "2 CPUs, shared with the load generator" */
export function cpusText(plan: BreakEvenPlan, serverCpus: number): string {
  const shared = sharesCpus(cpusOf(plan, serverCpus).pinning) ? " (shared with the load generator)" : "";
  return `${counted(serverCpus, "CPU")}${shared}`;
}

/** "With 1 CPU at c=100", "With 2 CPUs at c=100 and 200 requests/s". */
function whereText(plan: BreakEvenPlan, { serverCpus, concurrency, rate }: BreakEvenCurve): string {
  return `With ${cpusText(plan, serverCpus)} at c=${concurrency}${rate === null ? "" : ` and ${whole(rate)} requests/s`}`;
}

/** "0.97 × [0.95, 0.99] at 20 ms". */
function ratioAt({ costMicros, difference }: CostRatio): string {
  if (difference === null) return `not measured at ${costText(costMicros)}`;
  const text = ratio(difference.ratio, difference.interval);
  return `${text.value} ×${text.interval === "" ? "" : ` ${text.interval}`} at ${costText(costMicros)}`;
}

/** The ratios at the ends of what was measured. */
function endsText(points: readonly CostRatio[]): string {
  const known = points.filter(({ difference }) => difference !== null);
  return [...new Set([known[0], known.at(-1)])]
    .flatMap((point) => (point === undefined ? [] : [ratioAt(point)]))
    .join(", ");
}

function rangeText(points: readonly CostRatio[]): string {
  const known = points.filter(({ difference }) => difference !== null).map(({ costMicros }) => costText(costMicros));
  return known.length < 2 ? `at ${known.join("")}` : `from ${known[0]} to ${known.at(-1)}`;
}

/** "from 38 µs [31 µs, 47 µs] on": an outcome in a few words; `unit` says what the cost is the cost of. */
export function outcomeText(outcome: Outcome, unit = ""): string {
  switch (outcome.kind) {
    case "from":
    case "up-to": {
      const { costMicros, interval } = outcome;
      const atMost = outcome.kind === "from" && outcome.atMost;
      const of = unit === "" ? "" : ` ${unit}`;
      if (atMost) return `from ${costText(interval.high)}${of} on, or less`;
      const text = `${costText(costMicros)} [${costText(interval.low)}, ${costText(interval.high)}]${of}`;
      return outcome.kind === "from" ? `from ${text} on` : `up to ${text}`;
    }
    case "several":
      return "ahead and behind by turns";
    case "not-measured":
      return "not measured";
    case "equal":
      return "no difference";
    default:
      return outcome.kind;
  }
}

/** One line for each curve. */
export function lineOf(plan: BreakEvenPlan, curve: BreakEvenCurve): string {
  const { core, metric, points, outcome } = curve;
  const base = plan.cores[0]!;
  const where = whereText(plan, curve);
  const { ahead, never, subject } = wordingOf(metric);
  const range = rangeText(points);
  const ends = endsText(points);
  switch (outcome.kind) {
    case "from":
    case "up-to":
      return `${where} ${ahead(core, base)} ${outcomeText(outcome, costName(plan.handler))} (${ends}).`;
    case "always":
      return `${where} ${ahead(core, base)} at every cost measured, ${range} ${costName(plan.handler)} (${ends}).`;
    case "never":
      return `${where} ${never(core, base)}, ${range} ${costName(plan.handler)} (${ends}).`;
    case "equal":
      return `${where} no difference was found between ${core} and ${base} in ${subject}, ${range} ${costName(plan.handler)} (${ends}).`;
    case "several":
      return `${where} ${core} and ${base} are ahead by turns in ${subject}: see the table.`;
    case "undecided": {
      const open = points.filter(({ difference }) => difference !== null && !isCalled(difference));
      return `${where} it is undecided from which cost on ${ahead(core, base)}: ${open.map(ratioAt).join(", ")}. More --blocks decide it.`;
    }
    case "not-measured":
      return `${where} ${core} and ${base} cannot be compared in ${subject}: ${points[0]?.problem ?? "nothing was measured"}.`;
  }
}

/** What the load generator took of CPUs that it shared, near the crossing or, where there is none, at the cheapest handler. */
function sharingNotes(plan: BreakEvenPlan, curves: readonly BreakEvenCurve[]): readonly string[] {
  return curves.flatMap(({ serverCpus, metric, points, outcome, core }) => {
    if (metric !== "requestsPerSecond" || !sharesCpus(cpusOf(plan, serverCpus).pinning)) return [];
    const at = outcome.kind === "from" ? outcome.costMicros : (points[0]?.costMicros ?? 0);
    const nearest = [...points].sort((a, b) => Math.abs(a.costMicros - at) - Math.abs(b.costMicros - at))[0];
    if (nearest === undefined || nearest.generatorCpus < NOTICED_CPUS) return [];
    return [
      `With ${counted(serverCpus, "CPU")} the load generator took ${percent(nearest.generatorCpus)} of one at ${costText(nearest.costMicros)}, ` +
        `which the ${core} could have used: on CPUs of its own it may be ahead from a lower cost on.`,
    ];
  });
}

/** How a user finds out what a handler of their own costs, to hold it against these. */
function ownCost({ plan }: BreakEvenResult, curves: readonly BreakEvenCurve[]): readonly string[] {
  const cheapest = curves.find(({ metric }) => metric === "cpuPerRequestMicros")?.points[0];
  if (cheapest === undefined || cheapest.costMicros !== 0 || plan.handler.slowShare !== null) return [];
  return [
    `What your handler costs: "Server CPU per request" of the ${plan.cores[0]} in a sweep with --handlers, less the ` +
      `${significant(cheapest.baseValue)} µs that a request takes here without a handler.`,
  ];
}

/** The answer: per CPU count and load what is ahead from where on, and what to know of it. */
export function answerLines(result: BreakEvenResult, curves: readonly BreakEvenCurve[]): readonly string[] {
  const { plan } = result;
  const invalid = curves.flatMap(({ points, ...curve }) =>
    points
      .filter(({ problem }) => problem !== null)
      .map(
        ({ costMicros, problem }) => `${whereText(plan, { ...curve, points })}, ${costText(costMicros)}: ${problem}`,
      ),
  );
  return [
    ...curves.map((curve) => lineOf(plan, curve)),
    ...sharingNotes(plan, curves),
    ...(invalid.length === 0 ? [] : [`Left out: ${[...new Set(invalid)].join("; ")}.`]),
    ...ownCost(result, curves),
  ];
}

/** What was measured, in one line. */
export function measuredText({ plan, environment }: BreakEvenResult): string {
  const workers = plan.serverCpus.map(
    ({ cpus, workers: count }) => `${counted(count, "worker")} on ${counted(cpus, "CPU")}`,
  );
  return (
    `${listed(plan.cores)} (${listed(workers)}), GET ${pathOf(plan.handler, "N")}, ` +
    `on a machine with ${counted(environment.cores, "CPU")}: ${environment.cpuModel}.`
  );
}
