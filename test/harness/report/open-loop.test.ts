import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../src/harness/load/histogram/histogram.js";
import type { RunResult } from "../../../src/harness/load/result/run-result.js";
import { answerOf } from "../../../src/harness/report/answer.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { reportDocument } from "../../../src/harness/report/document.js";
import type { SweepResult } from "../../../src/harness/sweep/result.js";
import { ownRun, plausibleSweep } from "./fixture.js";

const openLoop = {
  shares: null,
  seconds: 0.5,
  rates: [
    { concurrency: 10, requestsPerSecond: 2000 },
    { concurrency: 10, requestsPerSecond: 8000 },
  ],
};
const rates = { reactor: 20_000, pool: 10_000 };
const sweep = plausibleSweep({ rates, plan: { concurrencies: [10], openLoop } });

/** The sweep with the open loops of a core changed. */
function withRuns(of: string, change: (run: RunResult) => object): SweepResult {
  const trials = sweep.trials.map((trial) =>
    trial.core === of && trial.run !== null
      ? { ...trial, run: { ...trial.run, ...change(ownRun(trial)) } as RunResult }
      : trial,
  );
  return { ...sweep, trials };
}

const document = (of: SweepResult): string => {
  const comparison = compare(of);
  const references = { resultFile: "x.json", folder: "x", histograms: [] };
  return reportDocument(comparison, answerOf(comparison), references);
};

const test = suite("report of open loops");

test("ranks the cores by the 99th percentile of latency, since all serve the rate", () => {
  const { levels } = compare(sweep);
  assert.equal(
    levels.map(({ concurrency, rate }) => [concurrency, rate]),
    [
      [10, 2000],
      [10, 8000],
    ],
  );
  for (const { outcome, cells, ratios } of levels) {
    assert.ok(cells.every(({ verdict }) => verdict.valid));
    assert.equal(outcome, { kind: "ranked", fastest: ["reactor"], atLeast: false });
    assert.is(ratios[0]?.byMetric.p99Ms?.verdict, "higher");
    assert.is(ratios[0]?.byMetric.requestsPerSecond, null, "what was given is not compared");
  }
});

test("says so in words", () => {
  const { headline, lines } = answerOf(compare(sweep));
  assert.match(headline, /by the reactor: it has the shortest 99th percentile of latency at every rate measured/);
  assert.match(
    lines[1] ?? "",
    /^At c=10, 8,000\/s the 99th percentile of latency of the pool is \d+\.\d+ × the reactor's \[.*\]: longer\.$/,
  );
  assert.match(document(sweep), /### c=10, 2,000\/s/);
});

test("keeps the closed loops of a sweep as its answer, and the open ones beside it", () => {
  const both = plausibleSweep({ rates, plan: { concurrencies: [10], openLoop: { ...openLoop, shares: [0.2, 0.8] } } });
  const comparison = compare(both);
  assert.equal(
    comparison.levels.map(({ rate }) => rate),
    [null, 2000, 8000],
  );
  const { headline, lines } = answerOf(comparison);
  assert.match(headline, /it serves the most requests per second at every concurrency measured/);
  assert.is(lines.length, 3);
  assert.is(comparison.plannedTrials, 3 * 2 * 10);
});

test("does not rank a cell of which half may be the generator's own lateness", () => {
  const late = withRuns("pool", ({ latency, openLoop: loop }) => ({ openLoop: { ...loop!, pacing: latency.total } }));
  const [level] = compare(late).levels;
  assert.equal(
    level?.cells.map(({ verdict }) => verdict.reasons.map(({ code }) => code)),
    [[], ["generator-late"]],
  );
  assert.equal(level?.outcome, { kind: "not-ranked" });
  assert.match(document(late), /the load generator itself was late: by [\d.]+ ms in its 99th percentile/);
});

test("tells of a generator that was late by a tenth, and of a server that did not keep up, and ranks them", () => {
  const tenth = withRuns("pool", ({ latency, openLoop: loop }) => {
    const pacing = new Histogram();
    const p99 = Histogram.fromStored(latency.total).valueAtPercentile(99);
    for (let i = 0; i < 100; i++) pacing.record(p99 / 5);
    return { openLoop: { ...loop!, pacing: pacing.toStored(), achievedRate: 0.9 * loop!.rate } };
  });
  const [level] = compare(tenth).levels;
  assert.equal(
    level?.cells.map(({ verdict }) => verdict.warnings.map(({ code }) => code)),
    [["tail-too-short"], ["generator-somewhat-late", "overloaded"]],
  );
  assert.is(level?.outcome.kind, "ranked");
  assert.match(document(tenth), /it did not keep up: 1,800 of 2,000 requests per second were sent/);
});

test("neither Little's law nor a busy generator is held against an open loop", () => {
  const spinning = withRuns("reactor", ({ generator }) => ({ generator: { ...generator, cpuShare: 1 } }));
  assert.ok(compare(spinning).levels.every(({ cells }) => cells.every(({ verdict }) => verdict.valid)));
});

test.run();

const targets = suite("report with a server that is not ours");

const theirs = plausibleSweep({ rates: { reactor: 20_000, nginx: 30_000 }, plan: { concurrencies: [10] } });
const withTarget: SweepResult = {
  ...theirs,
  plan: { ...theirs.plan, targets: [{ name: "nginx", url: "http://127.0.0.1:8080/" }] },
  trials: theirs.trials.map((trial) => (trial.core === "nginx" ? { ...trial, server: null } : trial)),
};

targets("ranks its speed, and has no cost for it", () => {
  const [level] = compare(withTarget).levels;
  assert.ok(level?.cells.every(({ verdict }) => verdict.valid));
  assert.equal(level?.outcome, { kind: "ranked", fastest: ["nginx"], atLeast: false });
  assert.is(level?.ratios[0]?.byMetric.requestsPerSecond?.verdict, "higher");
  assert.is(level?.ratios[0]?.byMetric.cpuPerRequestMicros, null);
  const text = document(withTarget);
  assert.not.match(text, /NaN|undefined|null/);
  assert.match(text, /\| nginx +\| +`http:\/\/127\.0\.0\.1:8080\/` \|/);
});

targets("takes a full generator for its limit, since nothing is known of the server", () => {
  const full = {
    ...withTarget,
    trials: withTarget.trials.map((trial) =>
      trial.core === "nginx"
        ? { ...trial, run: { ...trial.run, generator: { ...trial.run?.generator, cpuShare: 0.95 } } as RunResult }
        : trial,
    ),
  };
  const [level] = compare(full).levels;
  assert.equal(level?.cells[1]?.verdict.reasons, [
    { code: "generator-limited", generatorShare: 0.95, serverShare: null },
  ]);
  assert.match(document(full), /and how busy the server was is not known/);
});

targets("a core of ours without its account is no server of others", () => {
  const lost = { ...withTarget, plan: { ...withTarget.plan, targets: [] } };
  assert.is(compare(lost).levels[0]?.cells[1]?.verdict.reasons[0]?.code, "trial-failed");
});

targets.run();
