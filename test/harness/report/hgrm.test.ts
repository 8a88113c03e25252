import { build } from "hdr-histogram-js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../src/harness/load/histogram/histogram.js";
import { hgrmOf } from "../../../src/harness/report/hgrm.js";
import { seededRandom } from "../../../src/harness/statistics/random.js";

const test = suite("hgrm");

/** Latencies between 2 µs and some seconds with a long tail, ns. */
function latencies(count: number): readonly number[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => Math.floor(2000 + 50_000 * (1 / (1 - random())) ** 1.3));
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

interface Row {
  readonly valueMs: number;
  readonly share: number;
  readonly count: number;
  /** NaN where the row has none: the one of 100%. */
  readonly inverse: number;
}

/** As HdrHistogram's plotter reads a file (plotFiles.html): lines that do not begin with "#", columns between blanks, numbers. */
function rowsOf(hgrm: string): readonly Row[] {
  return hgrm
    .split("\n")
    .map((line) => line.trim().split(/ +/).map(Number.parseFloat))
    .filter(([value]) => !Number.isNaN(value))
    .map(([valueMs = 0, share = 0, count = 0, inverse = Number.NaN]) => ({ valueMs, share, count, inverse }));
}

/** The largest of the lowest `share` of the values. */
const exact = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)]!;

test("values, percentiles and counts are those of the values themselves, to three significant digits", () => {
  const values = latencies(20_000);
  const sorted = values.toSorted((a, b) => a - b);
  const rows = rowsOf(hgrmOf(histogramOf(values)));
  assert.ok(rows.length > 60);
  for (const { valueMs, share, count, inverse } of rows) {
    const value = valueMs * 1e6;
    assert.ok(value >= exact(sorted, share) - 0.5, `${share}`);
    assert.ok(count >= share * values.length - 1e-6);
    assert.is(count, values.filter((other) => other <= value + 0.5).length, "all values up to the one in the row");
    if (share < 1) assert.ok(Math.abs(inverse * (1 - share) - 1) < 0.005, `${inverse} at ${share}`);
  }
  assert.ok(rows.every(({ valueMs }, index) => index === 0 || valueMs >= rows[index - 1]!.valueMs));
});

test("the rows are those that HdrHistogram's own port to JavaScript writes", () => {
  const values = latencies(50_000);
  const reference = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3.6e12,
    numberOfSignificantValueDigits: 3,
  });
  for (const value of values) reference.recordValue(value);
  // In ns and without decimals.
  const expected = rowsOf(reference.outputPercentileDistribution(5, 1));
  const rows = rowsOf(hgrmOf(histogramOf(values)));
  assert.is(rows.length, expected.length);
  const largest = Math.max(...values);
  for (const [index, row] of rows.entries()) {
    const { valueMs, share, count } = expected[index]!;
    assert.ok(Math.abs(row.share - share) < 2e-12, "twelve decimals, halves rounded up or down");
    assert.is(row.count, count);
    assert.is(Math.round(row.valueMs * 1e6), Math.min(largest, valueMs), "ours never exceeds what was recorded");
  }
});

test("header and footer are those that its tools look for", () => {
  const lines = hgrmOf(histogramOf([1_000_000, 3_000_000])).split("\n");
  assert.is(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
  assert.equal(lines.slice(2), [
    "    1.000447 0.000000000000          1           1.00",
    "    1.000447 0.100000000000          1           1.11",
    "    1.000447 0.200000000000          1           1.25",
    "    1.000447 0.300000000000          1           1.43",
    "    1.000447 0.400000000000          1           1.67",
    "    1.000447 0.500000000000          1           2.00",
    "    3.000000 0.550000000000          2           2.22",
    "    3.000000 1.000000000000          2",
    "#[Mean    =     2.000000, StdDeviation   =     1.414214]",
    "#[Max     =     3.000000, Total count    =            2]",
    "#[Buckets =           32, SubBuckets     =         2048]",
    "",
  ]);
});

test("a histogram without values has no rows", () => {
  assert.equal(rowsOf(hgrmOf(new Histogram())), []);
  assert.match(hgrmOf(new Histogram()), /Total count {4}= {12}0\]/);
});

test.run();
