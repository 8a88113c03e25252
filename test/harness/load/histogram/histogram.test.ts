import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compressed, Histogram, mergedHistogram } from "../../../../src/harness/load/histogram/histogram.js";
import { seededRandom } from "../../../../src/harness/statistics/random.js";

/** Latencies from 0.1 µs to minutes, log-uniform. */
function samples(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.floor(100 * 10 ** (random() * 8.5)));
}

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

const test = suite("histogram");

test("an empty one answers 0 to everything", () => {
  const { count, min, max, mean, standardDeviation } = new Histogram();
  assert.equal([count, min, max, mean, standardDeviation], [0, 0, 0, 0, 0]);
  assert.is(new Histogram().valueAtPercentile(99), 0);
});

test("percentiles are within a thousandth of the sorted values, from nanoseconds to minutes", () => {
  const values = samples(3, 50_000);
  const histogram = filled(values);
  const sorted = [...values].sort((a, b) => a - b);
  for (const percentile of [0, 1, 10, 25, 50, 66, 75, 90, 95, 99, 99.9, 99.99, 100]) {
    const exact = sorted[Math.max(1, Math.ceil((percentile * sorted.length) / 100)) - 1]!;
    const found = histogram.valueAtPercentile(percentile);
    assert.ok(found >= exact && found <= exact * 1.001 + 1, `p${percentile}: ${found} for ${exact}`);
  }
  assert.is(histogram.valueAtPercentile(100), sorted.at(-1));
});

test("mean and standard deviation are exact", () => {
  // Values and results of the worked example in Wikipedia's "Standard deviation" (2, 4, 4, 4, 5, 5, 7, 9; sample form).
  const histogram = filled([2, 4, 4, 4, 5, 5, 7, 9]);
  assert.is(histogram.mean, 5);
  assert.ok(Math.abs(histogram.standardDeviation - Math.sqrt(32 / 7)) < 1e-12);
  assert.equal([histogram.min, histogram.max, histogram.count], [2, 9, 8]);
});

test("cells at the edges of every doubling hold their own values", () => {
  for (let power = 0; power < 41; power++) {
    for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
      const histogram = filled([value, 3600e9]);
      const found = histogram.valueAtPercentile(50);
      assert.ok(found >= value && found <= value * 1.001, `${value}: ${found}`);
    }
  }
});

test("what is over an hour counts as an hour, what is below zero as zero", () => {
  const histogram = filled([1e15, -1, Number.POSITIVE_INFINITY]);
  assert.equal([histogram.count, histogram.min, histogram.max], [3, 0, 3600e9]);
  assert.is(histogram.valueAtPercentile(50), 3600e9);
});

test("a rank that is a whole number is not pushed up by rounding", () => {
  // 0.999 × 1000 and 0.29 × 1000 are a little more or less in doubles.
  const histogram = filled(Array.from({ length: 1000 }, (_, index) => index + 1));
  assert.equal(
    [0.1, 29, 99.9].map((percentile) => histogram.valueAtPercentile(percentile)),
    [1, 290, 999],
  );
});

test("a stored histogram whose counts contradict each other is refused", () => {
  const stored = filled([1, 2, 3]).toStored();
  assert.throws(() => Histogram.fromStored({ ...stored, count: 4 }), /hold 3 values, it announces 4/);
  assert.throws(
    () => Histogram.fromStored({ ...stored, counts: [1, 1, 1, 2] }),
    /no cell 1 with count 2 behind cell 1/,
  );
  assert.throws(() => Histogram.fromStored({ ...stored, min: 2 }), /do not go from 2 to 3/);
  assert.throws(() => Histogram.fromStored({ ...stored, max: 4 }), /do not go from 1 to 4/);
  assert.throws(() => Histogram.fromStored({ ...stored, counts: [-1, 3] }), /no cell -1/);
  assert.throws(() => Histogram.fromStored({ ...stored, counts: [1, 1, 2] }), /no cell 2 with count 0/);
});

test("two merged halves equal the whole", () => {
  const values = samples(9, 10_000);
  const merged = filled(values.slice(0, 3000));
  merged.merge(filled(values.slice(3000)));
  const whole = filled(values).toStored();
  assert.equal({ ...merged.toStored(), squaredDeviations: 0 }, { ...whole, squaredDeviations: 0 });
  assert.ok(
    Math.abs(merged.toStored().squaredDeviations! / whole.squaredDeviations! - 1) < 1e-12,
    "only the order of additions differs",
  );
});

test("stored as JSON and read again it is the same", () => {
  const stored = filled(samples(5, 10_000)).toStored();
  for (const histogram of [stored, new Histogram().toStored()]) {
    assert.equal(Histogram.fromStored(JSON.parse(JSON.stringify(histogram))).toStored(), histogram);
    assert.equal(Histogram.fromStored(JSON.parse(JSON.stringify(compressed(histogram)))).toStored(), histogram);
  }
});

test("what was recorded since a copy is a histogram of just that", () => {
  const before = samples(11, 5000);
  const after = samples(12, 3000);
  const histogram = filled(before);
  const copy = new Histogram();
  copy.copyFrom(histogram);
  assert.equal(copy.toStored(), histogram.toStored());
  assert.equal(histogram.since(copy), new Histogram().toStored());
  for (const value of after) histogram.record(value);
  const since = histogram.since(copy);
  const alone = filled(after).toStored();
  assert.equal([since.count, since.counts], [alone.count, alone.counts]);
  assert.ok(Math.abs(since.sum / alone.sum - 1) < 1e-9);
  assert.ok(since.min <= alone.min && since.min >= alone.min * 0.999 - 1, `${since.min} for ${alone.min}`);
  assert.ok(since.max >= alone.max && since.max <= alone.max * 1.001 + 1, `${since.max} for ${alone.max}`);
});

test("several stored ones merge into what one would have recorded", () => {
  const partials = [samples(21, 4000), samples(22, 10), []];
  const merged = Histogram.fromStored(mergedHistogram(partials.map((values) => filled(values).toStored()))).toStored();
  const whole = filled(partials.flat()).toStored();
  assert.equal({ ...merged, squaredDeviations: 0 }, { ...whole, squaredDeviations: 0 });
});

test("a deviation of a microsecond about a second is not lost, whole, in parts, stored, or after a first value far away", () => {
  const second = 1e9;
  const values = Array.from({ length: 1000 }, (_, index) => second + (index % 2 === 0 ? 1000 : -1000));
  const exact = 1000 * Math.sqrt(1000 / 999);
  const near = (found: number, wanted: number): void => assert.ok(Math.abs(found / wanted - 1) < 1e-9, `${found}`);
  near(filled(values).standardDeviation, exact);
  const parts = Array.from({ length: 10 }, (_, part) => filled(values.slice(100 * part, 100 * (part + 1))).toStored());
  near(Histogram.fromStored(mergedHistogram(parts)).standardDeviation, exact);
  near(
    Histogram.fromStored(JSON.parse(JSON.stringify(compressed(parts[0]!)))).standardDeviation,
    1000 * Math.sqrt(100 / 99),
  );
  const slow = filled([5 * second, ...values]);
  near(slow.standardDeviation, Math.sqrt((1000 * 1000 ** 2 + (16e18 * 1000) / 1001) / 1000));
  const copy = new Histogram();
  copy.copyFrom(filled(values.slice(0, 500)));
  const both = filled(values.slice(0, 500));
  for (const value of values.slice(500)) both.record(value);
  near(Math.sqrt(both.since(copy).squaredDeviations! / 499), 1000 * Math.sqrt(500 / 499));
});

test("what an older version stored is read: its sum of squares gives the deviation", () => {
  const { squaredDeviations: _, ...stored } = filled([2, 4, 4, 4, 5, 5, 7, 9]).toStored();
  const old = Histogram.fromStored({ ...stored, sumOfSquares: 232 });
  assert.ok(Math.abs(old.standardDeviation - Math.sqrt(32 / 7)) < 1e-12);
  const both = Histogram.fromStored({ ...stored, sumOfSquares: 232 });
  both.merge(filled([2, 4, 4, 4, 5, 5, 7, 9]));
  assert.ok(Math.abs(both.standardDeviation - Math.sqrt(64 / 15)) < 1e-12);
});

test("the deviation is that of a sample: of two values it is known, of one it is 0", () => {
  const histogram = new Histogram();
  histogram.record(1000);
  assert.is(histogram.standardDeviation, 0);
  histogram.record(3000);
  assert.equal([histogram.mean, Math.round(histogram.standardDeviation)], [2000, 1414]);
});

test.run();
