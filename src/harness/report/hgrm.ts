import type { Histogram } from "../load/histogram/histogram.js";

/** Rows for each halving of the distance to 100%: the default of HdrHistogram's outputPercentileDistribution. */
const TICKS_PER_HALF_DISTANCE = 5;
const NS_PER_MS = 1e6;
/** What three significant digits up to an hour take in HdrHistogram's layout. */
const BUCKETS = 32;
const SUB_BUCKETS = 2048;

/** A row of a percentile distribution. */
export interface PercentileRow {
  /** Highest value of the histogram's cell, ns. */
  readonly valueNs: number;
  /** Share of the values that the row stands for, 0 to 1. */
  readonly share: number;
  /** Values up to this one. */
  readonly count: number;
}

/**
 * The percentile distribution of a histogram, in steps that halve with the distance to 100%: 0, 10, 20 … 50, 55 … 75, 77.5 …%, up to the
 * largest value, and then 100%. No rows for an empty histogram.
 *
 * Source: PercentileIterator of HdrHistogram (Gil Tene), https://github.com/HdrHistogram/HdrHistogram.
 */
export function percentileRows(histogram: Histogram): readonly PercentileRow[] {
  const { count, counts } = histogram.toStored();
  const rows: PercentileRow[] = [];
  let percentile = 0;
  let upTo = 0;
  for (let i = 1; i < counts.length; i += 2) {
    upTo += counts[i]!;
    const reached = (100 * upTo) / count;
    if (reached < percentile) continue;
    const valueNs = histogram.valueAtPercentile(reached);
    while (reached >= percentile) {
      rows.push({ valueNs, share: percentile / 100, count: upTo });
      percentile += 100 / (TICKS_PER_HALF_DISTANCE * 2 ** (Math.floor(Math.log2(100 / (100 - percentile))) + 1));
      // Nothing lies beyond the last value: one row for it, then 100%.
      if (upTo === count) break;
    }
  }
  if (count > 0) rows.push({ valueNs: histogram.max, share: 1, count });
  return rows;
}

/**
 * A histogram in the text format of HdrHistogram's outputPercentileDistribution (.hgrm), which its plotter and its other tools read. Values
 * are in ms. They have six decimals where HdrHistogram has three, so that no nanosecond is lost. `of` says in a
 * comment at the end whose latencies they are.
 */
export function hgrmOf(histogram: Histogram, of?: string): string {
  const ms = (ns: number): string => (ns / NS_PER_MS).toFixed(6).padStart(12);
  const rows = percentileRows(histogram).map(({ valueNs, share, count }) => {
    const row = `${ms(valueNs)} ${share.toFixed(12)} ${String(count).padStart(10)}`;
    return share === 1 ? row : `${row} ${(1 / (1 - share)).toFixed(2).padStart(14)}`;
  });
  const whole = (value: number): string => String(value).padStart(12);
  return `${[
    "       Value     Percentile TotalCount 1/(1-Percentile)",
    "",
    ...rows,
    `#[Mean    = ${ms(histogram.mean)}, StdDeviation   = ${ms(histogram.standardDeviation)}]`,
    `#[Max     = ${ms(histogram.max)}, Total count    = ${whole(histogram.count)}]`,
    `#[Buckets = ${whole(BUCKETS)}, SubBuckets     = ${whole(SUB_BUCKETS)}]`,
    ...(of === undefined ? [] : [`#[Latencies of ${of}]`]),
  ].join("\n")}\n`;
}
