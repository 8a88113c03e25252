import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunResult } from "../../../src/harness/load/result/run-result.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { runCsv, trialsCsv } from "../../../src/harness/report/csv.js";
import { metrics } from "../../../src/harness/report/metrics.js";
import { errorStorm, ownRun, plausibleSweep, withCell } from "./fixture.js";

const test = suite("trials as CSV");

/** The records of a CSV text, read as RFC 4180 says and not by our own code. */
function parse(text: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const match = field.exec(text);
    if (match === null) throw new Error(`not CSV at ${at}: ${text.slice(at, at + 40)}`);
    const [, quoted, plain = "", end] = match;
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    records.push(record);
    record = [];
  }
  return records;
}

function rowsOf(text: string): readonly Readonly<Record<string, string>>[] {
  const [header = [], ...rows] = parse(text);
  assert.is(new Set(header).size, header.length, "no two columns have one name");
  return rows.map((row) => {
    assert.is(row.length, header.length);
    return Object.fromEntries(header.map((name, column) => [name, row[column]!]));
  });
}

const sweep = plausibleSweep({ rates: { reactor: 132_000, pool: 118_000 }, plan: { concurrencies: [10, 100] } });

test("a row for each trial, and its figures are those of the report", () => {
  const rows = rowsOf(trialsCsv(compare(sweep)));
  assert.is(rows.length, 2 * 2 * 10);
  const columns = {
    requestsPerSecond: "requests_per_s",
    p50Ms: "p50_ms",
    p90Ms: "p90_ms",
    p99Ms: "p99_ms",
    maxMs: "max_ms",
    cpuPerRequestMicros: "server_cpu_us_per_request",
    peakRssMebibytes: "server_peak_rss_mib",
  } as const;
  for (const [index, { core, concurrency, block, run, server }] of sweep.trials.entries()) {
    const row = rows[index]!;
    assert.equal([row["core"], row["concurrency"], row["block"]], [core, String(concurrency), String(block)]);
    assert.equal([row["valid"], row["reasons"], row["cell_valid"]], ["true", "", "true"]);
    for (const { key, of } of metrics) {
      if (key in columns)
        assert.is(Number(row[columns[key as keyof typeof columns]]), of({ run: run!, server: server! }));
    }
    const { total } = (run as RunResult).latency;
    assert.is(Number(row["mean_ms"]), total.sum / total.count / 1e6);
    assert.ok(Number(row["p99.9_ms"]) >= Number(row["p99_ms"]) && Number(row["p99.9_ms"]) <= Number(row["max_ms"]));
    assert.equal([row["requests_sent"], row["requests_failed"], row["rate_per_s"]], ["1000", "0", ""]);
  }
});

test("one trial that does not add up is marked, and so are the others of its cell; errors are counted by class", () => {
  const rows = rowsOf(trialsCsv(compare(withCell(sweep, "pool", 100, errorStorm, (block) => block === 3))));
  const cell = rows.filter(({ core, concurrency }) => core === "pool" && concurrency === "100");
  assert.equal(
    cell.map(({ valid }) => valid === "false"),
    cell.map(({ block }) => block === "3"),
  );
  const [stormy] = cell.filter(({ block }) => block === "3");
  assert.equal([stormy!["requests_failed"], stormy!["errors_by_class"]], ["900", "unexpected-status 900"]);
  assert.match(stormy!["reasons"]!, /^900 of 1,000 requests failed/);
  assert.ok(cell.every(({ cell_valid: valid }) => valid === "false"));
  assert.ok(rows.filter((row) => !cell.includes(row)).every(({ cell_valid: valid }) => valid === "true"));
});

test("names with commas, quotes and line ends come back as they were, and a failed trial has empty fields", () => {
  const name = 'my "fast",\r\ncore';
  const named = plausibleSweep({ rates: { [name]: 1000 }, plan: { trials: 2, concurrencies: [5], path: "/a,b" } });
  const failure = 'exit 1, "no"\nport';
  const broken = withCell(
    named,
    name,
    5,
    () => ({ run: null, server: null, failure }),
    (block) => block === 1,
  );
  const [first, second] = rowsOf(trialsCsv(compare(broken)));
  assert.equal([first!["core"], first!["path"], first!["valid"]], [name, "/a,b", "true"]);
  assert.equal(
    [second!["core"], second!["requests_per_s"], second!["p99_ms"], second!["valid"]],
    [name, "", "", "false"],
  );
  assert.is(second!["server_cpu_us_per_request"], "");
  assert.is(second!["reasons"], `1 trial failed: ${failure}`);
});

test("one run is one row, in an open loop with its rate and lag; without a success it has no latency", () => {
  const run = ownRun(sweep.trials[0]!);
  const [closed, none] = rowsOf(runCsv(run));
  assert.is(none, undefined);
  assert.equal([closed!["url"], closed!["loop"], closed!["max_lag_ms"]], [run.url, "closed", ""]);
  const openLoop = { rate: 2000, achievedRate: 1999.5, lag: run.latency.total, pacing: run.latency.total };
  const [open] = rowsOf(runCsv({ ...run, loop: "open", openLoop }));
  assert.equal([open!["rate_per_s"], open!["achieved_rate_per_s"]], ["2000", "1999.5"]);
  assert.is(Number(open!["max_lag_ms"]), run.latency.total.max / 1e6);
  const nothing = { ...run.latency.total, count: 0, min: 0, max: 0, sum: 0, squaredDeviations: 0, counts: [] };
  const failed: RunResult = { ...run, completed: 0, latency: { ...run.latency, total: nothing } };
  const [row] = rowsOf(runCsv(failed));
  assert.equal([row!["p50_ms"], row!["mean_ms"], row!["max_ms"], row!["requests_per_s"]], ["", "", "", "0"]);
});

test("text that a spreadsheet would run is text, and numbers stay numbers", () => {
  const run = ownRun(sweep.trials[0]!);
  for (const begin of ["=", "+", "-", "@", "\t", "\r", "＝"]) {
    const url = `${begin}cmd|' /C calc'!A0,"x"`;
    const [row] = rowsOf(runCsv({ ...run, url }));
    assert.is(row!["url"], `'${url}`);
  }
  const [row] = rowsOf(runCsv({ ...run, elapsedSeconds: -1 }));
  assert.is(row!["elapsed_s"], "-1");
  assert.is(row!["url"], run.url);
});

test.run();
