/** HdrHistogram's layout (Gil Tene, http://hdrhistogram.org) for values in nanoseconds up to an hour with three significant digits. */

export const SIGNIFICANT_DIGITS = 3;
/** Values beyond are recorded as this. */
export const MAX_VALUE_NS = 3600e9;
/** 2 × 10³ rounded up to a power of two: the fewest cells per doubling that keep three significant digits. */
const SUB_BUCKETS = 2048;
const HALF = SUB_BUCKETS / 2;
const SUB_BUCKET_BITS = 11;
export const CELLS = (Math.floor(Math.log2(MAX_VALUE_NS)) - SUB_BUCKET_BITS + 3) * HALF;

/** The cell of an integer value: which doubling, and where in it. */
export function indexOf(value: number): number {
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
export function highestOf(index: number): number {
  if (index < SUB_BUCKETS) return index;
  const shift = Math.floor(index / HALF) - 1;
  return (index - shift * HALF + 1) * 2 ** shift - 1;
}

/** The lowest one. */
export function lowestOf(index: number): number {
  return index === 0 ? 0 : highestOf(index - 1) + 1;
}
