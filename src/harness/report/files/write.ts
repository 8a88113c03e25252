import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LoopoolError, messageOf } from "../../../shared/errors.js";
import { answerOf } from "../answer.js";
import { changeBetween } from "../change.js";
import { type ChangeFiles, changeAnswer, changeData, changeDocument } from "../change-document.js";
import { latencyPlot, throughputPlot } from "../charts.js";
import { compare } from "../comparison.js";
import { trialsCsv } from "../csv.js";
import { reportData } from "../data.js";
import { reportDocument } from "../document.js";
import { type Condition, type Judgement, judgeChange } from "../fail-if.js";
import { hgrmOf } from "../hgrm.js";
import { latenciesOf } from "../latencies.js";
import { judgeSweep, type Limit } from "../limits.js";
import { unfinishedNotice } from "../notes.js";
import { readSweep } from "../read.js";
import { summaryLines } from "../summary.js";

/** What was written, and the answer in words for the terminal. */
export interface WrittenReport {
  readonly markdownPath: string;
  readonly answer: readonly string[];
  /** Of the limits; both empty where none were given. */
  readonly judgement: Judgement;
  /** Requests per second and latencies in columns; empty of a comparison of two sweeps. */
  readonly summary: readonly string[];
}

/** A folder, or what makes it: called once the results have been read, so that a file that cannot be used leaves nothing behind. */
export type OutputFolder = string | (() => string);

function folderOf(out: OutputFolder): string {
  return typeof out === "string" ? out : out();
}

/**
 * Writes the report of a stored sweep: `<out>/<name of the result>.md`, and in the folder beside it the same as a page (report.html) and
 * as data (report.json), its charts (SVG), its trials (trials.csv) and the latencies of each cell (.hgrm). An earlier report of the same
 * result is replaced. Throws a usage error when the result cannot be used, a LoopoolError when the folder cannot be written.
 */
export async function writeReport(
  resultFile: string,
  out: OutputFolder,
  limits: readonly Limit[] = [],
): Promise<WrittenReport> {
  const comparison = compare(await readSweep(resultFile));
  const outDir = folderOf(out);
  const answer = answerOf(comparison);
  const name = basename(resultFile, ".json");
  const markdownPath = join(outDir, `${name}.md`);
  const latencies = latenciesOf(comparison);
  const histograms = latencies.map(({ fileName }) => `${fileName}.hgrm`);
  // The chart library takes long to load, and every command of the CLI imports this file.
  const { renderPlot } = await import("../plot.js");
  const { reportPage } = await import("../html/page.js");
  await writing(outDir, async () => {
    const folder = join(outDir, name);
    await mkdir(folder, { recursive: true });
    const files = {
      "throughput.svg": renderPlot(throughputPlot(comparison)),
      "latency.svg": renderPlot(latencyPlot(comparison)),
      "report.json": encode(reportData(comparison, answer, resultFile)),
      "report.html": reportPage({ comparison, answer, latencies, resultFile }),
      "trials.csv": trialsCsv(comparison),
      ...Object.fromEntries(
        latencies.map(({ fileName, total }) => [
          `${fileName}.hgrm`,
          hgrmOf(total, "all requests of all valid trials together, not the median of the trials"),
        ]),
      ),
    };
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
    await writeFile(markdownPath, reportDocument(comparison, answer, { resultFile, folder: name, histograms }));
  });
  const notice = unfinishedNotice(comparison, resultFile);
  return {
    markdownPath,
    answer: [...(notice === null ? [] : [notice]), [answer.headline, ...answer.explanation].join(" "), ...answer.lines],
    summary: summaryLines(comparison),
    judgement: judgeSweep(comparison, limits),
  };
}

/**
 * Compares two stored sweeps and writes `<outDir>/<before>-to-<after>.md` and the same as data in the folder of that name. Throws a usage
 * error when the two cannot be compared, a LoopoolError when the folder cannot be written.
 */
export async function writeChange(
  files: ChangeFiles,
  out: OutputFolder,
  conditions: readonly Condition[],
): Promise<WrittenReport> {
  const change = changeBetween(
    { file: files.before, sweep: await readSweep(files.before) },
    { file: files.after, sweep: await readSweep(files.after) },
  );
  const outDir = folderOf(out);
  const name = `${basename(files.before, ".json")}-to-${basename(files.after, ".json")}`;
  const markdownPath = join(outDir, `${name}.md`);
  await writing(outDir, async () => {
    await mkdir(join(outDir, name), { recursive: true });
    await writeFile(join(outDir, name, "change.json"), encode(changeData(change, files)));
    await writeFile(markdownPath, changeDocument(change, files));
  });
  return { markdownPath, answer: changeAnswer(change), summary: [], judgement: judgeChange(change, conditions) };
}

async function writing(outDir: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new LoopoolError(
      "REPORT_NOT_WRITTEN",
      `cannot write the report to ${outDir}: ${messageOf(error)}; name another folder`,
    );
  }
}

function encode(data: object): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}
