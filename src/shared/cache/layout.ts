/**
 * Where everything lies in the memory of the shared cache. Each shard has a line of words, a table of buckets, a table of slots, their
 * pins, a map of its units, and its units: the bytes that are bounded. shard.ts says what the words mean.
 */

/** Bytes are handed out in units of this size. */
export const UNIT_BYTES = 64;
const MAX_SHARDS = 16;
/** No shard is smaller, if there is more than one: an entry must fit in a part of it. */
const MIN_SHARD_BYTES = 2 ** 20;
/** An entry may take this share of its shard at most: 1/32 of a cache with all its shards. */
const MAX_ENTRY_SHARE = 1 / 2;
/** There is a slot for so many bytes: more entries than that do not fit, even if all are small. */
const BYTES_PER_SLOT = 1024;
const WORD_BYTES = 4;
const LINE_WORDS = 16;

/** Words of one slot. Two float64 stand at its end. */
export const SLOT_WORDS = 16;

/** What decides the layout. */
export interface CacheShape {
  /** Bound of what all entries take: keys, heads and bodies, in whole units. The tables come on top. */
  readonly bytes: number;
  /** Threads that may attach, with numbers from 0. */
  readonly threads: number;
}

/** Sizes and places that follow from a shape, in words where they do not say otherwise. */
export interface CacheLayout {
  readonly threads: number;
  readonly shards: number;
  readonly slotsPerShard: number;
  readonly unitsPerShard: number;
  readonly maxEntryBytes: number;
  readonly buckets: number;
  readonly slots: number;
  readonly pins: number;
  readonly map: number;
  /** Words of a shard, without its units. */
  readonly shardWords: number;
  /** Where the units of the first shard start. */
  readonly arenaByte: number;
  readonly totalBytes: number;
}

/** The smallest cache: less holds no page. */
export const MIN_CACHE_BYTES = 16 * 1024;
/** The largest: with its tables it is still one buffer for Node 20. */
export const MAX_CACHE_BYTES = 2 ** 31;

/** Throws RangeError for a shape that no cache can have. */
export function cacheLayout({ bytes, threads }: CacheShape): CacheLayout {
  if (!Number.isSafeInteger(bytes) || bytes < MIN_CACHE_BYTES || bytes > MAX_CACHE_BYTES) {
    throw new RangeError(`a cache must have from ${MIN_CACHE_BYTES} to ${MAX_CACHE_BYTES} bytes, not ${bytes}`);
  }
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new RangeError(`a cache must have from 1 to 1024 threads, not ${threads}`);
  }
  const shards = Math.min(MAX_SHARDS, powerOfTwo(Math.max(1, bytes / MIN_SHARD_BYTES)));
  const unitsPerShard = Math.floor(bytes / shards / UNIT_BYTES);
  const slotsPerShard = powerOfTwo(Math.max(16, (unitsPerShard * UNIT_BYTES) / BYTES_PER_SLOT));
  const buckets = LINE_WORDS;
  const slots = buckets + slotsPerShard;
  const pins = slots + slotsPerShard * SLOT_WORDS;
  const map = pins + slotsPerShard * threads;
  const shardWords = Math.ceil((map + Math.ceil(unitsPerShard / 32)) / LINE_WORDS) * LINE_WORDS;
  const arenaByte = shards * shardWords * WORD_BYTES;
  return {
    threads,
    shards,
    slotsPerShard,
    unitsPerShard,
    maxEntryBytes: Math.floor(unitsPerShard * MAX_ENTRY_SHARE) * UNIT_BYTES,
    buckets,
    slots,
    pins,
    map,
    shardWords,
    arenaByte,
    totalBytes: arenaByte + shards * unitsPerShard * UNIT_BYTES,
  };
}

/** Bytes of shared memory for a cache of this shape. Throws RangeError for a shape that no cache can have. */
export function cacheBytes(shape: CacheShape): number {
  return cacheLayout(shape).totalBytes;
}

/** The largest power of two that is not larger. */
function powerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}
