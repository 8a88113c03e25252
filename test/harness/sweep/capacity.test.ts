import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ratesFromCapacity } from "../../../src/harness/sweep/capacity.js";
import type { SweepPlan } from "../../../src/harness/sweep/result.js";
import { plausibleSweep, withCell } from "../report/fixture.js";

const test = suite("rates from the capacity");

const auto = { shares: [0.5, 0.9], rates: [], seconds: 1 };
const sweep = plausibleSweep({
  rates: { a: 20_000, b: 10_000 },
  noise: 0,
  plan: { concurrencies: [10, 100], openLoop: auto },
});

test("are shares of what the slowest core served, rounded to two digits", () => {
  const next = ratesFromCapacity(sweep, 0) as SweepPlan;
  assert.equal(
    next.openLoop?.rates.map(({ concurrency }) => concurrency),
    [10, 10, 100, 100],
  );
  for (const [index, { requestsPerSecond }] of next.openLoop!.rates.entries()) {
    // The sweep drifts by 5% from block to block; its median does not drift as far.
    const expected = 10_000 * auto.shares[index % 2]!;
    assert.ok(Math.abs(requestsPerSecond / expected - 1) < 0.06, `${requestsPerSecond} for ${expected}`);
    assert.is(requestsPerSecond, Number(requestsPerSecond.toPrecision(2)));
  }
});

test("are found once", () => {
  assert.is(ratesFromCapacity({ ...sweep, plan: ratesFromCapacity(sweep, 0) as SweepPlan }, 0), null);
});

test("are not asked for where no rate was, or where it was given", () => {
  const { openLoop: _, ...closed } = sweep.plan;
  assert.is(ratesFromCapacity({ ...sweep, plan: closed }, 0), null);
  const rates = [{ concurrency: 10, requestsPerSecond: 100 }];
  assert.is(
    ratesFromCapacity({ ...sweep, plan: { ...sweep.plan, openLoop: { ...auto, shares: null, rates } } }, 0),
    null,
  );
});

test("leave out a concurrency at which a core served nothing", () => {
  const broken = withCell(sweep, "b", 100, () => ({ run: null, server: null, failure: "it did not start" }));
  assert.equal(
    (ratesFromCapacity(broken, 0) as SweepPlan).openLoop?.rates.map(({ concurrency }) => concurrency),
    [10, 10],
  );
});

test.run();
