import { suite } from "uvu";
import * as assert from "uvu/assert";
import { median, medianInterval } from "../../../src/harness/statistics/median.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => n - index);

const medians = suite("median");

medians(
  "the median of an odd number of values is the middle one, of an even number the mean of the two in the middle",
  () => {
    assert.is(median([9, 1, 5]), 5);
    assert.is(median([10, 1, 2, 7]), 4.5);
    assert.is(median([3]), 3);
    assert.ok(Number.isNaN(median([])));
  },
);

medians("values are compared as numbers and the argument keeps its order", () => {
  const values = [100, 9, 20];
  assert.is(median(values), 20);
  assert.equal(values, [100, 9, 20]);
});

medians.run();

const intervals = suite("interval of the median");

intervals("ranks and coverages are those of the sign test's binomial table", () => {
  // Lower rank and exact coverage for n at 95%: Conover, table A3 (binomial, p = 0.5).
  const published: readonly (readonly [n: number, rank: number, coverage: number])[] = [
    [6, 1, 0.96875],
    [7, 1, 0.984375],
    [8, 1, 0.9921875],
    [9, 2, 0.9609375],
    [10, 2, 0.978515625],
    [11, 2, 0.98828125],
    [12, 3, 0.961425781],
    [15, 4, 0.96484375],
    [20, 6, 0.958610535],
    [25, 8, 0.956714749],
  ];
  for (const [n, rank, coverage] of published) {
    const interval = medianInterval(upTo(n));
    assert.is(interval?.low, rank, `lower rank of ${n}`);
    assert.is(interval?.high, n - rank + 1, `upper rank of ${n}`);
    assert.ok(Math.abs((interval?.level ?? 0) - coverage) < 1e-8, `coverage of ${n}: ${interval?.level}`);
  }
});

intervals("fewer values than the level needs give no interval", () => {
  for (const n of [0, 1, 2, 5]) assert.is(medianInterval(upTo(n)), null, `${n} values at 95%`);
  assert.is(medianInterval(upTo(7), 0.99), null);
  assert.is(medianInterval(upTo(8), 0.99)?.low, 1);
});

intervals("the interval holds the true median as often as it says, whatever the distribution", () => {
  const random = seededRandom(11);
  const trueMedian = Math.LN2;
  let held = 0;
  for (let experiment = 0; experiment < 4000; experiment++) {
    const interval = medianInterval(Array.from({ length: 9 }, () => -Math.log(1 - random())));
    if (interval !== null && interval.low <= trueMedian && trueMedian <= interval.high) held++;
  }
  assert.ok(Math.abs(held / 4000 - 0.961) < 0.012, `${held / 4000}`);
});

intervals.run();
