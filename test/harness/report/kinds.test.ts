import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../src/harness/load/histogram/histogram.js";
import { noErrors } from "../../../src/harness/load/result/run-result.js";
import { answerOf } from "../../../src/harness/report/answer.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { trialsCsv } from "../../../src/harness/report/csv.js";
import { reportData } from "../../../src/harness/report/data.js";
import { reportDocument } from "../../../src/harness/report/document.js";
import { reportPage } from "../../../src/harness/report/html/page.js";
import { kindLevels, kindsTable } from "../../../src/harness/report/kinds.js";
import { misfitOf } from "../../../src/harness/report/schema.js";
import { summaryLines } from "../../../src/harness/report/summary.js";
import type { SweepResult } from "../../../src/harness/sweep/result.js";
import { plausibleSweep } from "./fixture.js";

const test = suite("kinds of request in a report");

const names = ["GET /fast", "POST /slow"];

/** In every trial two kinds: the first takes half of the requests and half of the time that the pool's second takes. */
function withKinds(sweep: SweepResult): SweepResult {
  const trials = sweep.trials.map((trial) => {
    const run = trial.run!;
    const kinds = names.map((name, number) => {
      const total = new Histogram();
      const slower = number === 1 && trial.core === "pool" ? 2 : 1;
      for (let i = 0; i < run.completed / 2; i++)
        total.record((1 + number) * slower * (1e6 + (i % 50) * 1e4 + (trial.block % 7) * 1e3));
      const completed = run.completed / 2;
      return {
        name,
        sent: completed,
        completed,
        errors: noErrors(),
        statusCounts: { 200: completed },
        documentBytes: 10,
        bodyBytes: 10 * completed,
        total: total.toStored(),
      };
    });
    return { ...trial, run: { ...run, method: "MIX", kinds } } as (typeof sweep.trials)[number];
  });
  const requests = names.map((name) => {
    const [method = "", path = ""] = name.split(" ");
    return { name, weight: 1, method, path, headers: {} };
  });
  return {
    ...sweep,
    plan: { ...sweep.plan, traffic: { schema: "loopool-requests/1", headers: {}, requests } },
    trials,
  };
}

const plain = plausibleSweep({
  rates: { reactor: 10_000, pool: 9000 },
  plan: { trials: 8, concurrencies: [10, 100], requests: 500 },
});
const sweep = withKinds(plain);
const comparison = compare(sweep);

test("each kind is compared by itself: a difference of one is called, and none where there is none", () => {
  const levels = kindLevels(comparison);
  assert.equal(
    levels.map(({ kind, concurrency }) => [kind, concurrency]),
    [
      [names[0], 10],
      [names[1], 10],
      [names[0], 100],
      [names[1], 100],
    ],
  );
  for (const { kind, ratios, cells } of levels) {
    const found = ratios[0]!.p99Ms!;
    assert.is(found.family, 4);
    assert.equal([ratios[0]!.core, cells.length, cells[0]!.sent], ["pool", 2, 8 * 250]);
    if (kind === names[1]) assert.ok(found.verdict === "higher" && Math.abs(found.ratio - 2) < 0.05, `${found.ratio}`);
    else assert.is(found.verdict, "none");
  }
});

test("they stand in the document, the page and the data, which is as its schema says", async () => {
  const answer = answerOf(comparison);
  const document = reportDocument(comparison, answer, { resultFile: "x.json", folder: "x", histograms: [] });
  assert.match(document, /## By kind of request[\s\S]*POST \/slow, c=10 /);
  assert.match(answer.headline, /this handler \(a mix of 2 kinds of request\)/);
  assert.match(reportPage({ comparison, answer, latencies: [], resultFile: "x.json" }), /By kind of request/);
  const data = JSON.parse(JSON.stringify(reportData(comparison, answer, "x.json"))) as { kinds: unknown[] };
  assert.is(data.kinds.length, 4);
  assert.is(await misfitOf("loopool-report/2", data), null);
  assert.is(await misfitOf("loopool-sweep/3", JSON.parse(JSON.stringify(sweep))), null);
  const rows = trialsCsv(comparison).split("\r\n");
  const kindColumn = rows[0]!.split(",").indexOf("kind");
  assert.equal(
    rows.slice(1, 4).map((row) => row.split(",")[kindColumn]),
    ["", ...names],
  );
});

test("a sweep of one kind has none of it", () => {
  const one = compare(plain);
  assert.is(kindsTable(one), null);
  assert.not.match(
    reportDocument(one, answerOf(one), { resultFile: "x.json", folder: "x", histograms: [] }),
    /kind of request/,
  );
  assert.not.ok(trialsCsv(one).startsWith("core,kind"));
});

test("the terminal's summary has a line for each core and load", () => {
  const lines = summaryLines(comparison);
  assert.is(lines.length, 5);
  assert.match(lines[1]!, /^c=10 +reactor +[\d,]+ +[\d.]+ +[\d.]+$/);
});

test("what a check of state has found is in the answer", () => {
  const difference = {
    core: "pool",
    base: "reactor",
    what: "body",
    requests: 48,
    answers: 12,
    baseAnswers: 48,
  } as const;
  const answer = answerOf(compare({ ...plain, stateDifferences: [difference] }));
  assert.match(answer.explanation[0]!, /48 requests got 48 different answers from the reactor and 12 from the pool/);
});

test("with closed loops and given rates both questions are answered", () => {
  const rates = [{ concurrency: 10, requestsPerSecond: 500 }];
  const openLoop = { shares: null, rates, seconds: 1, arrivals: "poisson", saturation: true } as const;
  const both = compare(
    plausibleSweep({
      rates: { reactor: 10_000, pool: 5000 },
      plan: { trials: 8, concurrencies: [10], requests: 500, openLoop },
    }),
  );
  assert.is(both.levels.length, 2);
  const { headline } = answerOf(both);
  assert.match(headline, /Saturated: On this evidence .* is served best by the reactor/);
  assert.match(headline, /At the rate given: On this evidence/);
});

test.run();
