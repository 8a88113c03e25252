import { isCalled } from "../statistics/difference.js";
import { requestText } from "../sweep/plan.js";
import type { SweepPlan } from "../sweep/result.js";
import { stateText } from "../sweep/state-check.js";
import type { Cell } from "./cell.js";
import type { Comparison, Level, Ratios } from "./comparison.js";
import { oneCpuNote, serverCpusSentence, sharedCpusNotes } from "./cpus.js";
import { reasonText } from "./diagnostic-text.js";
import { meaningOf, testNotes } from "./difference-text.js";
import { disturbedText, oftenDisturbed } from "./disturbed.js";
import { counted, estimate, listed, loadsText, loadText, ratio, significant, whole } from "./format.js";
import { type MetricKey, rankingMetric } from "./metrics.js";
import { versionsHeadline } from "./versions.js";

/** The answer in words, as plain text. */
export interface Answer {
  /** How many CPUs the server had, and in one sentence which core this handler needs on this evidence. */
  readonly headline: string;
  /** What goes with it: cost beside speed, limits of the evidence. */
  readonly explanation: readonly string[];
  /** One line per concurrency and core. */
  readonly lines: readonly string[];
}

/**
 * What the answer rests on, for each number of CPUs: the closed loops, and where there are none, or their requests per second are not fair, the
 * open ones.
 */
function decisive({ levels }: Pick<Comparison, "levels">): readonly Level[] {
  return [...new Set(levels.map(({ serverCpus }) => serverCpus))].flatMap((cpus) => {
    const own = levels.filter(({ serverCpus }) => serverCpus === cpus);
    const closed = own.filter(({ rate }) => rate === null);
    const open = own.filter(({ rate }) => rate !== null);
    const fair = closed.every(({ ranksByCost }) => ranksByCost !== true);
    return closed.length > 0 && (fair || open.length === 0) ? closed : open;
  });
}

/** What the first in a ranking is first in. */
function leadText(levels: readonly Level[]): string {
  if (levels.some(({ rate }) => rate !== null)) return "it has the shortest 99th percentile of latency";
  const byCost = levels.filter(({ ranksByCost }) => ranksByCost === true);
  if (byCost.length === 0) return "it serves the most requests per second";
  const cheapest = "spends the least server CPU per request";
  return byCost.length === levels.length
    ? `it ${cheapest}`
    : `it serves the most requests per second, or ${cheapest} where that is what can be ranked,`;
}

/** What is said of a comparison, for each number of CPUs where they vary. */
function perCpus(comparison: Comparison, say: (comparison: Comparison) => string): string {
  const { serverCpus } = comparison.sweep.plan;
  if (serverCpus === undefined) return say(comparison);
  return serverCpus
    .map(({ cpus }) => {
      const levels = comparison.levels.filter((level) => level.serverCpus === cpus);
      return `With ${counted(cpus, "CPU")}: ${say({ ...comparison, levels })}`;
    })
    .join(" ");
}

/** The levels grouped by who was fastest at them, each group once, in ascending order of its first concurrency. */
function groups(
  levels: readonly Level[],
): readonly { readonly fastest: readonly string[]; readonly at: readonly Level[] }[] {
  const found = new Map<string, { fastest: readonly string[]; at: Level[] }>();
  for (const level of levels) {
    if (level.outcome.kind !== "ranked") continue;
    const fastest = level.cells.map(({ core }) => core).filter((core) => namesFastest(level, core));
    const group = found.get(fastest.join()) ?? { fastest, at: [] };
    group.at.push(level);
    found.set(fastest.join(), group);
  }
  return [...found.values()];
}

function namesFastest(level: Level, core: string): boolean {
  return level.outcome.kind === "ranked" && level.outcome.fastest.includes(core);
}

/** Which core serves best under these loads, all of them closed loops or all open ones. */
function headline(comparison: Comparison, levels: readonly Level[]): string {
  const { cores, against } = comparison.sweep.plan;
  if (against !== undefined) return versionsHeadline(levels, against);
  const isClosed = levels.every(({ rate }) => rate === null);
  if (cores.length < 2) return `One core was measured (${cores.join()}), so there is nothing to compare.`;
  const ranked = groups(levels);
  if (ranked.length === 0) {
    return levels.some(({ outcome }) => outcome.kind === "undecided")
      ? "No answer: there are too few trials to tell a difference from noise."
      : levels.every(({ cells }) => cells.every(({ verdict }) => verdict.valid || verdict.lowerBound))
        ? "No answer on speed: the load generator, not the server, was the limit."
        : `No answer: ${isClosed ? "at no concurrency" : "under no load"} are the results of all cores valid.`;
  }
  const handler = `this handler (${requestText(comparison.sweep.plan)})`;
  const [only] = ranked;
  if (ranked.length === 1 && only !== undefined && only.fastest.length > 1) {
    return only.fastest.length === cores.length
      ? `On this evidence no difference was found between ${listed(cores)} for ${handler}.`
      : `On this evidence ${listed(only.fastest)} serve ${handler} ${sharedLead(levels)}, and no difference was found between them.`;
  }
  const winners = ranked.filter(({ fastest }) => fastest.length === 1);
  const [name, ...others] = new Set(winners.flatMap(({ fastest }) => fastest));
  if (name !== undefined && others.length === 0 && ranked.every(({ fastest }) => fastest.includes(name))) {
    const won = winners.flatMap((group) => group.at);
    const everywhere = isClosed ? "every concurrency measured" : "every rate measured";
    const where = won.length === levels.length ? everywhere : loadsText(won);
    return `On this evidence ${handler} is served best by the ${name}: ${leadText(levels)} at ${where}.`;
  }
  return `On this evidence the best core for ${handler} depends on the ${isClosed ? "concurrency" : "load"}.`;
}

/** The same of several cores. */
function sharedLead(levels: readonly Level[]): string {
  if (levels.some(({ rate }) => rate !== null)) return "with the shortest 99th percentile of latency";
  return levels.some(({ ranksByCost }) => ranksByCost === true) ? "with the least server CPU per request" : "fastest";
}

/** Of an application under a given rate both is asked: who serves more when saturated, and who is faster at that rate. */
function headlines(comparison: Comparison): readonly string[] {
  const open = comparison.levels.filter(({ rate }) => rate !== null);
  if (comparison.sweep.plan.openLoop?.saturation !== true || open.length === comparison.levels.length) {
    return [headline(comparison, decisive(comparison))];
  }
  return [
    `Saturated: ${headline(comparison, decisive(comparison))}`,
    `At the rate${open.length === 1 ? "" : "s"} given: ${headline(comparison, open)}`,
  ];
}

/** What each group of levels says, where the headline leaves it open. */
function perGroup(comparison: Comparison): readonly string[] {
  const ranked = groups(decisive(comparison));
  if (ranked.length < 2) return [];
  return ranked.map(({ fastest, at: where }) =>
    fastest.length === 1
      ? `At ${loadsText(where)} the ${fastest.join()} is ${where.every(({ rate, ranksByCost }) => rate === null && ranksByCost !== true) ? "fastest" : "ahead"}.`
      : `At ${loadsText(where)} no difference was found between ${listed(fastest)}.`,
  );
}

/** How large a difference may be that was not found: the bounds of the intervals that hold 1. */
function room({ levels }: Comparison): readonly string[] {
  return (levels[0]?.ratios ?? []).flatMap(({ core, base }) => {
    const speeds = levels.flatMap(
      (level) => level.ratios.find((entry) => entry.core === core)?.byMetric.requestsPerSecond ?? [],
    );
    const open = speeds.flatMap((speed) =>
      speed.interval !== null && speed.verdict === "none" ? [speed.interval] : [],
    );
    if (open.length === 0) return [];
    const low = Math.min(...open.map((interval) => interval.low)).toFixed(2);
    const high = Math.max(...open.map((interval) => interval.high)).toFixed(2);
    return [
      `Where no difference was found, the intervals leave room for ${low} to ${high} × the ${base}'s requests by the ${core}.`,
    ];
  });
}

/** The ratios of a cost over the levels where both cells are valid. */
interface Range {
  /** "1.31 to 1.45". */
  readonly text: string;
  /** " (no difference found)" where none is called at any level. */
  readonly doubt: string;
}

function range(levels: readonly Level[], core: string, key: MetricKey): Range | null {
  const found = levels.flatMap((level) => level.ratios.find((entry) => entry.core === core)?.byMetric[key] ?? []);
  if (found.length === 0) return null;
  const values = found.map(({ ratio }) => ratio);
  const low = Math.min(...values).toFixed(2);
  const high = Math.max(...values).toFixed(2);
  return {
    text: low === high ? low : `${low} to ${high}`,
    doubt: found.some(isCalled) ? "" : " (no difference found)",
  };
}

function costs(comparison: Comparison): readonly string[] {
  const levels = decisive(comparison);
  return (levels[0]?.ratios ?? []).flatMap(({ core, base }) => {
    const cpu = range(levels, core, "cpuPerRequestMicros");
    const tail = range(levels, core, "p99Ms");
    return [
      ...(cpu === null ? [] : [`The ${core} spends ${cpu.text} × the ${base}'s server CPU per request${cpu.doubt}.`]),
      ...(tail === null
        ? []
        : [`The 99th percentile of latency of the ${core} is ${tail.text} × the ${base}'s${tail.doubt}.`]),
    ];
  });
}

function evidence(comparison: Comparison): readonly string[] {
  const { levels, sweep } = comparison;
  const { plan, environment } = sweep;
  const isRanking = plan.cores.length > 1 && plan.against === undefined;
  const notRanked = levels.filter(({ outcome }) => isRanking && outcome.kind === "not-ranked");
  const full = levels.filter(({ cells }) =>
    cells.some(({ verdict }) => verdict.valid && verdict.warnings.some(({ code }) => code === "generator-near-limit")),
  );
  const atLeast = levels.filter(({ outcome }) => outcome.kind === "ranked" && outcome.atLeast);
  return [
    ...(atLeast.length > 0
      ? [
          `At ${loadsText(atLeast)} the load generator was the limit of the fastest core, so its lead is at least what was measured.`,
        ]
      : []),
    ...testNotes(comparison),
    ...[disturbedText(comparison.disturbed) ?? []].flat(),
    ...(notRanked.length > 0 ? [`Not ranked: ${loadsText(notRanked)} (see Validity).`] : []),
    ...(full.length > 0
      ? [
          `At ${loadsText(full)} the load generator was nearly full itself, so differences there may be larger than measured.`,
        ]
      : []),
    `The evidence: ${counted(plan.trials, "trial")} per core and ${plan.openLoop === undefined ? "concurrency" : "load"} ${loops(plan)}, ` +
      `${plan.keepAlive ? "keep-alive" : "a new connection per request"}, on one machine with ${counted(environment.cores, "CPU")}; ` +
      "another handler, machine or traffic needs its own sweep.",
  ];
}

function loops({ requests, seconds, openLoop }: SweepPlan): string {
  const length = seconds === undefined ? `with ${whole(requests)} requests` : `of ${significant(seconds)} s`;
  const closed = `${length} each, closed loop`;
  if (openLoop === undefined) return closed;
  const open = `of ${significant(openLoop.seconds)} s at given rates, open loop`;
  return openLoop.shares === null && openLoop.saturation !== true ? open : `${closed}, and ${open}`;
}

function invalid(cells: readonly Cell[]): string {
  return cells
    .filter(({ verdict }) => !verdict.valid)
    .map(({ core, verdict }) => `${core}: ${verdict.reasons.map(reasonText).join("; ")}`)
    .join("; ");
}

/** What a request cost, where speeds cannot be compared but costs can. */
function costOf({ core, byMetric: { cpuPerRequestMicros: cost } }: Ratios, base: Cell): string {
  if (cost === null) return "";
  const text = ratio(cost.ratio, cost.interval);
  return ` The ${core} spends ${text.value} × the ${base.core}'s server CPU per request${text.interval === "" ? "" : ` ${text.interval}`}${isCalled(cost) ? "" : " (no difference found)"}.`;
}

function line(level: Level, base: Cell, entry: Ratios): string {
  const { core, byMetric, speedBound } = entry;
  const where = `At ${loadText(level)}`;
  const found = byMetric[rankingMetric(level).key];
  if (found === null) {
    const both = [base, ...level.cells.filter((cell) => cell.core === core)];
    if (speedBound !== null) {
      const text = ratio(speedBound.ratio.ratio, speedBound.ratio.interval);
      const meaning = speedBound.side === "at most" ? "slower" : "faster";
      return `${where} the ${core} serves ${speedBound.side} ${text.value} × the ${base.core}'s requests ${text.interval}: ${meaning} (${invalid(both)}).${costOf(entry, base)}`;
    }
    return `${where} the ${core} and the ${base.core} are not ranked (${invalid(both)}).${costOf(entry, base)}`;
  }
  const text = ratio(found.ratio, found.interval);
  const interval = text.interval === "" ? "" : ` ${text.interval}`;
  const meaning = meaningOf(found, level);
  if (level.ranksByCost === true) {
    return `${where} the ${core} spends ${text.value} × the ${base.core}'s server CPU per request${interval}: ${meaning}.`;
  }
  return level.rate === null
    ? `${where} the ${core} serves ${text.value} × the ${base.core}'s requests${interval}: ${meaning}.`
    : `${where} the 99th percentile of latency of the ${core} is ${text.value} × the ${base.core}'s${interval}: ${meaning}.`;
}

/** One core alone has no ratio: its own figures. */
function alone(level: Level, { core, verdict, estimates }: Cell): string {
  const { key, format } = rankingMetric(level);
  const figure = estimate(estimates[key].value, estimates[key].interval, format);
  const where = `At ${loadText(level)}`;
  if (verdict.valid && level.rate !== null)
    return `${where} the 99th percentile of latency of the ${core} is ${figure} ms.`;
  if (verdict.valid && level.ranksByCost === true)
    return `${where} the ${core} spends ${figure} µs of server CPU per request.`;
  return verdict.valid
    ? `${where} the ${core} serves ${figure} requests per second.`
    : `${where} the ${core} is invalid: ${verdict.reasons.map(reasonText).join("; ")}.`;
}

/** The answer of a comparison. */
export function answerOf(comparison: Comparison): Answer {
  return {
    headline: [serverCpusSentence(comparison.sweep) ?? [], perCpus(comparison, (one) => headlines(one).join(" "))]
      .flat()
      .join(" "),
    explanation: [
      ...(comparison.sweep.stateDifferences ?? []).map(stateText),
      ...oftenDisturbed(comparison.disturbed),
      ...oneCpuNote(comparison.sweep),
      ...sharedCpusNotes(comparison.sweep, comparison.levels),
      ...perGroup(comparison),
      ...room(comparison),
      ...costs(comparison),
      ...evidence(comparison),
    ],
    lines: comparison.levels.flatMap((level) => {
      const [first] = level.cells;
      if (first === undefined) return [];
      if (level.ratios.length === 0) return [alone(level, first)];
      return level.ratios.map((entry) => line(level, level.cells.find(({ core }) => core === entry.base)!, entry));
    }),
  };
}
