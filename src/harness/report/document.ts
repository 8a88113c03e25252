import { apartNote } from "./agreement.js";
import type { Answer } from "./answer.js";
import { calledAs } from "./called.js";
import type { Comparison } from "./comparison.js";
import { pinningText } from "./cpus.js";
import { listed, loadText } from "./format.js";
import { kindsNote, kindsTable } from "./kinds.js";
import { code, codeBlock, markdownTable, plain, target } from "./markdown.js";
import { comparability, phasesNote, readingOf, unfinishedNotice } from "./notes.js";
import { phasesTable } from "./phases.js";
import { isOfDefaultPage, referenceServerTable } from "./reference-server.js";
import { levelTable, overviewTable, verdictsTable } from "./sections.js";
import { diagnosticsOf, environmentTable, validityTable } from "./validity-tables.js";

/** What the document refers to outside itself. */
export interface References {
  /** The stored result, as a user would type its path. */
  readonly resultFile: string;
  /** Name of the folder beside the document that holds the rest of the report. */
  readonly folder: string;
  /** Names of the histograms in it. */
  readonly histograms: readonly string[];
}

/** The other forms of the report, each with what it is for. */
function otherForms({ folder, histograms }: References): string {
  const link = (text: string, name: string): string => `[${plain(text)}](${target(`${folder}/${name}`)})`;
  const files = histograms.map((name) => link(name.replace(/\.hgrm$/, ""), name));
  return [
    `- ${link("The same as a page", "report.html")} with more charts: percentile curves, seconds of each trial, where the time goes. One file, nothing to load.`,
    `- ${link("Every trial as a row", "trials.csv")} (CSV) and ${link("the report as data", "report.json")} (JSON, loopool-report/2).`,
    ...(files.length === 0
      ? []
      : [
          `- Latencies of all requests of a cell together (their 99% is the one "of all requests", not the median of the trials), for [HdrHistogram's plotter](https://hdrhistogram.github.io/HdrHistogram/plotFiles.html): ${files.join(", ")}.`,
        ]),
  ].join("\n");
}

/** The whole report. Deterministic: the same result gives the same text. */
export function reportDocument(comparison: Comparison, answer: Answer, references: References): string {
  const { sweep, levels } = comparison;
  const { plan } = sweep;
  const notice = unfinishedNotice(comparison, references.resultFile);
  const diagnostics = diagnosticsOf(comparison).map(({ cell, invalidates, text }) =>
    invalidates
      ? `- **${plain(cell)} is invalid and not ranked:** ${plain(text)}.`
      : `- ${plain(cell)}: ${plain(text)}.`,
  );
  const chart = (what: string, name: string): string =>
    `![${plain(`${what} of ${listed(plan.cores)} over concurrency`)}](${target(`${references.folder}/${name}`)})`;
  const cores = listed(plan.cores, "or");
  const several = plan.cores.length > 1;
  const kinds = kindsTable(comparison);
  const blocks = [
    `# ${plain(cores)}: ${plain(sweep.name)}, ${plain(sweep.startedAt.slice(0, 10))}`,
    ...(notice === null ? [] : [`> ${plain(notice)}`]),
    `**${plain(answer.headline)}** ${plain(answer.explanation.join(" "))}`,
    answer.lines.map((line) => `- ${plain(line)}`).join("\n"),
    ...(several
      ? [
          markdownTable(overviewTable(comparison)),
          "~ no difference is called: it is not significant, or within the noise floor.",
        ]
      : []),
    chart("Requests per second", "throughput.svg"),
    chart("Median and 99th percentile of latency", "latency.svg"),
    otherForms(references),
    "## Per concurrency",
    `Medians over the trials of a cell with [95% interval]${several ? `; ratios over blocks with [95% interval]. ${apartNote}` : "."}`,
    ...levels.flatMap((level) => [`### ${loadText(level)}`, markdownTable(levelTable(level))]),
    ...(kinds === null ? [] : ["## By kind of request", kindsNote, markdownTable(kinds)]),
    ...(several ? ["## Verdicts", markdownTable(verdictsTable(comparison))] : []),
    "## Where the time goes",
    phasesNote,
    markdownTable(phasesTable(comparison)),
    ...(isOfDefaultPage(plan)
      ? [
          "## Beside the reference server in C",
          comparability(comparison),
          markdownTable(referenceServerTable(levels, plan.cores)),
        ]
      : []),
    "## Validity",
    diagnostics.length === 0 ? "Every cell is valid." : diagnostics.join("\n"),
    markdownTable(validityTable(comparison)),
    "## Environment",
    plain(pinningText(plan)),
    markdownTable(environmentTable(comparison)),
    "## Make it again",
    codeBlock(sweep.command),
    `This report alone, from the stored result: ${code(calledAs(sweep, "report", references.resultFile))}`,
    "## How to read this",
    readingOf(plan)
      .map((entry) => `- ${entry}`)
      .join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}
