import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compareResults, comparisonLines } from "../../../src/harness/break-even/compare.js";
import { type BreakEvenCurve, curvesOf } from "../../../src/harness/break-even/curves.js";
import { refinedPass } from "../../../src/harness/break-even/refine.js";
import type { BreakEvenResult } from "../../../src/harness/break-even/result.js";
import { answerLines } from "../../../src/harness/break-even/text.js";
import { plausibleResult, smallPlan, twoCores } from "./fixture.js";

function curve(result: BreakEvenResult, serverCpus: number, metric = "requestsPerSecond"): BreakEvenCurve {
  return curvesOf(result).find((one) => one.serverCpus === serverCpus && one.metric === metric)!;
}

/** Where 1 ÷ (12 + s) meets 1.9 ÷ (30 + s). */
const TRUE_MICROS = (30 - 1.9 * 12) / 0.9;
const result = plausibleResult();

const test = suite("break-even curves");

test("the crossing is found between the costs of the refined pass, and lies in its interval", () => {
  const { outcome, points } = curve(result, 2);
  assert.is(outcome.kind, "from");
  if (outcome.kind !== "from") return;
  const { low, high } = outcome.interval;
  assert.ok(low <= TRUE_MICROS && TRUE_MICROS <= high, `${low} to ${high}`);
  assert.ok(low <= outcome.costMicros && outcome.costMicros <= high && high / low < 1.5);
  assert.is(outcome.atMost, false);
  assert.is(points.length, 4 + 4, "the costs of both passes");
});

test("a core that comes near but never passes is never ahead, and nothing is refined for it", () => {
  const { outcome } = curve(result, 1);
  assert.is(outcome.kind, "never");
  assert.equal(
    result.plan.passes[1]!.points.map(({ serverCpus }) => serverCpus),
    [2, 2, 2, 2],
  );
});

test("a core that leads everywhere is ahead always; where the cheapest cost is open the crossing is known from above", () => {
  const leads = plausibleResult((core) => (core === "pool" ? 2000 : 1000));
  assert.is(curve(leads, 2).outcome.kind, "always");
  const equalAtFirst = plausibleResult((core, _, cost) => (core === "pool" && cost > 10 ? 1500 : 1000));
  const { outcome } = curve(equalAtFirst, 2);
  assert.is(outcome.kind, "from");
  assert.ok(outcome.kind === "from" && outcome.interval.high <= 30);
});

test("what costs less is ahead: of CPU and latency", () => {
  // The fixture's server is busy all the time, so the faster core spends less CPU per request.
  const cpu = curve(result, 2, "cpuPerRequestMicros");
  assert.is(cpu.outcome.kind, "from");
  assert.ok(cpu.points[0]!.difference!.ratio > 1, "the ratio is as it was measured: more CPU");
  assert.is(cpu.points[0]!.difference!.verdict, "higher");
  assert.ok(cpu.points.at(-1)!.difference!.ratio < 1);
});

test("at a rate the tails are compared, at costs that the CPUs can serve", () => {
  const atRate = plausibleResult(twoCores, {
    rate: 300,
    costsMicros: [0, 300, 3000, 4000],
    serverCpus: [smallPlan().serverCpus[0]!],
  });
  const { points, rate, outcome } = curve(atRate, 1, "p99Ms");
  assert.equal([rate, outcome.kind], [300, outcome.kind]);
  assert.equal(
    points.map(({ costMicros }) => costMicros).filter((cost) => [0, 300, 3000, 4000].includes(cost)),
    [0, 300, 3000],
  );
  assert.match(
    answerLines(atRate, curvesOf(atRate)).join("\n"),
    /99th percentile .* at c=10 and 300 requests\/s|at c=10 and 300 requests\/s/,
  );
});

test("few blocks leave an answer undecided, and the open costs are measured again", () => {
  const open = { ...result, plan: { ...smallPlan({ coarseBlocks: 2 }), refinedBlocks: 8 } };
  const few = { ...open, trials: result.trials.filter(({ pass, block }) => pass === 0 && block < 2) };
  assert.is(curve(few, 1).outcome.kind, "undecided");
  const again = refinedPass(few)!;
  assert.is(again.kind, "refined");
  assert.equal([...new Set(again.points.map(({ costMicros }) => costMicros))], [0, 30, 300, 3000]);
});

test("a trial that failed makes its cost invalid, and the answer says which and why", () => {
  const [first, ...others] = result.trials;
  const damaged = {
    ...result,
    trials: [{ ...first!, run: null, server: null, failure: "the generator died" }, ...others],
  };
  const { points } = curve(damaged, first!.serverCpus);
  const point = points.find(({ costMicros }) => costMicros === first!.costMicros)!;
  assert.is(point.difference, null);
  assert.match(point.problem!, /1 trial failed: the generator died/);
  assert.match(
    answerLines(damaged, curvesOf(damaged)).join("\n"),
    /Left out: With 1 CPU at c=10, 0 µs: .*the generator died/,
  );
});

test("the lines say from which cost on, with how many CPUs, and what to hold it against", () => {
  const lines = answerLines(result, curvesOf(result));
  assert.match(
    lines[0]!,
    /^With 1 CPU at c=10 the pool never serves more requests than the reactor, from 0 µs to 3 ms of handler CPU \(0\.\d+ × \[.*\] at 0 µs, \d\.\d+ × \[.*\] at 3 ms\)\.$/,
  );
  assert.match(
    lines.find((line) => line.startsWith("With 2 CPUs"))!,
    /^With 2 CPUs at c=10 the pool serves more requests than the reactor from [\d.]+ µs \[[\d.]+ µs, [\d.]+ µs\] of handler CPU on \(0\.7\d × /,
  );
  assert.match(lines.at(-1)!, /What your handler costs/);
});

test("two results agree where their intervals meet, and differ where they do not", () => {
  const first = { file: "a.json", result };
  const far = {
    file: "b.json",
    result: plausibleResult((core, cpus, cost) => twoCores(core, cpus, core === "pool" ? cost + 400 : cost)),
  };
  const same = compareResults(first, { file: "c.json", result });
  assert.ok(same.every(({ agreement }) => agreement === "agree"));
  const pairs = compareResults(first, far);
  const speed = pairs.find(({ first: { serverCpus, metric } }) => serverCpus === 2 && metric === "requestsPerSecond")!;
  assert.is(speed.agreement, "differ");
  assert.match(
    comparisonLines(first, far, pairs).join("\n"),
    /With 2 CPUs at c=10, pool in requests per second: .*they differ/,
  );
});

test("results of different handlers, bases or loads are not compared", () => {
  const first = { file: "a.json", result };
  const other = (changes: Parameters<typeof smallPlan>[0]) => ({
    file: "b.json",
    result: { ...result, plan: { ...result.plan, ...changes } },
  });
  assert.throws(() => compareResults(first, other({ handler: { waitMs: 5, slowShare: null } })), /\/cpu\?us=N&ms=5/);
  assert.throws(
    () => compareResults(first, other({ cores: ["pool", "reactor"] })),
    /the base of a\.json is the reactor/,
  );
  assert.throws(() => compareResults(first, other({ concurrencies: [11] })), /have nothing in common/);
});

test.run();
