import { targetsOf } from "../../sweep/plan.js";
import { apartNote } from "../agreement.js";
import type { Answer } from "../answer.js";
import { calledAs } from "../called.js";
import type { Comparison } from "../comparison.js";
import { pinningText } from "../cpus.js";
import { listed, loadText } from "../format.js";
import { kindsNote, kindsTable } from "../kinds.js";
import type { CellLatency } from "../latencies.js";
import { comparability, phasesNote, readingOf, unfinishedNotice } from "../notes.js";
import { phasesTable } from "../phases.js";
import { isOfDefaultPage, referenceServerTable } from "../reference-server.js";
import { levelTable, overviewTable, verdictsTable } from "../sections.js";
import { diagnosticsOf, environmentTable, validityTable } from "../validity-tables.js";
import { overviewFigures, percentileFigures, phaseFigures, secondsFigures } from "./charts.js";
import { Figures } from "./figure.js";
import { formatted, Html, html } from "./markup.js";
import { style } from "./style.js";
import { tableMarkup } from "./table.js";

/** What a page is made of. */
export interface PageContent {
  readonly comparison: Comparison;
  readonly answer: Answer;
  readonly latencies: readonly CellLatency[];
  /** The stored result, as a user would type its path. */
  readonly resultFile: string;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** No script, and nothing from elsewhere: what a name in the data would smuggle in is not run either. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

function answerMarkup({ headline, explanation, lines }: Answer): Html {
  return html`<p class="headline">${headline}</p>
<p>${explanation.join(" ")}</p>
<ul class="answer">
${lines.map((line) => html`<li>${line}</li>\n`)}</ul>
`;
}

function secondsSection(comparison: Comparison, figures: Figures, targets: readonly string[]): Html {
  const drawn = secondsFigures(comparison, targets);
  return drawn.length === 0
    ? html`<p>No cell of this result has two whole seconds in each of its trials of which a series was recorded.</p>\n`
    : html`<p>What happened in each whole second of each trial, by the time a request ended.</p>\n${figures.row(drawn)}`;
}

function phasesSection(comparison: Comparison, figures: Figures): Html {
  const drawn = phaseFigures(comparison);
  if (drawn.length === 0) return html`<p>No server of this result measured the phases of a request.</p>\n`;
  return html`<p>${formatted(phasesNote)}</p>
${figures.row(drawn)}${tableMarkup("Mean time of a request by where it goes, medians over the trials", phasesTable(comparison))}`;
}

function diagnosticsMarkup(comparison: Comparison): Html {
  const found = diagnosticsOf(comparison);
  if (found.length === 0) return html`<p>Every cell is valid.</p>\n`;
  const items = found.map(({ cell, invalidates, text }) =>
    invalidates
      ? html`<li><span class="invalid">${cell} is invalid and not ranked:</span> ${text}.</li>\n`
      : html`<li>${cell}: ${text}.</li>\n`,
  );
  return html`<ul class="diagnostics">\n${items}</ul>\n`;
}

function sectionsOf({ comparison, latencies, resultFile }: PageContent): readonly Section[] {
  const { sweep, levels } = comparison;
  const { plan } = sweep;
  const several = plan.cores.length > 1;
  const kinds = kindsTable(comparison);
  const figures = new Figures();
  const targets = targetsOf(plan);
  const overview = html`${several ? tableMarkup("Ratios with 95% interval; ~ no difference is called: it is not significant, or within the noise floor", overviewTable(comparison)) : null}${figures.row(overviewFigures(comparison))}`;
  const curves = percentileFigures(comparison, latencies, targets);
  const medians = `medians over the trials with 95% interval${several ? ", and ratios over blocks" : ""}`;
  return [
    { id: "overview", title: "At a glance", body: overview },
    {
      id: "percentiles",
      title: "Latency by percentile",
      body:
        curves.length === 0
          ? html`<p>No cell has a valid trial.</p>\n`
          : html`<p>Latencies of all requests of all valid trials of a cell together: at 99% they show the “99% of all requests”, not the median of the trials. To the right each mark is ten times as rare. The same is in the .hgrm files beside this page.</p>\n${figures.row(curves)}`,
    },
    { id: "seconds", title: "Second by second", body: secondsSection(comparison, figures, targets) },
    { id: "phases", title: "Where the time goes", body: phasesSection(comparison, figures) },
    {
      id: "cells",
      title: "Per concurrency",
      body: html`${several ? html`<p>${apartNote}</p>\n` : null}${levels.map((level) => tableMarkup(`${loadText(level)}: ${medians}`, levelTable(level)))}`,
    },
    ...(kinds === null ? [] : [{ id: "kinds", title: "By kind of request", body: tableMarkup(kindsNote, kinds) }]),
    ...(several
      ? [
          {
            id: "verdicts",
            title: "Verdicts",
            body: tableMarkup(
              "When a difference of requests per second is called, and why not",
              verdictsTable(comparison),
            ),
          },
        ]
      : []),
    {
      id: "validity",
      title: "Validity",
      body: html`${diagnosticsMarkup(comparison)}${tableMarkup("How full both sides were, and whether the counts add up", validityTable(comparison))}`,
    },
    ...(isOfDefaultPage(plan)
      ? [
          {
            id: "referenceServer",
            title: "Beside the reference server in C",
            body: html`<p>${comparability(comparison)}</p>\n${tableMarkup("ApacheBench's figures of the reference server and ours", referenceServerTable(levels, plan.cores))}`,
          },
        ]
      : []),
    {
      id: "environment",
      title: "Environment",
      body: html`<p>${pinningText(plan)}</p>\n${tableMarkup("Where and how it was measured", environmentTable(comparison))}<h3>Make it again</h3>
<pre tabindex="0"><code>${sweep.command.replace(/\s+/g, " ")}</code></pre>
<p>This report alone, from the stored result: <code>${calledAs(sweep, "report", resultFile)}</code></p>
`,
    },
    {
      id: "reading",
      title: "How to read this",
      body: html`<ul class="reading">\n${readingOf(plan).map((entry) => html`<li>${formatted(entry)}</li>\n`)}</ul>\n`,
    },
  ];
}

/**
 * The whole report as one page that needs nothing else: charts as SVG, no script, no request. It is well-formed XML after its first line
 * too. Deterministic: the same result gives the same text.
 */
export function reportPage(content: PageContent): string {
  const { comparison, answer, resultFile } = content;
  const { sweep } = comparison;
  const title = `${listed(sweep.plan.cores, "or")}: ${sweep.name}, ${sweep.startedAt.slice(0, 10)}`;
  const notice = unfinishedNotice(comparison, resultFile);
  const sections = sectionsOf(content);
  const { text } = html`<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="${POLICY}"/>
<link rel="icon" href="data:,"/>
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${notice === null ? null : html`<p class="notice">${notice}</p>\n`}${answerMarkup(answer)}<nav aria-label="Sections"><ul>
${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>\n`)}</ul></nav>
</header>
<main>
${sections.map(({ id, title: name, body }) => html`<section aria-labelledby="${id}">\n<h2 id="${id}">${name}</h2>\n${body}</section>\n`)}</main>
</body>
</html>
`;
  return `<!doctype html>\n${text}`;
}
