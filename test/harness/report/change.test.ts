import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Change, changeBetween } from "../../../src/harness/report/change.js";
import { changeAnswer, changeDocument } from "../../../src/harness/report/change-document.js";
import { judgeChange, parseConditions } from "../../../src/harness/report/fail-if.js";
import type { SweepPlan, SweepResult } from "../../../src/harness/sweep/result.js";
import { errorStorm, plausibleSweep, withCell } from "./fixture.js";

// The fixture's drift of 5% is shared by the cores of a block, not by two sweeps: 20 trials tell 15% from that.
const sweepOf = (reactor: number, pool: number, seed: number, plan: Partial<SweepPlan> = {}): SweepResult =>
  plausibleSweep({ rates: { reactor, pool }, seed, plan: { trials: 20, requests: 100, ...plan } });
const before = sweepOf(100_000, 90_000, 1);
const change = (after: SweepResult, first = before): Change =>
  changeBetween({ file: "a.json", sweep: first }, { file: "b.json", sweep: after });
const verdicts = ({ cells }: Change): readonly string[] =>
  cells.map(({ core, concurrency, byMetric }) => `${core}@${concurrency} ${byMetric.requestsPerSecond?.verdict}`);

const changes = suite("change between two sweeps");

changes("each cell is compared with itself, after ÷ before, and the change is named", () => {
  const found = change(sweepOf(100_000, 76_500, 2));
  assert.equal(verdicts(found), [
    "reactor@10 none",
    "pool@10 lower",
    "reactor@100 none",
    "pool@100 lower",
    "reactor@250 none",
    "pool@250 lower",
    "reactor@450 none",
    "pool@450 lower",
  ]);
  const pool = found.cells[1]!.byMetric.requestsPerSecond!;
  assert.is(pool.family, 8);
  assert.ok(pool.interval!.low < 0.85 && pool.interval!.high > 0.85 && pool.interval!.high < 1);
  const [headline, , second] = changeAnswer(found);
  assert.is(
    headline,
    "The server had 1 CPU. Requests per second: slower after: pool at c=10, pool at c=100, pool at c=250 and pool at c=450.",
  );
  assert.match(
    second!,
    /^At c=10 the pool serves 0\.8\d × the requests it served before \[0\.\d\d, 0\.\d\d\]: slower\.$/,
  );
});

changes("the same code measured twice has not changed", () => {
  const found = change(sweepOf(100_000, 90_000, 3));
  assert.ok(found.cells.every(({ byMetric }) => byMetric.requestsPerSecond?.verdict === "none"));
  assert.is(changeAnswer(found)[0], "The server had 1 CPU. No change of requests per second was found.");
});

changes("an invalid cell is not compared, and the reason is told with its side", () => {
  const found = change(withCell(before, "pool", 100, errorStorm));
  const cell = found.cells.find(({ core, concurrency }) => core === "pool" && concurrency === 100)!;
  assert.ok(Object.values(cell.byMetric).every((difference) => difference === null));
  assert.match(
    changeAnswer(found).join("\n"),
    /At c=100 the pool is not compared \(after: 1,800 of 2,000 requests failed/,
  );
});

changes("the larger noise floor of the two counts", () => {
  const twin = { name: "reactor again", of: "reactor" };
  const after = sweepOf(100_000, 76_500, 2, { twin });
  const floor = change(after).floors.requestsPerSecond!;
  assert.ok(floor > 1 && floor < 1.02);
  assert.is(change(before, after).floors.requestsPerSecond, floor);
  assert.is(change(before).floors.requestsPerSecond, null);
  assert.match(changeAnswer(change(after)).join(" "), /Noise floor: no difference of requests per second up to/);
});

changes("what differs between the machines is told, and that the two ran at different times", () => {
  const after = { ...before, environment: { ...before.environment, node: "22.12.0", commit: "fff" } };
  const text = changeAnswer(change(after)).join(" ");
  assert.match(text, /Not the same in both: node 20\.20\.2, then 22\.12\.0; commit 0123abc, then fff\./);
  assert.match(text, /ran at different times/);
  assert.not.match(changeAnswer(change(before)).join(" "), /Not the same/);
});

changes("the document has every metric of every cell, and no figure is NaN", () => {
  const text = changeDocument(change(sweepOf(100_000, 76_500, 2)), { before: "a.json", after: "b.json" });
  assert.is(text.split("\n").filter((row) => /^\| (reactor|pool), c=\d+ +\|/.test(row)).length, 16);
  assert.match(text, /`npm run report -- a\.json b\.json`/);
  assert.not.match(text, /NaN|undefined|Infinity/);
});

const refusals: readonly (readonly [string, SweepResult, RegExp])[] = [
  [
    "another concurrency",
    sweepOf(1, 1, 1, { concurrencies: [10, 100] }),
    /^a\.json and b\.json do not have the same cells: b\.json lacks reactor at c=250, reactor at c=450, pool at c=250 and 1 more; run both/,
  ],
  [
    "one core more",
    plausibleSweep({ rates: { reactor: 1, pool: 1, third: 1 }, plan: { trials: 20, requests: 100 } }),
    /a\.json lacks third at c=10/,
  ],
  [
    "another path",
    sweepOf(1, 1, 1, { path: "/hello" }),
    /did not measure the same: path \/, then \/hello; run both with the same flags$/,
  ],
  ["other requests", sweepOf(1, 1, 1, { requests: 50 }), /requests 100, then 50/],
  ["no keep-alive", sweepOf(1, 1, 1, { keepAlive: false }), /keepAlive true, then false/],
  [
    "other CPUs",
    sweepOf(1, 1, 1, { pinning: { server: null, generator: null, reason: "" } }),
    /--pin 0:1, then none:none/,
  ],
];

for (const [what, after, message] of refusals) {
  changes(`a sweep with ${what} is refused with what is wrong`, () => {
    assert.throws(
      () => change(after),
      (error: Error & { exitCode?: number }) => message.test(error.message) && error.exitCode === 2,
    );
  });
}

changes.run();

const failing = suite("--fail-if");

failing("conditions name a metric, a comparison and a ratio", () => {
  assert.equal(parseConditions("ratio<0.95"), [
    { text: "ratio<0.95", metric: "requestsPerSecond", compare: "<", limit: 0.95 },
  ]);
  assert.equal(
    parseConditions(" ratio <= 0.9 , p99>1.2,cpu>=2 ").map(({ metric, compare, limit }) => [metric, compare, limit]),
    [
      ["requestsPerSecond", "<=", 0.9],
      ["p99Ms", ">", 1.2],
      ["cpuPerRequestMicros", ">=", 2],
    ],
  );
});

failing("anything else is refused with what can be written, and so is what no change would meet", () => {
  for (const wrong of [
    "",
    "ratio",
    "ratio=1",
    "ratio<",
    "speed<0.9",
    "ratio<-1",
    "ratio<0.9;p99>1",
    "ratio<0.9,",
    "constructor<0.9",
    "0.9>ratio",
  ]) {
    assert.throws(() => parseConditions(wrong), /^--fail-if must be like 'ratio<0\.95'|must be like/, wrong);
  }
  for (const met of ["ratio<1.05", "ratio>=1", "p99>0.5"]) {
    assert.throws(() => parseConditions(met), /is met by a ratio of 1/, met);
  }
});

failing("a significant change beyond the limit fails, in the cells that have it", () => {
  const slower = change(withSlowPool(0.85));
  const { failures, unknown } = judgeChange(slower, parseConditions("ratio<0.95"));
  assert.is(failures.length, 4);
  assert.match(failures[0]!, /^ratio<0\.95: pool at c=10 is 0\.\d\d \[/);
  assert.equal(unknown, []);
  assert.equal(judgeChange(slower, parseConditions("ratio<0.5")).failures, []);
  assert.equal(judgeChange(slower, parseConditions("ratio>1.05")).failures, []);
});

function withSlowPool(factor: number): SweepResult {
  return sweepOf(100_000, 90_000 * factor, 2);
}

failing("a ratio beyond the limit that is not significant does not fail", () => {
  const few = { trials: 8, concurrencies: [10] } as const;
  const noisy = (seed: number): SweepResult =>
    plausibleSweep({ rates: { reactor: 1000 }, noise: 0.2, seed, plan: { ...few, requests: 100 } });
  let beyond = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const found = change(noisy(seed + 100), noisy(seed));
    const { verdict, ratio } = found.cells[0]!.byMetric.requestsPerSecond!;
    const { failures } = judgeChange(found, parseConditions("ratio<0.95"));
    if (ratio < 0.95 && verdict === "none") {
      beyond++;
      assert.equal(failures, []);
    }
    assert.is(failures.length > 0, ratio < 0.95 && verdict === "lower");
  }
  assert.ok(beyond >= 3, `${beyond}: the test must have seen some`);
});

failing("a cell that is invalid or has too few trials is neither a pass nor a failure", () => {
  const invalid = judgeChange(change(withCell(before, "pool", 100, errorStorm)), parseConditions("ratio<0.95"));
  assert.equal(invalid, {
    failures: [],
    unknown: ["ratio<0.95: pool at c=100 cannot be compared: it is invalid in one of the two"],
  });
  const few = sweepOf(100_000, 90_000, 1, { trials: 3 });
  assert.is(judgeChange(change(few, few), parseConditions("ratio<0.95")).unknown.length, 8);
});

failing.run();
