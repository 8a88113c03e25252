import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compare } from "../../../src/harness/report/comparison.js";
import { checkKinds, judgeRun, judgeSweep, parseLimits } from "../../../src/harness/report/limits.js";
import { errorStorm, ownRun, plausibleSweep, withCell } from "./fixture.js";

const test = suite("limits of one run and one sweep");

test("what can be written", () => {
  assert.equal(
    parseLimits("p99>50ms, errors>0,p99.9[GET /a,b]>=1.5s,mean<200us,errors>1%,rate<500").map(
      ({ metric, kind, compare, value }) => [metric.name, kind, compare, value],
    ),
    [
      ["percentile", null, ">", 50],
      ["errors", null, ">", 0],
      ["percentile", "GET /a,b", ">=", 1500],
      ["mean", null, "<", 0.2],
      ["error-share", null, ">", 0.01],
      ["rate", null, "<", 500],
    ],
  );
  for (const wrong of [
    "",
    "p99>50",
    "p99",
    "p999>5ms",
    "errors>5ms",
    "rate<5%",
    "latency>5ms",
    "p99>fast",
    "p0>1ms",
    "p99>1ms,",
  ]) {
    assert.throws(() => parseLimits(wrong), /--fail-if must be like 'p99>50ms'/, wrong);
  }
});

test("a kind that is not sent is a mistake", () => {
  const limits = parseLimits("p99[GET /x]>1ms");
  checkKinds(limits, ["GET /y", "GET /x"]);
  assert.throws(() => checkKinds(limits, ["GET /y"]), /no kind of request has that name; there are GET \/y/);
});

const sweep = plausibleSweep({
  rates: { reactor: 10_000, pool: 5000 },
  plan: { trials: 8, concurrencies: [10], requests: 500 },
});
const run = ownRun(sweep.trials[0]!);

test("a run is judged by what it found, of all requests and of one kind", () => {
  const kinds = [
    { ...run, name: "GET /a", total: run.latency.total },
    { ...run, name: "GET /b", completed: run.sent - 3, total: run.latency.total },
  ];
  const mixed = { ...run, kinds };
  const judge = (text: string) => judgeRun(mixed, parseLimits(text));
  assert.equal(judge("p99>60s,errors>0,errors[GET /a]>0,rate<1"), { failures: [], unknown: [] });
  const { failures, unknown } = judge("p50>0.0001ms,errors[GET /b]>2,errors[GET /b]>3,rate<1000000");
  assert.equal([failures.length, unknown], [3, []]);
  assert.match(failures[0]!, /^p50>0\.0001ms: it was [\d.]+ ms$/);
  assert.is(failures[1], "errors[GET /b]>2: it was 3.00");
});

test("a sweep: the whole interval of a median crosses a limit, or none of it does, or that is not decided", () => {
  const comparison = compare(sweep);
  const interval = comparison.levels[0]!.cells[1]!.estimates.requestsPerSecond.interval!;
  const inside = ((interval.low + interval.high) / 2).toFixed(3);
  const judge = (text: string) => judgeSweep(comparison, parseLimits(text));
  assert.equal(judge("rate<1000,errors>0"), { failures: [], unknown: [] });
  const crossed = judge("rate<7000");
  assert.equal([crossed.failures.length, crossed.unknown], [1, []]);
  assert.match(
    crossed.failures[0]!,
    /^rate<7000: pool at c=10 is [\d,.]+ requests\/s \[[\d,.]+ requests\/s – [\d,.]+ requests\/s\]$/,
  );
  const held = judge(`rate<${inside}`);
  assert.is(held.failures.length, 0);
  assert.match(held.unknown.join(), /the interval holds the limit$/);
});

test("few trials decide nothing, and errors are counted in any cell", () => {
  const few = compare(
    plausibleSweep({ rates: { reactor: 10_000 }, plan: { trials: 4, concurrencies: [10], requests: 500 } }),
  );
  assert.match(judgeSweep(few, parseLimits("p99>1us")).unknown.join(), /too few trials for an interval/);
  const failing = compare(withCell(sweep, "pool", 10, errorStorm));
  const { failures, unknown } = judgeSweep(failing, parseLimits("errors>0,p99>60s"));
  assert.match(failures.join(), /^errors>0: pool at c=10 was [\d,.]+ in a trial$/);
  assert.match(unknown.join(), /^p99>60s: pool at c=10 is invalid/);
});

test.run();
