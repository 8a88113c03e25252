import { suite } from "uvu";
import type { GeneratorResult, ToolPercentiles } from "../../../src/harness/drivers/result.js";
import { toolResult } from "../../../src/harness/drivers/tool-result.js";
import { parseWrk } from "../../../src/harness/drivers/wrk.js";
import { noErrors } from "../../../src/harness/load/result/run-result.js";
import { abReport } from "../../../src/harness/report/ab-text.js";
import { changeBetween } from "../../../src/harness/report/change.js";
import { changeAnswer, changeData, changeDocument } from "../../../src/harness/report/change-document.js";
import { runCsv } from "../../../src/harness/report/csv.js";
import type { SweepPlan, SweepResult } from "../../../src/harness/sweep/result.js";
import { asked, ended, recorded } from "../drivers/reports.js";
import { errorStorm, generatorLimited, nearLimit, plausibleSweep, withCell } from "./fixture.js";
import { allForms, assertGolden, distinct, together } from "./golden.js";
import { closedRun, openRun } from "./golden-runs.js";

const test = suite("golden reports");

/** What another tool reported. */
const wrkAsked = asked({ requests: Number.POSITIVE_INFINITY, durationMs: 1000, concurrency: 4 });
const wrkRun = toolResult(wrkAsked, parseWrk(ended(recorded("wrk.txt")), wrkAsked).reported, {
  name: "wrk",
  version: "4.1.0",
  startedAt: "2026-01-02T03:04:05.000Z",
  ended: ended(""),
  output: "",
  caveats: ["It says less.", "And later."],
  uncountedAtMost: 4,
});
const percentiles: ToolPercentiles = {
  unit: "ns",
  count: 1001,
  min: 110_000,
  mean: 1_320_000,
  standardDeviation: 540_000,
  max: 8_760_000,
  percentiles: [
    [50, 1_230_000],
    [90, 2_340_000],
    [95, 3_450_000],
    [99, 4_560_000],
  ],
  resolutionMicros: 10,
  meanResolutionMicros: 1,
};

const plan: Partial<SweepPlan> = {
  concurrencies: [10, 100],
  trials: 10,
  requests: 200,
  warmupRequests: 30,
  workers: 3,
  seed: 7,
};
const closed = (rates: Readonly<Record<string, number>>, changes: Partial<SweepPlan> = {}, seed = 1): SweepResult =>
  distinct(plausibleSweep({ rates, seed, plan: { ...plan, ...changes } }));

test("two cores, closed loop: every sentence, row and number", () => {
  assertGolden("closed", allForms(closed({ reactor: 132_000, pool: 118_000 })));
});

test("three cores at times that differ, cells that are invalid, near a limit or a bound", () => {
  const sweep = closed(
    { reactor: 1000, pool: 1004, nginx: 1300 },
    { targets: [{ name: "nginx", url: "http://127.0.0.1:8080/" }] },
  );
  const bad = withCell(withCell(sweep, "pool", 10, errorStorm), "nginx", 100, generatorLimited);
  assertGolden("invalid", allForms(withCell(bad, "reactor", 100, nearLimit)));
});

test("an open loop beside the closed one, and an A/A control", () => {
  const openLoop = {
    shares: [0.5, 0.9],
    rates: [
      { concurrency: 10, requestsPerSecond: 400 },
      { concurrency: 10, requestsPerSecond: 720 },
    ],
    seconds: 0.7,
  };
  const sweep = closed(
    { reactor: 1000, pool: 1500 },
    { concurrencies: [10], openLoop, control: { name: "reactor again", of: "reactor" }, seconds: 3 },
  );
  assertGolden("open", allForms(sweep));
});

test("trials that are missing, too few, or stopped by --until", () => {
  const few = closed({ reactor: 1000, pool: 900 }, { trials: 3, concurrencies: [17] });
  assertGolden("unfinished", allForms({ ...few, finishedAt: null, trials: few.trials.slice(0, 5) }));
  const until = { halfWidth: 0.03, maxTrials: 10, maxSeconds: 61 };
  const stopped = closed(
    { reactor: 50, pool: 35 },
    { concurrencies: [17], until, keepAlive: false, path: "/cpu?us=5" },
  );
  assertGolden("until", allForms({ ...stopped, stopped: { code: "narrow", widest: 0.0213 } }));
});

test("a change between two sweeps", () => {
  const files = { before: "a.json", after: "b.json" };
  const forms = (before: SweepResult, after: SweepResult): string => {
    const change = changeBetween({ file: files.before, sweep: before }, { file: files.after, sweep: after });
    return together({
      answer: changeAnswer(change).join("\n"),
      "change.md": changeDocument(change, files),
      "change.json": JSON.stringify(changeData(change, files), null, 1),
    });
  };
  const before = closed({ reactor: 100_000, pool: 90_000 });
  const slower = closed({ reactor: 100_000, pool: 76_500 }, {}, 2);
  assertGolden("change", forms(before, { ...slower, startedAt: "2026-02-03T04:05:06.000Z" }));
  const otherwise = withCell(
    closed(
      { reactor: 100_000, pool: 90_000 },
      { pinning: { server: "0", generator: "1", reason: "Another reason." } },
      3,
    ),
    "pool",
    100,
    errorStorm,
  );
  assertGolden(
    "change-invalid",
    forms(before, { ...otherwise, environment: { ...otherwise.environment, node: "22.1.0" } }),
  );
});

test("runs of the generator, as ab's text and as rows", () => {
  const { window: _, ...whole } = closedRun;
  const runs: Readonly<Record<string, GeneratorResult>> = {
    closed: closedRun,
    "closed, evenly": { ...whole, keepAlive: false, errors: noErrors(), sent: 1000, completed: 1000, requested: 1000 },
    open: openRun,
    interrupted: { ...whole, sent: 1200, errors: { ...noErrors(), interrupted: 9, reset: 191 } },
    "nothing succeeded": { ...whole, completed: 0, errors: { ...noErrors(), "unexpected-status": 1500 } },
    wrk: wrkRun,
    oha: {
      ...wrkRun,
      latency: { connect: null, processing: null, waiting: null, total: percentiles },
      bodyBytes: null,
    },
  };
  assertGolden(
    "runs",
    together(
      Object.fromEntries(
        Object.entries(runs).flatMap(([name, run]) => [
          [`${name}.txt`, abReport(run)],
          [`${name}.csv`, runCsv(run)],
        ]),
      ),
    ),
  );
});

test.run();
