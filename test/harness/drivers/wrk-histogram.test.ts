import { suite } from "uvu";
import * as assert from "uvu/assert";
import { asRecorded, type Counts } from "../../../src/harness/drivers/wrk-histogram.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";

const test = suite("wrk's histogram");

const countOf = (counts: Counts): number => counts.reduce((sum, [, count]) => sum + count, 0);

/** What wrk does to its histogram before it prints: for each value from 2 × expected on, one more at every multiple below it. */
function corrected(counts: Counts, expected: number): Counts {
  const data = new Map(counts);
  const largest = Math.max(...data.keys());
  for (let value = expected * 2; value <= largest; value++) {
    const count = data.get(value) ?? 0;
    for (let below = value - expected; count > 0 && below > expected; below -= expected) {
      data.set(below, (data.get(below) ?? 0) + count);
    }
  }
  return [...data].sort(([a], [b]) => a - b);
}

function randomCounts(seed: number): Counts {
  const random = seededRandom(seed);
  const data = new Map<number, number>();
  for (let i = 0; i < 300; i++) {
    // Most near 100 µs, some up to a hundred times that.
    const value = Math.floor(50 + 100 * random() ** 2 + (random() < 0.1 ? 10_000 * random() : 0));
    data.set(value, (data.get(value) ?? 0) + 1 + Math.floor(5 * random()));
  }
  return [...data].sort(([a], [b]) => a - b);
}

test("what wrk added is taken back exactly", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const counts = randomCounts(seed);
    const expected = 60 + seed;
    const added = corrected(counts, expected);
    assert.ok(countOf(added) > countOf(counts));
    assert.equal(asRecorded(added, expected, countOf(counts)), counts);
  }
});

test("a histogram to which nothing was added stays as it is", () => {
  const counts = randomCounts(7);
  assert.is(asRecorded(counts, 10, countOf(counts)), counts);
});

test("one that does not come out at wrk's own count is not used", () => {
  const counts = randomCounts(3);
  const added = corrected(counts, 100);
  assert.is(asRecorded(added, 100, countOf(counts) - 1), null);
  assert.is(asRecorded(added, 90, countOf(counts)), null, "with another expected latency");
  assert.is(asRecorded(counts, 0, countOf(counts) + 1), null);
});

test.run();
