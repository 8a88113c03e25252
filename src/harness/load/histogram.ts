/** A whole histogram as JSON: sparse, mergeable, nothing rounded beyond its own resolution. */
export interface StoredHistogram {
  readonly significantDigits: 3;
  readonly unit: "ns";
  readonly count: number;
  /** Exact, as are `max` and the two sums; 0 when nothing was recorded. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Index, count, index, count, … of the cells that are not empty, ascending. */
  readonly counts: readonly number[];
}

/** 2 × 10³ rounded up to a power of two: the fewest cells per doubling that keep three significant digits. */
const SUB_BUCKETS = 2048;
const HALF = SUB_BUCKETS / 2;
const SUB_BUCKET_BITS = 11;
/** Values beyond are recorded as this. */
const MAX_VALUE_NS = 3600e9;
const CELLS = (Math.floor(Math.log2(MAX_VALUE_NS)) - SUB_BUCKET_BITS + 3) * HALF;

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
  #sumOfSquares = 0;

  /** Records one value; a fraction of a nanosecond is dropped, below 0 counts as 0 and over an hour as an hour. */
  record(valueNs: number): void {
    const value = valueNs < MAX_VALUE_NS ? Math.floor(Math.max(0, valueNs)) : MAX_VALUE_NS;
    this.#cells[indexOf(value)]! += 1;
    this.#count++;
    this.#sum += value;
    this.#sumOfSquares += value * value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** Adds all that another histogram has recorded. */
  merge(other: Histogram): void {
    for (let index = 0; index < CELLS; index++) this.#cells[index]! += other.#cells[index]!;
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#sumOfSquares += other.#sumOfSquares;
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
    this.#sumOfSquares = other.#sumOfSquares;
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
    if (this.#count < 2) return 0;
    const squares = this.#sumOfSquares - (this.#sum * this.#sum) / this.#count;
    return Math.sqrt(Math.max(0, squares) / (this.#count - 1));
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
  since(earlier: Histogram): StoredHistogram {
    const counts: number[] = [];
    for (let index = 0; index < CELLS; index++) {
      const count = this.#cells[index]! - earlier.#cells[index]!;
      if (count > 0) counts.push(index, count);
    }
    return {
      significantDigits: 3,
      unit: "ns",
      count: this.#count - earlier.#count,
      min: counts.length === 0 ? 0 : Math.max(this.#min, lowestOf(counts[0]!)),
      max: counts.length === 0 ? 0 : Math.min(this.#max, highestOf(counts.at(-2)!)),
      sum: this.#sum - earlier.#sum,
      sumOfSquares: this.#sumOfSquares - earlier.#sumOfSquares,
      counts,
    };
  }

  toStored(): StoredHistogram {
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
      sumOfSquares: this.#sumOfSquares,
      counts,
    };
  }

  /** The histogram that was stored. Throws a RangeError where its counts contradict each other: a damaged file must not become a figure. */
  static fromStored(stored: StoredHistogram): Histogram {
    const histogram = new Histogram();
    let total = 0;
    for (let i = 0; i < stored.counts.length; i += 2) {
      const index = stored.counts[i]!;
      const count = stored.counts[i + 1] ?? 0;
      if (!(index in histogram.#cells && count > 0)) {
        throw new RangeError(`stored histogram: no cell ${index} with count ${count}`);
      }
      histogram.#cells[index] = count;
      total += count;
    }
    if (total !== stored.count) {
      throw new RangeError(`stored histogram: its cells hold ${total} values, it announces ${stored.count}`);
    }
    histogram.#count = stored.count;
    histogram.#sum = stored.sum;
    histogram.#sumOfSquares = stored.sumOfSquares;
    histogram.#min = stored.count === 0 ? Number.POSITIVE_INFINITY : stored.min;
    histogram.#max = stored.max;
    return histogram;
  }
}

/** The rank from 1, of `count` values in order, that `percentile` per cent of them do not exceed. */
function rankOf(percentile: number, count: number): number {
  // Less the rounding of the product: 99.9% of 1,000 values is the 999th, not the 1,000th.
  const rank = (percentile / 100) * count;
  return Math.max(1, Math.ceil(rank - rank * 1e-12));
}

/** The cell of an integer value: which doubling, and where in it. */
function indexOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  // Bit operations, which take a tenth of the time of a division by a power, see 32 bits: a larger value is looked at without its
  // lowest 21, all of them below the resolution there.
  if (value < 2 ** 31) {
    const shift = 32 - Math.clz32(value) - SUB_BUCKET_BITS;
    return shift * HALF + (value >>> shift);
  }
  const high = Math.floor(value / 2 ** 21);
  const shift = 32 - Math.clz32(high) - SUB_BUCKET_BITS;
  return (shift + 21) * HALF + (high >>> shift);
}

/** The highest integer value of a cell. */
function highestOf(index: number): number {
  if (index < SUB_BUCKETS) return index;
  const shift = Math.floor(index / HALF) - 1;
  return (index - shift * HALF + 1) * 2 ** shift - 1;
}

/** The lowest one. */
function lowestOf(index: number): number {
  return index === 0 ? 0 : highestOf(index - 1) + 1;
}

/** One histogram of all that several have recorded. */
export function mergedHistogram(stored: readonly StoredHistogram[]): StoredHistogram {
  const [first, ...others] = stored;
  if (first !== undefined && others.length === 0) return first;
  const merged = new Histogram();
  for (const one of stored) merged.merge(Histogram.fromStored(one));
  return merged.toStored();
}
