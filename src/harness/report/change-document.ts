import { type Difference, isCalled } from "../statistics/difference.js";
import { calledAs } from "./called.js";
import type { CellChange, Change } from "./change.js";
import { serverCpusText } from "./cpus.js";
import { cellData } from "./data.js";
import { differenceCell, meaningOf } from "./difference-text.js";
import { reasonText } from "./findings-text.js";
import { counted, estimate, listed, loadText, percentAbove, ratio } from "./format.js";
import { code, markdownTable, plain } from "./markdown.js";
import { metrics, rankingMetric } from "./metrics.js";
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

function headline({ cells }: Change): string {
  const isClosed = cells.some(({ rate }) => rate === null);
  const what = isClosed ? "requests per second" : "the 99th percentile of latency";
  const told = cells.filter(({ rate }) => (rate === null) === isClosed);
  const named = (verdict: string): readonly string[] =>
    told.filter((cell) => ranking(cell)?.verdict === verdict).map((cell) => `${cell.core} at ${loadText(cell)}`);
  const [lower, higher] = [named("lower"), named("higher")];
  const parts = [
    ...(lower.length > 0 ? [`${isClosed ? "slower" : "shorter"} after: ${listed(lower)}`] : []),
    ...(higher.length > 0 ? [`${isClosed ? "faster" : "longer"} after: ${listed(higher)}`] : []),
  ];
  if (parts.length > 0) return `${what.charAt(0).toUpperCase()}${what.slice(1)}: ${parts.join("; ")}.`;
  return told.every((cell) => (ranking(cell)?.verdict ?? "undecided") === "undecided")
    ? "No answer: no cell could be compared, or there are too few trials."
    : `No change of ${what} was found.`;
}

function line(cell: CellChange): string {
  const { core, before, after, rate } = cell;
  const found = ranking(cell);
  const where = `At ${loadText(cell)} the ${core}`;
  if (found === null) {
    const reasons = [before, after].flatMap(({ verdict }, index) =>
      verdict.reasons.map((reason) => `${index === 0 ? "before" : "after"}: ${reasonText(reason)}`),
    );
    return `${where} is not compared (${reasons.join("; ")}).`;
  }
  const text = ratio(found.ratio, found.interval);
  const interval = text.interval === "" ? "" : ` ${text.interval}`;
  const meaning = meaningOf(found, cell);
  return rate === null
    ? `${where} serves ${text.value} × the requests it served before${interval}: ${meaning}.`
    : `${where} has ${text.value} × the 99th percentile of latency it had before${interval}: ${meaning}.`;
}

/** The change in words, for the terminal and the first lines of the document. */
export function changeAnswer(change: Change): readonly string[] {
  const { differs, floors, before, after } = change;
  const floor = floors.requestsPerSecond;
  return [
    [...cpus(change), headline(change)].join(" "),
    ...change.cells.map(line),
    `The two ran at different times (${before.startedAt.slice(0, 16)} and ${after.startedAt.slice(0, 16)} UTC), not in turns: ` +
      "what the machine did otherwise in one of them is in these ratios too, and no statistic can take it out.",
    ...(floor === null
      ? []
      : [`Noise floor: no difference of requests per second up to ${percentAbove(floor)} is called one (A/A).`]),
    ...(differs.length === 0 ? [] : [`Not the same in both: ${differs.join("; ")}.`]),
  ];
}

function metricTable({ cells }: Change): Table {
  return {
    header: ["after ÷ before", ...metrics.map(({ label }) => label)],
    rows: cells.map((cell) => [
      `${cell.core}, ${loadText(cell)}`,
      ...metrics.map(({ key }) => {
        const difference = cell.byMetric[key];
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
  "**after ÷ before** is the Hodges-Lehmann estimate, the median of the ratios of every trial after to every trial before, with its distribution-free 95% interval. **~** marks a ratio of which no difference is called: one is called where the Mann-Whitney test is significant at 5% after Holm's correction over all cells of the metric, the interval leaves out 1, and the ratio is beyond the noise floor, where an A/A run measured one.";

/** The change as a document. */
export function changeDocument(change: Change, files: ChangeFiles): string {
  const [first = "", ...rest] = changeAnswer(change);
  const blocks = [
    `# Before and after: ${plain(change.before.name)}`,
    `**${plain(first)}**`,
    rest.map((text) => `- ${plain(text)}`).join("\n"),
    markdownTable(metricTable(change)),
    "~ no difference is called.",
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
    schema: "loopool-change/1",
    ...files,
    answer: changeAnswer(change),
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
