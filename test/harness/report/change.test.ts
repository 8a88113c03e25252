import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Change, changeBetween } from "../../../src/harness/report/change.js";
import { changeAnswer, changeDocument } from "../../../src/harness/report/change-document.js";
import { judgeChange, parseConditions } from "../../../src/harness/report/fail-if.js";
import type { SweepPlan, SweepResult } from "../../../src/harness/sweep/result.js";
import { errorStorm, plausibleSweep, withCell } from "./fixture.js";

const sweepOf = (reactor: number, pool: number, seed: number, plan: Partial<SweepPlan> = {}): SweepResult =>
  plausibleSweep({ rates: { reactor, pool }, seed, plan: { trials: 20, requests: 100, ...plan } });
const before = sweepOf(100_000, 90_000, 1);
const change = (after: SweepResult, first = before): Change =>
  changeBetween({ file: "a.json", sweep: first }, { file: "b.json", sweep: after });
const verdicts = ({ cells }: Change): readonly string[] =>
  cells.map(({ core, concurrency, byMetric }) => `${core}@${concurrency} ${byMetric.requestsPerSecond?.verdict}`);

const changes = suite("change between two sweeps");

changes("the ratio of each core to the first is compared, after ÷ before, and the change is named", () => {
  const found = change(sweepOf(100_000, 76_500, 2));
  assert.is(found.base, "reactor");
  assert.equal(
    verdicts(found),
    [10, 100, 250, 450].flatMap((level) => [`reactor@${level} undefined`, `pool@${level} lower`]),
  );
  const pool = found.cells[1]!.byMetric.requestsPerSecond!;
  assert.is(pool.family, 4);
  assert.ok(pool.interval!.low < 0.85 && pool.interval!.high > 0.85 && pool.interval!.high < 0.9);
  const [headline, first] = changeAnswer(found);
  assert.is(
    headline,
    "The server had 1 CPU. Requests per second as a ratio to the reactor's: lower after: pool at c=10, pool at c=100, pool at c=250 and pool at c=450.",
  );
  assert.match(
    first!,
    /^At c=10 the ratio of the pool to the reactor in requests per second is 0\.8\d × that of before \[0\.\d\d, 0\.\d\d\]: lower\.$/,
  );
});

changes("another hour, in which everything is 5% faster, is no change", () => {
  const found = change(sweepOf(105_000, 94_500, 3));
  assert.ok(found.cells.every(({ byMetric }) => (byMetric.requestsPerSecond?.verdict ?? "none") === "none"));
  assert.is(
    changeAnswer(found)[0],
    "The server had 1 CPU. No change of the ratios of requests per second to the reactor's was found.",
  );
});

changes("one core alone has no ratio: there is no answer, and how to get one is told", () => {
  const one = (seed: number): SweepResult =>
    plausibleSweep({ rates: { reactor: 1000 }, seed, plan: { trials: 20, requests: 100 } });
  const found = change(one(1), one(2));
  assert.is(found.base, null);
  assert.match(changeAnswer(found)[0]!, /No answer: one core was measured \(reactor\).*--target before=URL/);
  assert.not.match(changeDocument(found, { before: "a.json", after: "b.json" }), /NaN|undefined/);
  const { failures, unknown } = judgeChange(found, parseConditions("ratio<0.95"));
  assert.equal([failures.length, unknown.length], [0, 1]);
});

changes("an invalid cell is not compared, and the reason is told with its side", () => {
  const found = change(withCell(before, "pool", 100, errorStorm));
  const cell = found.cells.find(({ core, concurrency }) => core === "pool" && concurrency === 100)!;
  assert.ok(Object.values(cell.byMetric).every((difference) => difference === null));
  assert.match(
    changeAnswer(found).join("\n"),
    /At c=100 the ratio of the pool to the reactor is not compared \(pool after: 1,800 of 2,000 requests failed/,
  );
});

changes("the larger noise floor of the two counts", () => {
  const control = { name: "reactor again", of: "reactor" };
  const after = sweepOf(100_000, 76_500, 2, { control });
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
  assert.is(text.split("\n").filter((row) => /^\| pool ÷ reactor, c=\d+ +\|/.test(row)).length, 4);
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
  [
    "another method",
    sweepOf(1, 1, 1, {
      traffic: {
        schema: "loopool-requests/1",
        headers: {},
        requests: [{ name: "POST /", weight: 1, method: "POST", path: "/", headers: {} }],
      },
    }),
    /did not measure the same: GET \/, then POST \/, or not with the same bodies/,
  ],
  ["other requests", sweepOf(1, 1, 1, { requests: 50 }), /requests 100, then 50/],
  ["no keep-alive", sweepOf(1, 1, 1, { keepAlive: false }), /keepAlive true, then false/],
  [
    "other CPUs",
    sweepOf(1, 1, 1, { pinning: { server: null, generator: null, reason: "" } }),
    /--pin 0:1, then none:none/,
  ],
];

changes("evenly spaced arrivals are not compared with random ones", () => {
  const openLoop = { shares: null, rates: [{ concurrency: 10, requestsPerSecond: 100 }], seconds: 1 };
  const even = sweepOf(1, 1, 1, { openLoop, concurrencies: [10] });
  const random = sweepOf(1, 1, 1, { openLoop: { ...openLoop, arrivals: "poisson" }, concurrencies: [10] });
  assert.throws(
    () => changeBetween({ file: "a.json", sweep: even }, { file: "b.json", sweep: random }),
    /did not measure the same: --arrivals even, then --arrivals poisson; run both with the same --arrivals and --ramp/,
  );
});

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
  assert.match(failures[0]!, /^ratio<0\.95: pool ÷ reactor at c=10 is 0\.\d\d \[/);
  assert.equal(unknown, []);
  assert.equal(judgeChange(slower, parseConditions("ratio<0.5")).failures, []);
  assert.equal(judgeChange(slower, parseConditions("ratio>1.05")).failures, []);
});

function withSlowPool(factor: number): SweepResult {
  return sweepOf(100_000, 90_000 * factor, 2);
}

failing("an interval that holds the limit is undecided, on either side of it, and one that misses it passes", () => {
  const slower = change(withSlowPool(0.85));
  const { ratio, interval } = slower.cells[1]!.byMetric.requestsPerSecond!;
  for (const limit of [(ratio + interval!.low) / 2, (ratio + interval!.high) / 2]) {
    const { failures, unknown } = judgeChange(slower, parseConditions(`ratio<${limit.toFixed(6)}`));
    assert.ok(!failures.some((text) => text.includes("at c=10 ")));
    assert.match(unknown[0]!, /pool ÷ reactor at c=10 is undecided: 0\.\d\d \[.*\], the interval holds the limit$/);
  }
  assert.equal(judgeChange(slower, parseConditions("ratio<0.7")), { failures: [], unknown: [] });
});

failing("a ratio whose interval meets the limit, but which is within the noise floor, is undecided", () => {
  const found = change(withSlowPool(0.85));
  const cells = found.cells.map((cell) => ({
    ...cell,
    byMetric: {
      ...cell.byMetric,
      requestsPerSecond: cell.byMetric.requestsPerSecond && {
        ...cell.byMetric.requestsPerSecond,
        verdict: "none" as const,
        doubts: [{ code: "below-noise-floor", floor: 1.3 } as const],
      },
    },
  }));
  const { failures, unknown } = judgeChange({ ...found, cells }, parseConditions("ratio<0.95"));
  assert.equal([failures.length, unknown.length], [0, 4]);
  assert.match(unknown[0]!, /within the noise floor of/);
});

failing("a cell that is invalid or has too few trials is neither a pass nor a failure", () => {
  const invalid = judgeChange(change(withCell(before, "pool", 100, errorStorm)), parseConditions("ratio<0.95"));
  assert.ok(
    invalid.unknown.includes(
      "ratio<0.95: pool ÷ reactor at c=100 cannot be compared: a cell is invalid in one of the two, or has no value",
    ),
  );
  const few = sweepOf(100_000, 90_000, 1, { trials: 3 });
  assert.is(judgeChange(change(few, few), parseConditions("ratio<0.95")).unknown.length, 4);
});

failing.run();
