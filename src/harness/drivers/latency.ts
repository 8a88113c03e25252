import { Histogram, isHistogram, type StoredHistogram } from "../load/histogram/histogram.js";
import type { ToolLatency } from "./result.js";

/** Latencies in ns, whatever they are stored as; NaN for what the generator did not tell. */
export interface Latency {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly standardDeviation: number;
  valueAtPercentile(percentile: number): number;
}

type Stored = StoredHistogram | ToolLatency | null;

/** Throws a RangeError where a histogram's counts contradict each other. */
export function latencyOf(stored: Stored): Latency {
  if (isHistogram(stored)) return Histogram.fromStored(stored);
  const points = new Map(stored?.percentiles);
  return {
    count: stored?.count ?? Number.NaN,
    min: stored?.min ?? Number.NaN,
    max: stored?.max ?? Number.NaN,
    mean: stored?.mean ?? Number.NaN,
    standardDeviation: stored?.standardDeviation ?? Number.NaN,
    valueAtPercentile: (percentile) => points.get(percentile) ?? Number.NaN,
  };
}

/** Arithmetic mean, ns, without reading a whole histogram; NaN where it is not reported or there are no values. */
export function meanOf(stored: Stored): number {
  if (stored === null) return Number.NaN;
  return isHistogram(stored) ? stored.sum / stored.count : (stored.mean ?? Number.NaN);
}

/** By how much the mean may be off for the grain of the tool's clock or of its report, ns; our own has none that matters. */
export function meanGrainOf(stored: Stored): number {
  if (stored === null) return Number.NaN;
  if ("meanResolutionMicros" in stored) return stored.meanResolutionMicros * 1000;
  return "resolutionMicros" in stored ? stored.resolutionMicros * 1000 : 0;
}
