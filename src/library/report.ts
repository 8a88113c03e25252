import { basename, dirname, join } from "node:path";
import { outputFolder } from "../cli/output-folder.js";
import { text } from "../cli/values/options.js";
import { writeReport } from "../harness/report/files/write.js";
import { flagsOf, inOptionNames, type Kinds } from "./flags.js";
import type { Report, ReportOptions } from "./types.js";

const kinds: Kinds<ReportOptions> = { out: "value" };

/** See `report` of the package. */
export async function report(file: string, options: ReportOptions): Promise<Report> {
  return await inOptionNames(kinds, async () => {
    const { out } = flagsOf("report", options, kinds);
    const named = out === undefined ? undefined : text("out", out);
    const { markdownPath, answer } = await writeReport(text("file", file), () => outputFolder("reports", named));
    const beside = join(dirname(markdownPath), basename(markdownPath, ".md"));
    return {
      markdown: markdownPath,
      html: join(beside, "report.html"),
      json: join(beside, "report.json"),
      folder: beside,
      answer,
    };
  });
}
