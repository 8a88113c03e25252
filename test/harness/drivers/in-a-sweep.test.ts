import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ToolPercentiles, ToolResult } from "../../../src/harness/drivers/result.js";
import type { RunResult } from "../../../src/harness/load/result/run-result.js";
import type { ReportData } from "../../../src/harness/report/data.js";
import { writeReport } from "../../../src/harness/report/files/write.js";
import type { SweepResult, TrialResult } from "../../../src/harness/sweep/result.js";
import { verdictOf } from "../../../src/harness/validity/verdict.js";
import { plausibleSweep } from "../report/fixture.js";

/** The same run as a tool tells it that has a mean and two percentiles, and drops what is under way at its end. */
function asReported(run: RunResult, changes: Partial<ToolPercentiles> = {}): ToolResult {
  const { openLoop, perSecond, window, loop, kinds, bodyLengths, connectFailure, ...rest } = run;
  const total: ToolPercentiles = {
    unit: "ns",
    count: run.completed,
    min: null,
    max: run.latency.total.max,
    mean: run.latency.total.sum / run.latency.total.count,
    standardDeviation: null,
    percentiles: [
      [50, 2e6],
      [99, 7e6],
    ],
    resolutionMicros: 1,
    meanResolutionMicros: 1,
    ...changes,
  };
  return {
    ...rest,
    tool: { name: "tool", version: "1", command: ["tool"], output: "", caveats: [], uncountedAtMost: 10 },
    loop: "closed",
    statusCounts: null,
    keepAliveResponses: null,
    peakConnections: null,
    serverSoftware: null,
    documentBytes: null,
    totalBytes: null,
    bodyBytes: null,
    latency: { connect: null, processing: null, waiting: null, total },
    generator: { ...run.generator, eventLoopUtilization: null, eventLoopDelayMaxMs: null },
  };
}

function reported(sweep: SweepResult, change: (run: RunResult) => ToolResult = asReported): SweepResult {
  return { ...sweep, trials: sweep.trials.map((trial) => ({ ...trial, run: change(trial.run as RunResult) })) };
}

const cell = plausibleSweep({ rates: { reactor: 50_000 }, plan: { concurrencies: [100], trials: 7 } });
const reasonsOf = (trials: readonly TrialResult[]): readonly string[] =>
  verdictOf(trials, {
    plannedTrials: 7,
    pinning: { server: "0", generator: "1", reason: "" },
    environment: { cores: 2 },
    ours: true,
  }).reasons.map(({ code }) => code);

const judging = suite("a verdict on another generator's trials");

judging("what it does not tell is not held against it", () => {
  assert.equal(reasonsOf(reported(cell).trials), []);
  const silent = reported(cell, (run) => {
    const result = asReported(run);
    return {
      ...result,
      latency: { ...result.latency, total: null },
      generator: { ...result.generator, cpuShare: null },
    };
  });
  assert.equal(reasonsOf(silent.trials), []);
});

judging("the server may have counted as many more as were dropped at the end, and none less", () => {
  const shifted = (more: number): readonly TrialResult[] =>
    reported(cell).trials.map((trial) => ({
      ...trial,
      server: { ...trial.server!, requests: trial.server!.requests + more },
    }));
  assert.equal(reasonsOf(shifted(10)), []);
  assert.equal(reasonsOf(shifted(11)), ["server-count"]);
  assert.equal(reasonsOf(shifted(-1)), ["server-count"]);
});

judging("its mean breaks Little's law, unless its grain leaves room for it", () => {
  const half = (meanResolutionMicros: number) =>
    reported(cell, (run) =>
      asReported(run, { mean: run.latency.total.sum / run.latency.total.count / 2, meanResolutionMicros }),
    ).trials;
  assert.equal(reasonsOf(half(1)), ["littles-law"]);
  // The mean is 1.94 ms, and is reported as half of it.
  assert.equal(reasonsOf(half(1000)), []);
});

judging("fewer latencies than successes, and failures, are found", () => {
  const few = reported(cell, (run) => asReported(run, { count: run.completed - 1 }));
  assert.equal(reasonsOf(few.trials), ["latency-count"]);
  const failed = reported(cell, (run) => {
    const result = asReported(run);
    return {
      ...result,
      completed: 0,
      errors: { ...result.errors, "socket-error": run.sent },
      latency: { ...result.latency, total: null },
    };
  });
  assert.equal(reasonsOf(failed.trials), ["errors"]);
});

judging.run();

const reporting = suite("a report of another generator's trials");

reporting("has its percentiles, and dashes for those that it does not tell", async () => {
  const sweep = reported(plausibleSweep({ rates: { reactor: 60_000, pool: 50_000 } }));
  const folder = await mkdtemp(join(tmpdir(), "loopool-report-"));
  try {
    const file = join(folder, "2026-01-02-reported.json");
    await writeFile(file, JSON.stringify(sweep));
    const { markdownPath } = await writeReport(file, folder);
    const markdown = await readFile(markdownPath, "utf8");
    assert.match(markdown, /^\| 99%, median of trials, ms +\| +7\.00 /m);
    assert.match(markdown, /^\| 90%, ms +\| +– \| +– \|/m);
    assert.not.match(markdown, /NaN/);
    const data = JSON.parse(await readFile(join(folder, "2026-01-02-reported", "report.json"), "utf8")) as ReportData;
    const { estimates, verdict } = data.levels[0]!.cells[0]!;
    assert.ok(verdict.valid);
    assert.equal([estimates.p50Ms.value, estimates.p90Ms.value, estimates.p90Ms.interval], [2, null, null]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

reporting.run();
