import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mediansAgree } from "../../../src/harness/report/agreement.js";
import { compare } from "../../../src/harness/report/comparison.js";
import type { ReportData } from "../../../src/harness/report/data.js";
import { loadText } from "../../../src/harness/report/format.js";
import { metrics } from "../../../src/harness/report/metrics.js";
import { levelTable } from "../../../src/harness/report/sections.js";
import { plausibleSweep, withCell } from "./fixture.js";

/** Rows of reports agree with themselves: the medians have a ratio that the interval beside them holds, or the row says that they do not. */
const agreement = suite("rows of reports");

const folder = fileURLToPath(new URL("../../../../reports/", import.meta.url));
const reports = readdirSync(folder).flatMap((name) => {
  if (!name.endsWith(".md")) return [];
  const data = `${folder}${name.replace(/\.md$/, "")}/report.json`;
  try {
    return [{ name, data: JSON.parse(readFileSync(data, "utf8")) as ReportData }];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return [];
  }
});

agreement("there are committed reports to look at", () => {
  assert.ok(reports.length >= 8, `${reports.length}`);
});

for (const { name, data } of reports) {
  agreement(`${name}: every row agrees with itself or is marked`, () => {
    const document = readFileSync(`${folder}${name}`, "utf8");
    for (const level of data.levels) {
      const heading = `\n### ${loadText({ concurrency: level.concurrency, rate: level.rate ?? null })}\n`;
      assert.ok(document.includes(heading), heading);
      const rows = document.slice(document.indexOf(heading) + heading.length).split("\n");
      const cellOf = (core: string) => level.cells.find((cell) => cell.core === core)!;
      for (const [index, { core, base, byMetric }] of level.comparisons.entries()) {
        for (const { key, label } of metrics) {
          const found = byMetric[key];
          if (found === null) continue;
          const row = rows.find((line) => line.startsWith(`| ${label} `));
          assert.ok(row !== undefined, `${heading.trim()} has no row "${label}"`);
          const cell = row.split("|")[2 + level.cells.length + index]!;
          assert.is(
            cell.includes("†"),
            !mediansAgree(cellOf(base).estimates[key], cellOf(core).estimates[key], found),
            `${row}`,
          );
        }
      }
    }
  });
}

agreement("a row whose medians say another ratio is marked, and no other", () => {
  // The reactor's later blocks ran on a machine twice as fast, the pool's all but one too: medians from both halves, ratios from pairs.
  const sweep = plausibleSweep({ rates: { reactor: 1000, pool: 1000 }, plan: { trials: 12, requests: 100 } });
  const faster = (core: string, from: number, in_: typeof sweep): typeof sweep =>
    withCell(
      in_,
      core,
      10,
      ({ run }) => ({
        run: {
          ...run,
          elapsedSeconds: run.elapsedSeconds / 4,
          latency: { ...run.latency, total: { ...run.latency.total, sum: run.latency.total.sum / 4 } },
          generator: {
            ...run.generator,
            cpuUserMicros: 0,
            cpuSystemMicros: 0,
            eventLoopUtilization: 0.1,
            cpuShare: 0.1,
          },
        },
      }),
      (block) => block >= from,
    );
  const rows = levelTable(compare(faster("pool", 7, faster("reactor", 5, sweep))).levels[0]!).rows;
  const speeds = rows.find(([label]) => label === "Requests per second")!;
  assert.match(String(speeds[3]), /†$/);
  assert.not.match(String(levelTable(compare(sweep).levels[0]!).rows[0]![3]), /†/);
});

agreement("the 99th percentile of all requests stands below the median of the trials'", () => {
  const sweep = plausibleSweep({ rates: { reactor: 1000, pool: 1000 }, plan: { trials: 12, requests: 100 } });
  const labels = levelTable(compare(sweep).levels[0]!).rows.map(([label]) => label);
  const index = labels.indexOf("99%, median of trials, ms");
  assert.is(labels[index + 1], "99% of all requests together, ms");
});

agreement.run();
