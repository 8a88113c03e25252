import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LoopoolError, messageOf } from "../../shared/errors.js";
import { type BreakEvenCurve, curvesOf } from "./curves.js";
import { breakEvenDocument } from "./document.js";
import type { BreakEvenResult } from "./result.js";
import { answerLines, measuredText } from "./text.js";

/** A report as data, for scripts. Costs are in µs of CPU; ratios are core ÷ base. */
export interface BreakEvenData {
  readonly schema: "loopool-break-even-report/1";
  /** Path of the stored result it was made from, as it was given. */
  readonly result: string;
  readonly startedAt: string;
  readonly cores: readonly string[];
  readonly answer: readonly string[];
  readonly curves: readonly BreakEvenCurve[];
}

export interface BreakEvenReport {
  /** What was measured, and the answer. */
  readonly lines: readonly string[];
  readonly data: BreakEvenData;
  readonly curves: readonly BreakEvenCurve[];
}

/** What a finished result says. */
export function reportOf(result: BreakEvenResult, file: string): BreakEvenReport {
  const curves = curvesOf(result);
  const answer = answerLines(result, curves);
  const { startedAt, plan } = result;
  return {
    lines: [measuredText(result), ...answer],
    data: { schema: "loopool-break-even-report/1", result: file, startedAt, cores: plan.cores, answer, curves },
    curves,
  };
}

/**
 * Writes `<outDir>/<name of the result>.md` and in the folder beside it its charts (SVG) and the same as data (break-even.json). An earlier
 * report of the same result is replaced. Returns the path of the document; throws a LoopoolError when the folder cannot be written.
 */
export async function writeBreakEvenReport(
  result: BreakEvenResult,
  { curves, data }: BreakEvenReport,
  resultFile: string,
  outDir: string,
): Promise<string> {
  const folder = basename(resultFile, ".json");
  const markdownPath = join(outDir, `${folder}.md`);
  // The chart library takes long to load.
  const { chartsOf, renderCrossings } = await import("./chart.js");
  const charts = chartsOf(result, curves);
  try {
    await mkdir(join(outDir, folder), { recursive: true });
    for (const chart of charts) await writeFile(join(outDir, folder, chart.fileName), renderCrossings(chart));
    await writeFile(join(outDir, folder, "break-even.json"), `${JSON.stringify(data, null, 2)}\n`);
    await writeFile(markdownPath, breakEvenDocument(result, curves, { resultFile, folder, charts }));
  } catch (error) {
    throw new LoopoolError(
      "REPORT_NOT_WRITTEN",
      `cannot write the report to ${outDir}: ${messageOf(error)}; name another folder`,
    );
  }
  return markdownPath;
}
