import type { Comparison } from "./comparison.js";
import { loadText, significant, whole } from "./format.js";

/** What was measured in a terminal's width: requests per second and latencies of every core under every load, as lines of columns. */
export function summaryLines({ levels }: Comparison): readonly string[] {
  const rows = levels.flatMap((level) =>
    level.cells.map(({ core, estimates, verdict, trials }) => [
      loadText(level),
      core,
      ...(trials.length === 0
        ? ["–", "–", "–"]
        : [
            whole(estimates.requestsPerSecond.value),
            significant(estimates.p50Ms.value),
            significant(estimates.p99Ms.value),
          ]),
      verdict.valid ? "" : "invalid",
    ]),
  );
  const table = [["", "", "requests/s", "50% ms", "99% ms", ""], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((text, column) =>
        column < 2 || column === 5 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
