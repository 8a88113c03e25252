import type { CommandModule } from "yargs";
import { writeReport } from "../report/write.js";
import { text } from "./options.js";

/** `loopool report FILE`: the comparison report of a stored sweep, made again from the result alone. */
export const reportCommand: CommandModule = {
  command: "report <file>",
  describe: "Write the comparison report of a stored sweep",
  builder: (yargs) =>
    yargs
      .positional("file", { type: "string", describe: "Result of a sweep, in bench/results" })
      .option("out", { type: "string", default: "reports", describe: "Folder the report is written to" })
      .example("$0 report bench/results/2026-11-21-cores.json", "Writes reports/2026-11-21-cores.md and its charts"),
  handler: async (argv) => {
    const { markdownPath, answer } = await writeReport(text("file", argv["file"]), text("out", argv["out"]));
    for (const line of answer) console.log(line);
    console.log(`\nReport: ${markdownPath}`);
  },
};
