import { decodeV2, encodeV2 } from "./histogram-encoding.js";
import { CELLS, highestOf, indexOf, lowestOf, MAX_VALUE_NS } from "./histogram-layout.js";

/** What is exact in a stored histogram; all 0 when nothing was recorded. */
interface Summary {
  readonly significantDigits: 3;
  readonly unit: "ns";
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  /** Σ(value − mean)², ns²: exact but for rounding. Absent in what an older version stored. */
  readonly squaredDeviations?: number;
  /** Σ value², ns², in place of the former in older versions: with 1 s ± 1 µs nothing is left of the deviation. */
  readonly sumOfSquares?: number;
}

/** A whole histogram with its counts in the open: between threads, and in results of version 1. */
export interface SparseHistogram extends Summary {
  /** Index, count, index, count, … of the cells that are not empty, ascending. */
  readonly counts: readonly number[];
}

/** The same as results hold it: an eighth of the size. */
export interface CompressedHistogram extends Summary {
  /** The counts in HdrHistogram's compressed V2 encoding, base64. */
  readonly hdrHistogramV2: string;
}

/** A whole histogram as JSON: mergeable, nothing rounded beyond its own resolution. */
export type StoredHistogram = SparseHistogram | CompressedHistogram;

/**
 * Latencies in nanoseconds in a log-linear histogram with three significant digits: HdrHistogram's layout (Gil Tene,
 * http://hdrhistogram.org). Up to 2,047 ns every value has a cell of its own, from there on each doubling has 1,024 cells.
 * Recording allocates nothing; two histograms merge by adding their cells.
 */
export class Histogram {
  readonly #cells = new Float64Array(CELLS);
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #sum = 0;
  /** Near the values, so that the squares of distances from it do not cancel: the first value, or the mean of what was stored. */
  #origin = 0;
  /** Σ(value − origin)². */
  #squares = 0;

  /** Records one value; a fraction of a nanosecond is dropped, below 0 counts as 0 and over an hour as an hour. */
  record(valueNs: number): void {
    const value = valueNs < MAX_VALUE_NS ? Math.floor(Math.max(0, valueNs)) : MAX_VALUE_NS;
    this.#cells[indexOf(value)]! += 1;
    if (this.#count++ === 0) this.#origin = value;
    this.#sum += value;
    const distance = value - this.#origin;
    this.#squares += distance * distance;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** Adds all that another histogram has recorded. */
  merge(other: Histogram): void {
    if (other.#count === 0) return;
    for (let index = 0; index < CELLS; index++) this.#cells[index]! += other.#cells[index]!;
    if (this.#count === 0) this.#origin = other.#origin;
    const apart = other.mean - this.#origin;
    this.#squares += other.#squaredDeviations() + other.#count * apart * apart;
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** Becomes what the other is now. */
  copyFrom(other: Histogram): void {
    this.#cells.set(other.#cells);
    this.#count = other.#count;
    this.#min = other.#min;
    this.#max = other.#max;
    this.#sum = other.#sum;
    this.#origin = other.#origin;
    this.#squares = other.#squares;
  }

  get count(): number {
    return this.#count;
  }

  /** Smallest value, ns; 0 when empty. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** Largest value, ns; 0 when empty. */
  get max(): number {
    return this.#max;
  }

  /** Arithmetic mean, ns, from the exact sum; 0 when empty. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Sample standard deviation (n − 1), ns, as ab prints it; 0 for fewer than two values. */
  get standardDeviation(): number {
    return this.#count < 2 ? 0 : Math.sqrt(this.#squaredDeviations() / (this.#count - 1));
  }

  /**
   * Σ(value − mean)², from the squares about an origin near the values. Source: T. Chan, G. Golub and R. LeVeque, "Algorithms for computing the
   * sample variance", The American Statistician 37(3), 1983.
   */
  #squaredDeviations(): number {
    return squaredDeviations(this.#count, this.#sum, this.#origin, this.#squares);
  }

  /**
   * The smallest recorded magnitude, ns, that at least `percentile` per cent of the values do not exceed: the highest value
   * of its cell, as in HdrHistogram, and never more than the largest recorded. 0 when empty.
   */
  valueAtPercentile(percentile: number): number {
    if (this.#count === 0) return 0;
    const wanted = rankOf(percentile, this.#count);
    let seen = 0;
    for (let index = 0; index < CELLS; index++) {
      seen += this.#cells[index]!;
      if (seen >= wanted) return Math.max(this.#min, Math.min(this.#max, highestOf(index)));
    }
    return this.#max;
  }

  /**
   * The values recorded since `earlier` was copied from this one. Its smallest and its largest are the ends of their cells, which may
   * be a thousandth off; all else is exact.
   */
  since(earlier: Histogram): SparseHistogram {
    const counts: number[] = [];
    for (let index = 0; index < CELLS; index++) {
      const count = this.#cells[index]! - earlier.#cells[index]!;
      if (count > 0) counts.push(index, count);
    }
    const count = this.#count - earlier.#count;
    const sum = this.#sum - earlier.#sum;
    // A copy has the origin of what it was copied from, unless that was empty.
    const before = earlier.#count === 0 ? 0 : earlier.#squares;
    return {
      significantDigits: 3,
      unit: "ns",
      count,
      min: counts.length === 0 ? 0 : Math.max(this.#min, lowestOf(counts[0]!)),
      max: counts.length === 0 ? 0 : Math.min(this.#max, highestOf(counts.at(-2)!)),
      sum,
      squaredDeviations: squaredDeviations(count, sum, this.#origin, this.#squares - before),
      counts,
    };
  }

  toStored(): SparseHistogram {
    const counts: number[] = [];
    this.#cells.forEach((count, index) => {
      if (count > 0) counts.push(index, count);
    });
    return {
      significantDigits: 3,
      unit: "ns",
      count: this.#count,
      min: this.min,
      max: this.#max,
      sum: this.#sum,
      squaredDeviations: this.#squaredDeviations(),
      counts,
    };
  }

  /** The histogram that was stored. Throws a RangeError where its counts contradict each other: a damaged file must not become a figure. */
  static fromStored(stored: StoredHistogram): Histogram {
    const counts = countsOf(stored);
    const histogram = new Histogram();
    for (let i = 0; i < counts.length; i += 2) histogram.#cells[counts[i]!] = counts[i + 1]!;
    histogram.#count = stored.count;
    histogram.#sum = stored.sum;
    if (stored.squaredDeviations === undefined) {
      histogram.#squares = stored.sumOfSquares ?? 0;
    } else {
      histogram.#origin = histogram.mean;
      histogram.#squares = stored.squaredDeviations;
    }
    histogram.#min = stored.count === 0 ? Number.POSITIVE_INFINITY : stored.min;
    histogram.#max = stored.max;
    return histogram;
  }
}

function squaredDeviations(count: number, sum: number, origin: number, squares: number): number {
  const beyond = sum - count * origin;
  return count === 0 ? 0 : Math.max(0, squares - (beyond * beyond) / count);
}

/** The rank from 1, of `count` values in order, that `percentile` per cent of them do not exceed. */
function rankOf(percentile: number, count: number): number {
  // Less the rounding of the product: 99.9% of 1,000 values is the 999th, not the 1,000th.
  const rank = (percentile / 100) * count;
  return Math.max(1, Math.ceil(rank - rank * 1e-12));
}

/** Tells a histogram from what a generator without one has in its place. */
export function isHistogram(stored: object | null): stored is StoredHistogram {
  return stored !== null && ("hdrHistogramV2" in stored || "counts" in stored);
}

/** As results hold it. */
export function compressed(stored: StoredHistogram): CompressedHistogram {
  if (!("counts" in stored)) return stored;
  const { counts, ...summary } = stored;
  return { ...summary, hdrHistogramV2: encodeV2(counts) };
}

/** What has been decoded: a report asks for the same latencies metric by metric. */
const decoded = new WeakMap<CompressedHistogram, readonly number[]>();

/** The counts of a stored histogram, as in a SparseHistogram. Throws a RangeError as `Histogram.fromStored` does. */
export function countsOf(stored: StoredHistogram): readonly number[] {
  if ("counts" in stored) return checked(stored.counts, stored);
  const known = decoded.get(stored);
  if (known !== undefined) return known;
  const counts = checked(decodeV2(stored.hdrHistogramV2), stored);
  decoded.set(stored, counts);
  return counts;
}

function checked(counts: readonly number[], stored: Summary): readonly number[] {
  let total = 0;
  let previous = -1;
  for (let i = 0; i < counts.length; i += 2) {
    const index = counts[i]!;
    const count = counts[i + 1] ?? 0;
    if (!(index > previous && index < CELLS && count > 0)) {
      throw new RangeError(`stored histogram: no cell ${index} with count ${count} behind cell ${previous}`);
    }
    previous = index;
    total += count;
  }
  if (total !== stored.count) {
    throw new RangeError(`stored histogram: its cells hold ${total} values, it announces ${stored.count}`);
  }
  if (total > 0 && (indexOf(stored.min) !== counts[0] || indexOf(stored.max) !== previous)) {
    throw new RangeError(`stored histogram: its cells do not go from ${stored.min} to ${stored.max}`);
  }
  return counts;
}

/** One histogram of all that several have recorded, as results hold it. */
export function mergedHistogram(stored: readonly StoredHistogram[]): CompressedHistogram {
  const [first, ...others] = stored;
  if (first !== undefined && others.length === 0) return compressed(first);
  const merged = new Histogram();
  for (const one of stored) merged.merge(Histogram.fromStored(one));
  return compressed(merged.toStored());
}
