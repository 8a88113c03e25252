import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  costAt,
  missingPoints,
  pathOf,
  planPoints,
  positionOf,
  roundCost,
  sweepPlanOf,
} from "../../../src/harness/break-even/plan.js";
import type { BreakEvenTrial, CostPoint } from "../../../src/harness/break-even/result.js";
import { smallPlan } from "./fixture.js";

const plan = smallPlan();
const place = ({ serverCpus, concurrency, rate, costMicros }: CostPoint): string =>
  [serverCpus, concurrency, rate, costMicros].join("/");

const test = suite("break-even plan");

test("a block holds every core at every point once, directly after one another", () => {
  const planned = planPoints(plan);
  assert.is(planned.length, 6 * 8 * 2);
  for (let block = 0; block < 6; block++) {
    const own = planned.slice(16 * block, 16 * (block + 1));
    assert.ok(own.every((trial) => trial.block === block));
    assert.is(new Set(own.map((trial) => `${place(trial)} ${trial.core}`)).size, 16);
    for (let pair = 0; pair < 16; pair += 2) assert.is(place(own[pair]!), place(own[pair + 1]!));
  }
});

test("every second block takes the cores of a point in the reverse order, and the seed decides it", () => {
  const orders = (block: number): ReadonlyMap<string, string> => {
    const own = planPoints(plan).filter((trial) => trial.block === block);
    return new Map(
      [...new Set(own.map(place))].map((at) => [
        at,
        own
          .filter((trial) => place(trial) === at)
          .map(({ core }) => core)
          .join(),
      ]),
    );
  };
  for (const [at, order] of orders(0))
    assert.is(orders(1).get(at), order === "reactor,pool" ? "pool,reactor" : "reactor,pool");
  assert.equal(planPoints(plan), planPoints(smallPlan()));
  assert.not.equal(planPoints(plan), planPoints(smallPlan({ seed: 2 })));
});

test("what is missing is what has no result, also in a second pass of the same costs", () => {
  const [pass] = plan.passes;
  const two = { ...plan, passes: [pass!, { ...pass!, kind: "refined" as const, blocks: 1 }] };
  const planned = planPoints(two);
  const finished = planned
    .slice(0, 100)
    .map((trial): BreakEvenTrial => ({ ...trial, startedAt: "", run: null, server: null, failure: "x" }));
  assert.equal(missingPoints(two, finished), planned.slice(100));
  assert.is(planned.length, 96 + 16);
  assert.equal(planned.slice(0, 96), planPoints(plan), "a second pass leaves the first as it was");
});

test("costs lie on an axis with 0 on it, and back", () => {
  assert.is(positionOf(0), 0);
  for (const cost of [0, 1, 38, 20_000]) assert.ok(Math.abs(costAt(positionOf(cost)) - cost) < 1e-9 * (1 + cost));
  assert.equal([3.1623, 74.2, 2512].map(roundCost), [3.2, 74, 2500]);
});

test("a trial sends what one CPU serves in the window, one request per connection at least, more where it waits", () => {
  const point = { serverCpus: 1, concurrency: 100, rate: null, costMicros: 20_000 };
  const long = { ...plan, windowSeconds: 0.5 };
  assert.is(sweepPlanOf(long, point, 6).requests, 100);
  assert.ok(sweepPlanOf(long, { ...point, costMicros: 0 }, 6).requests > 5000);
  const waiting = { ...plan, windowSeconds: 0.1, handler: { waitMs: 50, slowShare: null } };
  assert.is(sweepPlanOf(waiting, { ...point, costMicros: 10 }, 6).requests, 400);
  assert.is(sweepPlanOf(waiting, point, 6).requests, 100, "the CPU keeps them apart");
  const { path, workers, pinning, openLoop } = sweepPlanOf(plan, { ...point, serverCpus: 2, rate: 50 }, 6);
  assert.equal([path, workers, pinning.server], ["/cpu?us=20000", 2, "0,1"]);
  assert.equal(openLoop, { shares: null, rates: [{ concurrency: 100, requestsPerSecond: 50 }], seconds: 1 });
});

test("at a rate the costs are those that the CPUs can serve", () => {
  const { points } = smallPlan({ rate: 500 }).passes[0]!;
  const at = (cpus: number): readonly number[] =>
    points.filter(({ rate, serverCpus }) => rate !== null && serverCpus === cpus).map(({ costMicros }) => costMicros);
  assert.equal(
    [at(1), at(2)],
    [
      [0, 30, 300],
      [0, 30, 300, 3000],
    ],
  );
  const { points: mixed } = smallPlan({ rate: 500, handler: { waitMs: 0, slowShare: 0.1 } }).passes[0]!;
  assert.is(mixed.filter(({ rate }) => rate !== null).length, 8, "of a mixture the mean counts");
});

test("the path says what a request does", () => {
  assert.is(pathOf({ waitMs: 0, slowShare: null }, 7.4), "/cpu?us=7.4");
  assert.is(pathOf({ waitMs: 10, slowShare: null }, 5), "/cpu?us=5&ms=10");
  assert.is(pathOf({ waitMs: 0, slowShare: 0.05 }, 5), "/mixed?slow=0.05&us=5");
});

test.run();
