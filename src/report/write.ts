import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { answerOf } from "./answer.js";
import { compare } from "./comparison.js";
import { reportDocument, unfinishedNotice } from "./document.js";
import { target } from "./markdown.js";
import { readSweep } from "./read.js";

/** What was written, and the answer in words for the terminal. */
export interface WrittenReport {
  readonly markdownPath: string;
  readonly answer: readonly string[];
}

/**
 * Writes the report of a stored sweep: `<outDir>/<name of the result>.md` and its charts in the folder beside it. An earlier report of
 * the same result is replaced. Throws a usage error when the result cannot be used, a LoopoolError when the folder cannot be written.
 */
export async function writeReport(resultFile: string, outDir: string): Promise<WrittenReport> {
  const comparison = compare(await readSweep(resultFile));
  const answer = answerOf(comparison);
  const name = basename(resultFile, ".json");
  const markdownPath = join(outDir, `${name}.md`);
  // The chart library takes long to load, and every command of the CLI imports this file.
  const { latencyChart, throughputChart } = await import("./charts.js");
  const references = {
    resultFile,
    throughputChart: target(`${name}/throughput.svg`),
    latencyChart: target(`${name}/latency.svg`),
  };
  try {
    await mkdir(join(outDir, name), { recursive: true });
    await writeFile(join(outDir, name, "throughput.svg"), throughputChart(comparison));
    await writeFile(join(outDir, name, "latency.svg"), latencyChart(comparison));
    await writeFile(markdownPath, reportDocument(comparison, answer, references));
  } catch (error) {
    throw new LoopoolError(
      "REPORT_NOT_WRITTEN",
      `cannot write the report to ${outDir}: ${messageOf(error)}; name another folder`,
    );
  }
  const notice = unfinishedNotice(comparison, resultFile);
  return {
    markdownPath,
    answer: [...(notice === null ? [] : [notice]), [answer.headline, ...answer.explanation].join(" "), ...answer.lines],
  };
}
