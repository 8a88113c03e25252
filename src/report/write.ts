import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LoopoolError, messageOf } from "../shared/errors.js";
import { answerOf } from "./answer.js";
import { changeBetween } from "./change.js";
import { type ChangeFiles, changeAnswer, changeData, changeDocument } from "./change-document.js";
import { compare } from "./comparison.js";
import { reportData } from "./data.js";
import { reportDocument, unfinishedNotice } from "./document.js";
import { type Condition, type Judgement, judgeChange } from "./fail-if.js";
import { target } from "./markdown.js";
import { readSweep } from "./read.js";

/** What was written, and the answer in words for the terminal. */
export interface WrittenReport {
  readonly markdownPath: string;
  readonly answer: readonly string[];
}

/**
 * Writes the report of a stored sweep: `<outDir>/<name of the result>.md`, and its charts and the same as data, `report.json`, in the
 * folder beside it. An earlier report of the same result is replaced. Throws a usage error when the result cannot be used, a LoopoolError
 * when the folder cannot be written.
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
  await writing(outDir, async () => {
    await mkdir(join(outDir, name), { recursive: true });
    await writeFile(join(outDir, name, "throughput.svg"), throughputChart(comparison));
    await writeFile(join(outDir, name, "latency.svg"), latencyChart(comparison));
    await writeFile(join(outDir, name, "report.json"), encode(reportData(comparison, answer, resultFile)));
    await writeFile(markdownPath, reportDocument(comparison, answer, references));
  });
  const notice = unfinishedNotice(comparison, resultFile);
  return {
    markdownPath,
    answer: [...(notice === null ? [] : [notice]), [answer.headline, ...answer.explanation].join(" "), ...answer.lines],
  };
}

/** What was written of a change, and what is to be told. */
export interface WrittenChange extends WrittenReport {
  /** Of the conditions: both empty where none were given. */
  readonly judgement: Judgement;
}

/**
 * Compares two stored sweeps and writes `<outDir>/<before>-to-<after>.md` and the same as data in the folder of that name. Throws a usage
 * error when the two cannot be compared, a LoopoolError when the folder cannot be written.
 */
export async function writeChange(
  files: ChangeFiles,
  outDir: string,
  conditions: readonly Condition[],
): Promise<WrittenChange> {
  const change = changeBetween(
    { file: files.before, sweep: await readSweep(files.before) },
    { file: files.after, sweep: await readSweep(files.after) },
  );
  const name = `${basename(files.before, ".json")}-to-${basename(files.after, ".json")}`;
  const markdownPath = join(outDir, `${name}.md`);
  await writing(outDir, async () => {
    await mkdir(join(outDir, name), { recursive: true });
    await writeFile(join(outDir, name, "change.json"), encode(changeData(change, files)));
    await writeFile(markdownPath, changeDocument(change, files));
  });
  return { markdownPath, answer: changeAnswer(change), judgement: judgeChange(change, conditions) };
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
