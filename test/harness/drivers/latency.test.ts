import { suite } from "uvu";
import * as assert from "uvu/assert";
import { latencyOf, meanGrainOf, meanOf } from "../../../src/harness/drivers/latency.js";
import type { ToolPercentiles } from "../../../src/harness/drivers/result.js";
import { Histogram } from "../../../src/harness/load/histogram/histogram.js";

const test = suite("latencies, whatever they are stored as");

const points: ToolPercentiles = {
  unit: "ns",
  count: 7,
  min: null,
  max: 9000,
  mean: 4000,
  standardDeviation: null,
  percentiles: [
    [50, 3000],
    [99, 8000],
  ],
  resolutionMicros: 1,
  meanResolutionMicros: 10,
};

test("a histogram is read as one", () => {
  const histogram = new Histogram();
  for (const value of [100, 200, 600]) histogram.record(value);
  const stored = histogram.toStored();
  const found = latencyOf(stored);
  assert.equal([found.count, found.min, found.max, found.mean, found.valueAtPercentile(50)], [3, 100, 600, 300, 200]);
  assert.equal([meanOf(stored), meanGrainOf(stored)], [300, 0]);
  assert.is(meanGrainOf({ ...stored, resolutionMicros: 1 }), 1000);
});

test("of a list of points only the points are known", () => {
  const found = latencyOf(points);
  assert.equal([found.count, found.max, found.mean], [7, 9000, 4000]);
  assert.equal([found.valueAtPercentile(50), found.valueAtPercentile(99)], [3000, 8000]);
  for (const unknown of [found.min, found.standardDeviation, found.valueAtPercentile(90)]) {
    assert.ok(Number.isNaN(unknown));
  }
  assert.equal([meanOf(points), meanGrainOf(points)], [4000, 10_000]);
});

test("of none nothing is known", () => {
  const { count, min, max, mean, standardDeviation, valueAtPercentile } = latencyOf(null);
  for (const value of [
    count,
    min,
    max,
    mean,
    standardDeviation,
    valueAtPercentile(50),
    meanOf(null),
    meanGrainOf(null),
  ]) {
    assert.ok(Number.isNaN(value));
  }
});

test.run();
