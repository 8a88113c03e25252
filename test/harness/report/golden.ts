import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { Histogram, type StoredHistogram } from "../../../src/harness/load/histogram/histogram.js";
import { answerOf } from "../../../src/harness/report/answer.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { trialsCsv } from "../../../src/harness/report/csv.js";
import { reportData } from "../../../src/harness/report/data.js";
import { reportDocument } from "../../../src/harness/report/document.js";
import { hgrmOf } from "../../../src/harness/report/hgrm.js";
import { reportPage } from "../../../src/harness/report/html/page.js";
import { latenciesOf } from "../../../src/harness/report/latencies.js";
import type { SweepResult, TrialResult } from "../../../src/harness/sweep/result.js";
import { packageRoot } from "../../../src/shared/package-root.js";
import { ownRun } from "./fixture.js";

const folder = join(packageRoot, "test", "harness", "report", "golden");

/** Texts as one, each below its name. */
export function together(texts: Readonly<Record<string, string>>): string {
  return Object.entries(texts)
    .map(([name, text]) => `=== ${name}\n${text.replaceAll("\r\n", "\n").trimEnd()}\n`)
    .join("\n");
}

/**
 * That a text is the committed one, which a person has read. Where it is to change: `LOOPOOL_TEST_GOLDEN=write node
 * dist/test/harness/report/golden.test.js`, and the difference belongs to the change.
 */
export function assertGolden(name: string, text: string): void {
  const file = join(folder, `${name}.txt`);
  if (process.env["LOOPOOL_TEST_GOLDEN"] === "write") writeFileSync(file, text);
  const golden = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (golden === text) return;
  const [is, was] = [text.split("\n"), golden.split("\n")];
  const at = is.findIndex((line, index) => line !== was[index]);
  assert.is(is[at], was[at], `${name}.txt, line ${at + 1}`);
  assert.is(is.length, was.length, `${name}.txt ends earlier or later`);
}

/** Every form of a report; of a chart a digest. */
export function allForms(sweep: SweepResult): string {
  const comparison = compare(sweep);
  const answer = answerOf(comparison);
  const latencies = latenciesOf(comparison);
  const references = { resultFile: "results/a.json", folder: "a", histograms: ["one.hgrm"] };
  const page = reportPage({ comparison, answer, latencies, resultFile: references.resultFile });
  const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
  return together({
    "a.md": reportDocument(comparison, answer, references),
    "report.html": page
      .replace(/<style>[\s\S]*?<\/style>/, "<style>…</style>")
      .replaceAll(/<svg[\s\S]*?<\/svg>/g, (svg) => `<svg ${digest(svg)}>`),
    "trials.csv": trialsCsv(comparison),
    "report.json": JSON.stringify(reportData(comparison, answer, references.resultFile), null, 1),
    ...Object.fromEntries(latencies.map(({ fileName, total }) => [`${fileName}.hgrm`, hgrmOf(total, "all of them")])),
  });
}

/** The latencies of a trial on another scale: none of its four rows is like another. */
function scaled(trial: TrialResult, by: number): StoredHistogram {
  const total = Histogram.fromStored(ownRun(trial).latency.total);
  const histogram = new Histogram();
  for (let n = 1; n <= total.count; n++) {
    histogram.record(Math.round(total.valueAtPercentile((100 * n) / total.count) * by));
  }
  return histogram.toStored();
}

/** The sweep with trials in which no two numbers are alike, so that an exchange shows. */
export function distinct(sweep: SweepResult): SweepResult {
  return {
    ...sweep,
    trials: sweep.trials.map((trial, index) => {
      const run = ownRun(trial);
      const server = trial.server!;
      // In the middle one nothing was answered.
      const second = (n: number) => ({
        completed: n === 1 ? 0 : 3 + n + index,
        errors: n % 2,
        p99: n === 1 ? 0 : 1e6 * (5 + n + (index % 7)),
      });
      return {
        ...trial,
        startedAt: new Date(Date.parse("2026-01-02T03:04:05Z") + 1000 * index).toISOString(),
        run: {
          ...run,
          startedAt: new Date(Date.parse("2026-01-02T03:04:06Z") + 1000 * index).toISOString(),
          bodyBytes: run.requested * 1021,
          totalBytes: run.requested * 1277,
          latency: {
            ...run.latency,
            connect: scaled(trial, 0.01),
            processing: scaled(trial, 0.8),
            waiting: scaled(trial, 0.6),
          },
          perSecond: [second(0), second(1), second(2)],
          generator: {
            ...run.generator,
            eventLoopUtilization: 0.5 + index / 1000,
            eventLoopDelayMaxMs: 3 + index / 10,
          },
        },
        server: {
          ...server,
          peakRssBytes: (61 + (index % 17)) * 2 ** 20,
          eventLoopDelayMaxMs: 7 + index / 10,
          phases: {
            wait: 12 + (index % 5),
            handler: 31 + (index % 5),
            back: 57 + (index % 5),
            write: 83 + (index % 5),
          },
        },
      };
    }),
  };
}
