import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ToolResult } from "../../../src/harness/drivers/result.js";
import { Histogram, type StoredHistogram } from "../../../src/harness/load/histogram/histogram.js";
import { errorClasses, type OpenLoopResult, type RunResult } from "../../../src/harness/load/result/run-result.js";
import type { TrialResult } from "../../../src/harness/sweep/result.js";
import { audit, cautions } from "../../../src/harness/validity/accounting.js";
import { disturbedScore } from "../../../src/harness/validity/outliers.js";
import { pacing } from "../../../src/harness/validity/pacing.js";
import { type RanTrial, serverCpus } from "../../../src/harness/validity/saturation.js";
import { expectedTailBias, shortTail } from "../../../src/harness/validity/short-tail.js";
import { stopOf } from "../../../src/harness/validity/until.js";
import { ranTrials, verdictOf } from "../../../src/harness/validity/verdict.js";
import { plausibleSweep } from "../report/fixture.js";

/** Findings with all their numbers, from trials in which no two numbers are alike. */

const [sound] = plausibleSweep({ rates: { reactor: 50_000 }, plan: { concurrencies: [100], trials: 1 } }).trials;
const soundRun = sound!.run as RunResult;

const trialOf = (run: Partial<RunResult>, server: Partial<NonNullable<TrialResult["server"]>> = {}): RanTrial => ({
  run: { ...soundRun, ...run },
  server: { ...sound!.server!, ...server },
});

/** Latencies of this mean, as many as wanted. */
function latencies(ms: number, count = 1000): StoredHistogram {
  const histogram = new Histogram();
  for (let n = 0; n < count; n++) histogram.record(Math.round(ms * 1e6));
  return histogram.toStored();
}

const test = suite("numbers of the findings");

test("errors: summed over trials, by class and by status, with the words of a server that failed", () => {
  const failed = (from: number) => Object.fromEntries(errorClasses.map((name, n) => [name, from + n]));
  const errors = (from: number) => failed(from) as RunResult["errors"];
  const sum = errorClasses.reduce((all, _, n) => all + 100 + n + 300 + n, 0);
  const [reason] = audit([
    { ...trialOf({ sent: 20_000 }), serverErrors: "of a trial without a failure" },
    trialOf({ sent: 30_000, errors: errors(100), statusCounts: { "200": 7, "404": 11, "503": 13 } }),
    { ...trialOf({ sent: 50_000, errors: errors(300), statusCounts: { "503": 17 } }), serverErrors: "no disk" },
  ]);
  assert.equal(reason, {
    code: "errors",
    sent: 100_000,
    failed: sum,
    byClass: Object.fromEntries(errorClasses.map((name, n) => [name, 400 + 2 * n])),
    byStatus: { "404": 11, "503": 30 },
    serverErrors: "no disk",
  });
});

test("one failed request is enough for the server's words", () => {
  const errors = { ...soundRun.errors, reset: 1 };
  const [reason] = audit([{ ...trialOf({ completed: 999, errors }), serverErrors: "no disk" }]);
  assert.equal(reason, { code: "errors", sent: 1000, failed: 1, byClass: { reset: 1 }, serverErrors: "no disk" });
});

test("what does not add up: the worst trial's numbers, and how many trials there are", () => {
  const of = (worse: Partial<RunResult>, bad: Partial<RunResult>, server: object = {}): unknown =>
    audit([trialOf({}), trialOf(bad), trialOf(worse, server), trialOf(bad)])[0];
  assert.equal(of({ requested: 1300 }, { requested: 1100 }), {
    code: "stopped-early",
    trials: 3,
    asked: 1300,
    sent: 1000,
  });
  assert.equal(of({ requested: 700 }, { requested: 1100 }), {
    code: "stopped-early",
    trials: 3,
    asked: 700,
    sent: 1000,
  });
  const latency = (count: number) => ({ ...soundRun.latency, total: latencies(2, count) });
  assert.equal(of({ latency: latency(1013) }, { latency: latency(993) }), {
    code: "latency-count",
    trials: 3,
    completed: 1000,
    recorded: 1013,
  });
  assert.equal(of({ peakConnections: 81 }, { peakConnections: 97 }), {
    code: "connections",
    trials: 3,
    asked: 100,
    peak: 81,
  });
  assert.equal(of({ keepAliveResponses: 611 }, { keepAliveResponses: 903 }), {
    code: "keep-alive-lost",
    trials: 3,
    completed: 1000,
    kept: 611,
  });
  assert.equal(audit([trialOf({}, { requests: 1007 }), trialOf({}, { requests: 989 })]), [
    { code: "server-count", trials: 2, server: 989, generator: 1000 },
  ]);
  const without = { keepAlive: false, peakConnections: 3, keepAliveResponses: 0 };
  assert.equal(audit([trialOf(without)]), []);
});

test("requests that are neither completed nor failed, with all three counts", () => {
  const errors = { ...soundRun.errors, reset: 31 };
  assert.equal(
    audit([trialOf({ completed: 950, errors, latency: { ...soundRun.latency, total: latencies(2, 950) } })])[1],
    {
      code: "generator-count",
      trials: 1,
      sent: 1000,
      completed: 950,
      failed: 31,
    },
  );
});

test("another tool may leave requests uncounted at its end, as many as it says and no more", () => {
  const tool = { name: "wrk", version: "4", command: [], output: "", caveats: [], uncountedAtMost: 5 };
  const of = (requests: number): readonly unknown[] => {
    const trial = trialOf({}, { requests });
    return audit([{ ...trial, run: { ...trial.run, tool } as unknown as ToolResult }]);
  };
  assert.equal(of(1005), []);
  assert.equal(of(1006), [{ code: "server-count", trials: 1, server: 1006, generator: 1000 }]);
  assert.equal(of(999), [{ code: "server-count", trials: 1, server: 999, generator: 1000 }]);
});

test("Little's law: what is in flight by the latencies, less what lies after the window, and the least that may be", () => {
  // 1,000 × 50 ms in 1 s are 50 in flight; 0.3 s of them lie behind it.
  const window = { seconds: 1, completed: 1000, latencyAfterSeconds: 0.3 };
  const run = { elapsedSeconds: 1.25, window, latency: { ...soundRun.latency, total: latencies(50) } };
  const [found, ...more] = audit([trialOf(run)]);
  assert.equal(more, []);
  assert.ok(found?.code === "littles-law");
  assert.equal([found.trials, found.concurrency, found.lowest], [1, 100, 90]);
  assert.ok(Math.abs(found.inFlight - 49.7) < 0.1, String(found.inFlight));
  assert.equal(audit([trialOf({ ...run, loop: "open" })]), [], "an open loop has as many as it has");
  // Failed requests have no latencies, so that nothing can be said.
  const failed = { sent: 1001, requested: 1001, errors: { ...soundRun.errors, reset: 1 } };
  const [errors, ...others] = audit([trialOf({ ...run, ...failed }, { requests: 1001 })]);
  assert.equal([errors?.code, others], ["errors", []]);
});

test("a window that is short: its length, and the share that came after it; a number of requests has no such window", () => {
  const late = (completed: number): Partial<RunResult> => ({
    requestedSeconds: 2,
    elapsedSeconds: 3,
    window: { seconds: 2.5, completed, latencyAfterSeconds: 0 },
    latency: { ...soundRun.latency, total: latencies(245) },
  });
  const code = (trials: readonly RanTrial[]) => audit(trials).filter((reason) => reason.code === "window-too-short");
  assert.equal(code([trialOf(late(380)), trialOf(late(310)), trialOf(late(700))]), [
    { code: "window-too-short", trials: 2, seconds: 2.5, late: 0.69 },
  ]);
  assert.equal(code([trialOf(late(500))]), [], "half of them may");
  assert.equal(cautions([trialOf(late(500)), trialOf(late(750)), trialOf(late(901))]), [
    { code: "window-short", trials: 2, seconds: 2.5, late: 0.5 },
  ]);
  assert.equal(cautions([trialOf(late(380)), trialOf(late(750))]), [], "it is invalid already");
  const { requestedSeconds: _, ...byNumber } = late(310);
  assert.equal(code([trialOf(byNumber)]), []);
  assert.equal(code([trialOf({ ...late(310), loop: "open" })]), []);
});

test("an open loop that is late, overloaded or short of connections: medians, and the worst trial's numbers", () => {
  const open = (
    pacingMs: number,
    latencyMs: number,
    more: Partial<OpenLoopResult> = {},
    run: Partial<RunResult> = {},
  ) =>
    trialOf({
      ...run,
      loop: "open",
      openLoop: { rate: 500, achievedRate: 499, lag: latencies(3), pacing: latencies(pacingMs), waited: 0, ...more },
      latency: { ...soundRun.latency, total: latencies(latencyMs) },
    });
  const rounded = (found: ReturnType<typeof pacing>): unknown =>
    JSON.parse(JSON.stringify(found), (_, value) => (typeof value === "number" ? Math.round(value) : value));
  assert.equal(rounded(pacing([open(2, 100), open(60, 110), open(70, 120)])), {
    reasons: [{ code: "generator-late", pacingMs: 60, latencyMs: 110 }],
    warnings: [],
  });
  assert.equal(rounded(pacing([open(2, 100), open(20, 110), open(30, 120)])), {
    reasons: [],
    warnings: [{ code: "generator-somewhat-late", pacingMs: 20, latencyMs: 110 }],
  });
  assert.equal(pacing([open(2, 100), open(2, 100, { achievedRate: 490 })]), { reasons: [], warnings: [] });
  const ramp = { achievedRate: 250, meanRate: 251 };
  assert.equal(pacing([open(1, 100, { achievedRate: 489 }), open(1, 100, { achievedRate: 411 }), open(1, 100, ramp)]), {
    reasons: [],
    warnings: [{ code: "overloaded", trials: 2, rate: 500, achievedRate: 411 }],
  });
  assert.equal(
    pacing([
      open(1, 100, { waited: 31 }),
      open(1, 100, { waited: 37 }, { sent: 3000, concurrency: 23 }),
      open(1, 100, { waited: 47 }, { sent: 1500, concurrency: 21 }),
      // Not more than one in a hundred.
      open(1, 100, { waited: 10 }),
    ]),
    {
      reasons: [],
      warnings: [{ code: "connections-short", trials: 3, concurrency: 21, waited: 47, sent: 1500 }],
    },
  );
  assert.equal(pacing([trialOf({})]), { reasons: [], warnings: [] });
});

test("trials that are missing or failed, with their numbers and the first failure", () => {
  const context = {
    plannedTrials: 7,
    pinning: { server: "0", generator: "1", reason: "" },
    environment: { cores: 2 },
    ours: true,
  };
  const trials = plausibleSweep({ rates: { reactor: 50_000 }, plan: { concurrencies: [100], trials: 5 } }).trials.map(
    (trial, index) =>
      index === 2 || index === 3 ? { ...trial, run: null, server: null, failure: `fault ${index}` } : trial,
  );
  assert.equal(verdictOf(trials, context).reasons, [
    { code: "trials-missing", planned: 7, finished: 5 },
    { code: "trial-failed", trials: 2, failure: "fault 2" },
  ]);
  const [first] = trials;
  assert.equal(ranTrials([{ ...first!, server: null }], true), []);
  assert.is(ranTrials([{ ...first!, server: null }], false).length, 1);
});

test("by how much a trial must differ to be called disturbed, by the number of trials", () => {
  const scores = [4, 5, 6, 7, 8, 9, 10, 22].map(disturbedScore);
  assert.equal(scores, [Number.POSITIVE_INFINITY, 15, 8.7, 9.2, 6.9, 7.6, 6.1, 4.9]);
});

test("CPUs of a server: its user and system time over the window", () => {
  const window = { seconds: 4, completed: 1000, latencyAfterSeconds: 0 };
  const trial = trialOf({ window, elapsedSeconds: 5 }, { cpuUserMicros: 5_000_000, cpuSystemMicros: 1_400_000 });
  assert.is(serverCpus(trial), 1.6);
});

test("a tail that is too short: by how much, and how long would do", () => {
  // At 81% a queue forgets in 81 requests: 2.5 ÷ (1,000 ÷ 81 + 4.5).
  assert.ok(Math.abs(expectedTailBias(1000, 0.81) - 0.148_406) < 1e-6);
  assert.ok(Math.abs(expectedTailBias(5000, 0.49) - 0.002_709) < 1e-6);
  const openLoop = { rate: 700, achievedRate: 700, lag: latencies(1), pacing: latencies(1) };
  const busy = { eventLoopUtilization: 0.81, elapsedMicros: 1e6 };
  const run = { elapsedSeconds: 1, openLoop };
  const [found, ...more] = shortTail([trialOf(run, busy)]);
  assert.equal(more, []);
  assert.ok(found?.code === "tail-too-short");
  const { bias, load, ...rest } = found;
  // 45.5 times 81 requests at 700 a second.
  assert.equal(rest, { code: "tail-too-short", even: true, requests: 1000, seconds: 6 });
  assert.ok(Math.abs(bias - 0.148_406) < 1e-3 && Math.abs(load - 0.81) < 1e-9, `${bias} ${load}`);
  const random = { ...run, openLoop: { ...openLoop, arrivals: "poisson" as const } };
  assert.is((shortTail([trialOf(random, busy)])[0] as typeof found).even, false);
  assert.equal(shortTail([trialOf({ ...random, completed: 5000 }, busy)]), [], "enough of them");
  assert.equal(shortTail([trialOf({ elapsedSeconds: 1 }, busy)]), [], "a closed loop");
});

test("an interval exactly as narrow as asked for is narrow", () => {
  const interval = { low: 1, high: 1.21, level: 0.95 };
  const ratio = { ratio: 1.1, interval, p: 0.5, pairs: 10, method: "biweight" } as const;
  const halfWidth = Math.sqrt(1.21) - 1;
  const pace = { trials: 10, elapsedSeconds: 100, secondsPerBlock: 10 };
  assert.is(stopOf({ halfWidth, maxTrials: 20, maxSeconds: 600 }, [ratio], pace)?.code, "narrow");
});

test.run();
