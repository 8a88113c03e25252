import { type Condition, parseConditions } from "../harness/report/fail-if.js";
import { writeChange, writeReport } from "../harness/report/files/write.js";
import { usageError } from "../shared/errors.js";
import { oneLine } from "../shared/terminal-text.js";
import type { Command } from "./command.js";
import { called } from "./invocation.js";
import { reportJudgement } from "./judgement.js";
import { defaultFolders, outputFolder } from "./output-folder.js";
import { reportFiles, text, withValues } from "./values/options.js";

/** `loopool report FILE`: the comparison report of a stored sweep, made again from the result alone; with a second file, what changed. */
export const reportCommand: Command = {
  options: (yargs) =>
    yargs
      .positional("file", { type: "string", describe: `result of a sweep, in ${defaultFolders.results}` })
      .positional("after", { type: "string", describe: "a later result of the same cells: compare it with the first" })
      .options(
        withValues({ out: { describe: `folder the report is written to [default: ${defaultFolders.reports}]` } }),
      )
      .options(
        withValues({
          "fail-if": {
            describe:
              "of two results: exit code 1 when the change of a ratio between cores, with its whole interval, meets this, 3 when " +
              "the interval holds the limit or a cell cannot be judged; ratio (requests/s), p50, p90, p99, max, cpu or rss, several with commas",
          },
        }),
      )
      .example(
        called(`report ${defaultFolders.results}/2026-11-21-cores.json`),
        `Writes ${defaultFolders.reports}/2026-11-21-cores.md and its folder`,
      )
      .example(
        called("report before.json after.json --fail-if 'ratio<0.95'"),
        "For CI: fails when a core fell behind the first by 5%",
      )
      .epilogue(reportFiles),
  handler: async (argv) => {
    const file = text("file", argv["file"]);
    const named = argv["out"] === undefined ? undefined : text("out", argv["out"]);
    const out = (): string => outputFolder("reports", named);
    const conditions = argv["fail-if"] === undefined ? [] : parseConditions(text("fail-if", argv["fail-if"]));
    if (argv["after"] !== undefined) return change(file, text("after", argv["after"]), out, conditions);
    if (conditions.length > 0)
      throw usageError("--fail-if compares two results: name the one before and the one after");
    const { markdownPath, answer } = await writeReport(file, out);
    for (const line of answer) console.log(oneLine(line));
    console.log(`\nReport: ${oneLine(markdownPath)}`);
  },
};

async function change(
  before: string,
  after: string,
  out: () => string,
  conditions: readonly Condition[],
): Promise<void> {
  const { markdownPath, answer, judgement } = await writeChange({ before, after }, out, conditions);
  for (const line of answer) console.log(oneLine(line));
  console.log(`\nReport: ${oneLine(markdownPath)}`);
  reportJudgement(judgement);
}
