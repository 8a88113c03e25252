import { calledAs } from "../report/called.js";
import { differenceCell } from "../report/difference-text.js";
import { costText, listed, significant } from "../report/format.js";
import { code, codeBlock, markdownTable, plain, target } from "../report/markdown.js";
import { metrics } from "../report/metrics.js";
import type { Table } from "../report/table.js";
import { machineRows } from "../report/validity-tables.js";
import type { CrossingChart } from "./chart.js";
import type { BreakEvenCurve } from "./curves.js";
import { pathOf } from "./plan.js";
import type { BreakEvenResult } from "./result.js";
import { answerLines, cpusText, measuredText, outcomeText, subjectOf } from "./text.js";

/** What the document refers to outside itself. */
export interface References {
  /** The stored result, as a user would type its path. */
  readonly resultFile: string;
  /** Name of the folder beside the document that holds its charts. */
  readonly folder: string;
  readonly charts: readonly (CrossingChart & { readonly fileName: string })[];
}

/** The whole report. Deterministic: the same result gives the same text. */
export function breakEvenDocument(
  result: BreakEvenResult,
  curves: readonly BreakEvenCurve[],
  { resultFile, folder, charts }: References,
): string {
  const { plan, startedAt, name } = result;
  const blocks = [
    `# Break-even of ${plain(listed(plan.cores))}: ${plain(name)}, ${startedAt.slice(0, 10)}`,
    plain(measuredText(result)),
    answerLines(result, curves)
      .map((line) => `- ${plain(line)}`)
      .join("\n"),
    markdownTable(outcomesTable(result, curves)),
    ...charts.map(
      ({ title, subtitle, fileName }) => `![${plain(`${title}, ${subtitle}`)}](${target(`${folder}/${fileName}`)})`,
    ),
    "## Every cost",
    "Medians over the trials, ratios over blocks with [95% interval]; ~ no difference is called.",
    ...curves.flatMap((curve) => [`### ${plain(titleOf(result, curve))}`, markdownTable(costsTable(result, curve))]),
    "## Environment",
    markdownTable(environmentTable(result)),
    "## Make it again",
    codeBlock(result.command),
    `This report alone, from the stored result: ${code(calledAs(result, "break-even", resultFile))}`,
    "## How to read this",
    reading.map((entry) => `- ${entry}`).join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

const reading = [
  "**A crossing** is where the ratio passes 1: at each cost the biweight of the blocks' log-ratios, between neighbouring costs a straight line over the logarithm of the cost. Its interval is the bootstrap's, over whole blocks: of 100 such intervals about 95 hold the true crossing.",
  '**"never" and "always"** hold for the costs that were measured, and up to a difference of 5%; "undecided" means that a larger one may be hidden.',
  "**At a given rate** costs that the CPUs cannot serve are left out: above them no core keeps up, and a latency tells how long one looked.",
  "**Another machine** has another crossing: compare two results with `break-even A.json B.json`.",
];

function titleOf(result: BreakEvenResult, { serverCpus, concurrency, rate, core, metric }: BreakEvenCurve): string {
  const load = `c=${concurrency}${rate === null ? "" : `, ${rate} requests/s`}`;
  return `${core}, ${cpusText(result.plan, serverCpus)}, ${load}: ${subjectOf(metric)}`;
}

function outcomesTable(result: BreakEvenResult, curves: readonly BreakEvenCurve[]): Table {
  return {
    header: ["Core, CPUs, load: ahead in", `ahead of the ${result.plan.cores[0]}`],
    rows: curves.map((curve) => [titleOf(result, curve), outcomeText(curve.outcome)]),
  };
}

function costsTable({ plan }: BreakEvenResult, { core, metric, points }: BreakEvenCurve): Table {
  const { label, format } = metrics.find(({ key }) => key === metric)!;
  return {
    header: ["Cost", `${plan.cores[0]}: ${label}`, core, "Ratio", "Load generator, CPUs"],
    rows: points.map(({ costMicros, baseValue, coreValue, difference, generatorCpus }) => [
      costText(costMicros),
      Number.isNaN(baseValue) ? "–" : format(baseValue),
      Number.isNaN(coreValue) ? "–" : format(coreValue),
      difference === null ? "invalid" : differenceCell(difference),
      significant(generatorCpus),
    ]),
  };
}

function environmentTable({ plan, environment, startedAt, finishedAt, trials }: BreakEvenResult): Table {
  return {
    header: ["", "Measured on"],
    rows: [
      ...machineRows(environment),
      ["Adapter", plan.adapter],
      ["uWebSockets.js", environment.uws],
      ["loopool", `${environment.loopool}, commit ${environment.commit}`],
      ["Load average before", environment.loadAverage.toFixed(2)],
      ...plan.serverCpus.map(({ cpus, workers, pinning }) => [
        `${cpus} CPU${cpus === 1 ? "" : "s"}`,
        `${pinning.reason} Workers: ${workers}.`,
      ]),
      ["Request", { code: `GET ${pathOf(plan.handler, "N")}` }],
      ["Trials", `${trials.length}; blocks: ${plan.passes.map(({ kind, blocks }) => `${kind} ${blocks}`).join(", ")}`],
      ["Seed", String(plan.seed)],
      ["Started / finished", `${startedAt} / ${finishedAt ?? "unfinished"}`],
    ],
  };
}
