import { type Difference, isCalled } from "../statistics/difference.js";
import { isSameLoad } from "../sweep/plan.js";
import { calledAs } from "./called.js";
import type { CellChange, Change } from "./change.js";
import { serverCpusText } from "./cpus.js";
import { cellData } from "./data.js";
import { reasonText } from "./diagnostic-text.js";
import { differenceCell, meaningOfChange } from "./difference-text.js";
import { counted, estimate, listed, loadText, percentAbove, ratio } from "./format.js";
import { code, markdownTable, plain } from "./markdown.js";
import { compares, metrics, rankingMetric } from "./metrics.js";
import type { Table } from "./table.js";

/** The paths of the two results, as a user would type them. */
export interface ChangeFiles {
  readonly before: string;
  readonly after: string;
}

/** The difference in the metric that ranks under the cell's load. */
function ranking(cell: CellChange): Difference | null {
  return cell.byMetric[rankingMetric(cell).key];
}

/** How many CPUs the server had in each of the two. */
function cpus({ before, after }: Change): readonly string[] {
  const [first, second] = [serverCpusText(before), serverCpusText(after)];
  if (first === null || second === null) return [];
  return [first === second ? `The server had ${first}.` : `The server had ${first} before and ${second} after.`];
}

function headline({ cells, base }: Change): string {
  if (base === null) {
    return (
      `No answer: one core was measured (${cells[0]?.core ?? ""}), and absolute values of two sweeps differ by the hour; ` +
      `measure a second core beside it, or ${inOneSweep}.`
    );
  }
  const isClosed = cells.some(({ rate }) => rate === null);
  const what = isClosed ? "requests per second" : "the 99th percentile of latency";
  const told = cells.filter(({ core, rate }) => core !== base && (rate === null) === isClosed);
  const named = (verdict: string): readonly string[] =>
    told.filter((cell) => ranking(cell)?.verdict === verdict).map((cell) => `${cell.core} at ${loadText(cell)}`);
  const [lower, higher] = [named("lower"), named("higher")];
  const parts = [
    ...(lower.length > 0 ? [`lower after: ${listed(lower)}`] : []),
    ...(higher.length > 0 ? [`higher after: ${listed(higher)}`] : []),
  ];
  if (parts.length > 0)
    return `${what.charAt(0).toUpperCase()}${what.slice(1)} as a ratio to the ${base}'s: ${parts.join("; ")}.`;
  return told.every((cell) => (ranking(cell)?.verdict ?? "undecided") === "undecided")
    ? "No answer: no ratio could be compared, or there are too few trials."
    : `No change of the ratios of ${what} to the ${base}'s was found.`;
}

/** How both versions are measured so that their absolute values can be compared. */
const inOneSweep = "measure both versions in turns in one sweep (--target before=URL --target after=URL)";

function line(cell: CellChange, base: string, bases: CellChange): string {
  const { core } = cell;
  const found = ranking(cell);
  const where = `At ${loadText(cell)} the ratio of the ${core} to the ${base}`;
  if (found === null) {
    const reasons = [cell, bases].flatMap(({ core: name, before, after }) =>
      [before, after].flatMap(({ verdict }, index) =>
        verdict.reasons.map((reason) => `${name} ${index === 0 ? "before" : "after"}: ${reasonText(reason)}`),
      ),
    );
    return `${where} is not compared (${reasons.join("; ")}).`;
  }
  const text = ratio(found.ratio, found.interval);
  const interval = text.interval === "" ? "" : ` ${text.interval}`;
  const what = cell.rate === null ? "in requests per second" : "in the 99th percentile of latency";
  return `${where} ${what} is ${text.value} × that of before${interval}: ${meaningOfChange(found)}.`;
}

/** One line for each core but the base under each load. */
function lines({ cells, base }: Change): readonly string[] {
  if (base === null) return [];
  return cells.flatMap((cell) => {
    const bases = cells.find((other) => other.core === base && isSameLoad(other, cell));
    return cell.core === base || bases === undefined ? [] : [line(cell, base, bases)];
  });
}

/** The change in words, for the terminal and the first lines of the document. */
export function changeAnswer(change: Change): readonly string[] {
  const { differs, floors, before, after } = change;
  const floor = floors.requestsPerSecond;
  return [
    [...cpus(change), headline(change)].join(" "),
    ...lines(change),
    `The two ran at different times (${before.startedAt.slice(0, 16)} and ${after.startedAt.slice(0, 16)} UTC), so only ratios between cores ` +
      "are compared: the machine's speed in that hour is in both cores alike. A change that makes all cores faster or slower alike is not in " +
      `these ratios; to find it, ${inOneSweep}.`,
    ...(floor === null
      ? []
      : [`Noise floor: no difference of requests per second up to ${percentAbove(floor)} is called one (A/A).`]),
    ...(differs.length === 0 ? [] : [`Not the same in both: ${differs.join("; ")}.`]),
  ];
}

function metricTable({ cells, base }: Change): Table {
  return {
    header: ["Ratio, after ÷ before", ...metrics.map(({ label }) => label)],
    rows: cells
      .filter(({ core }) => core !== base && base !== null)
      .map((cell) => [
        `${cell.core} ÷ ${base}, ${loadText(cell)}`,
        ...metrics.map((metric) => {
          const difference = cell.byMetric[metric.key];
          if (!compares(metric, cell)) return "given";
          return difference === null ? "not compared" : differenceCell(difference);
        }),
      ]),
  };
}

function speedTable({ cells }: Change): Table {
  const [speed] = metrics;
  return {
    header: ["Requests per second", "before", "after"],
    rows: cells.map(({ before, after, ...cell }) => [
      `${cell.core}, ${loadText(cell)}`,
      ...[before, after].map(({ estimates, trials, verdict }) => {
        const { value, interval } = estimates.requestsPerSecond;
        if (trials.length === 0) return "–";
        return `${estimate(value, interval, speed!.format)}${verdict.valid ? "" : " (invalid)"}`;
      }),
    ]),
  };
}

const reading =
  "**Ratio, after ÷ before** is the ratio of a core to the first one in the later sweep, divided by the same ratio in the earlier one, with its 95% interval: the difference of Tukey's biweights of the log-ratios of the blocks of each sweep, and Student's t. **~** marks a ratio of which no difference is called: one is called where its p is at most 5% after Holm's correction over all ratios of the metric, the interval leaves out 1, and the ratio is beyond the noise floor, where an A/A run measured one. The values in the second table are medians of the trials of each sweep; they are not compared.";

/** The change as a document. */
export function changeDocument(change: Change, files: ChangeFiles): string {
  const [first = "", ...rest] = changeAnswer(change);
  const blocks = [
    `# Before and after: ${plain(change.before.name)}`,
    `**${plain(first)}**`,
    rest.map((text) => `- ${plain(text)}`).join("\n"),
    ...(change.base === null ? [] : [markdownTable(metricTable(change)), "~ no difference is called."]),
    markdownTable(speedTable(change)),
    `Before: ${code(files.before)}, ${counted(change.before.plan.trials, "trial")} per cell, commit ${plain(change.before.environment.commit)}. ` +
      `After: ${code(files.after)}, ${counted(change.after.plan.trials, "trial")} per cell, commit ${plain(change.after.environment.commit)}.`,
    `Make it again: ${code(calledAs(change.after, "report", files.before, files.after))}`,
    reading,
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** The change as data, for scripts: the same keys as in a report's. */
export function changeData(change: Change, files: ChangeFiles): object {
  return {
    schema: "loopool-change/2",
    ...files,
    answer: changeAnswer(change),
    base: change.base,
    differs: change.differs,
    floors: change.floors,
    cells: change.cells.map(({ before, after, ...cell }) => ({
      ...cell,
      before: cellData(before),
      after: cellData(after),
      changed: metrics.filter(({ key }) => isChanged(cell.byMetric[key])).map(({ key }) => key),
    })),
  };
}

function isChanged(difference: CellChange["byMetric"]["p99Ms"]): boolean {
  return difference !== null && isCalled(difference);
}
