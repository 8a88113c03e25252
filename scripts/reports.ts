import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeChange, writeReport } from "../src/harness/report/files/write.js";
import { packageRoot } from "../src/shared/package-root.js";

/** Makes every committed report again from its stored result: `npm run reports`, after a change of the statistics or of what a report says. */
process.chdir(packageRoot);
for (const name of readdirSync("reports")) {
  const read = (file: string): Readonly<Record<string, string>> | null => {
    try {
      return JSON.parse(readFileSync(join("reports", name, file), "utf8"));
    } catch {
      return null;
    }
  };
  const report = read("report.json");
  const change = read("change.json");
  if (report !== null) console.log((await writeReport(report["result"]!, "reports")).markdownPath);
  if (change !== null) {
    const files = { before: change["before"]!, after: change["after"]! };
    console.log((await writeChange(files, "reports", [])).markdownPath);
  }
  const date = /^(.*)-pool\.md$/.exec(name)?.[1];
  if (date !== undefined) spawnSync(process.execPath, ["dist/bench/run.js", "pool", date], { stdio: "ignore" });
}
