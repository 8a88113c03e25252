import { mix32 } from "../hash.js";
import { Counter, type ThreadStats } from "../stats/stats.js";
import { type CacheLayout, type CacheShape, cacheLayout } from "./layout.js";
import { Shard, Slot } from "./shard.js";

/** What is kept: a response and what tells whether it is still true. */
export interface CacheEntry {
  readonly status: number;
  /** What the response needs beside its body, e.g. its content type. */
  readonly head: string;
  readonly body: Uint8Array;
  /** The file's time of change, ms. */
  readonly modifiedMs: number;
  /** When it was last compared with the disk, ms of the common clock. */
  readonly checkedMs: number;
}

/** An entry in shared memory, pinned for this thread until `release`: its bytes stay what they are. */
export interface CachedView extends CacheEntry {
  /** What stands for the pin when another thread is to take it over. */
  readonly pin: number;
}

/** What a cache needs beside its memory. */
export interface CacheAttachment {
  readonly memory: SharedArrayBuffer;
  readonly shape: CacheShape;
  /** Number of this thread; no two that live have the same. */
  readonly thread: number;
  /** Whether this thread may sleep a few ms for a lock whose owner has lost its CPU. */
  readonly maySleep: boolean;
  /** This thread's counters. */
  readonly stats: ThreadStats;
}

/**
 * One cache for all threads, in shared memory: an LRU in each of its shards, bounded in bytes. A lock that cannot be had in time is a
 * miss, never a wait. See shard.ts for who writes what.
 */
export class SharedCache {
  readonly shape: CacheShape;
  readonly layout: CacheLayout;
  /** What bodies are views of. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #bytes: Buffer;
  readonly #shards: readonly Shard[];
  readonly #thread: number;
  readonly #stats: ThreadStats;

  constructor({ memory, shape, thread, maySleep, stats }: CacheAttachment) {
    this.shape = shape;
    this.layout = cacheLayout(shape);
    this.memory = memory;
    if (memory.byteLength < this.layout.totalBytes) throw new RangeError("the memory is smaller than the cache");
    if (!(thread >= 0 && thread < shape.threads)) throw new RangeError(`the cache has no thread ${thread}`);
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory, 0, memory.byteLength >> 3);
    this.#bytes = Buffer.from(memory);
    this.#shards = Array.from(
      { length: this.layout.shards },
      (_, shard) => new Shard(memory, this.layout, shard, thread, maySleep),
    );
    this.#thread = thread;
    this.#stats = stats;
  }

  /** Bytes in use, of about now: never above the shape's, entries that are only pinned included. */
  get usedBytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.usedBytes, 0);
  }

  get entries(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.entries, 0);
  }

  /** The entry of a key, which is now the one used last; undefined for a miss. */
  get(key: string): CachedView | undefined {
    const keyBytes = Buffer.from(key);
    const hash = hashOf(keyBytes);
    const number = this.#shardOf(hash);
    const shard = this.#shards[number]!;
    if (!shard.lock.acquire()) return undefined;
    const slot = shard.find(hash, keyBytes);
    if (slot !== -1) {
      Atomics.add(this.#words, shard.pinWord(slot, this.#thread), 1);
      shard.touch(slot);
    }
    shard.lock.release();
    return slot === -1 ? undefined : this.#view(number, slot);
  }

  /** Keeps an entry, in place of the one the key has. The view is pinned; undefined where it is too large or finds no room: all is pinned. */
  put(key: string, entry: CacheEntry): CachedView | undefined {
    const keyBytes = Buffer.from(key);
    const headBytes = Buffer.byteLength(entry.head);
    const bodyBytes = entry.body.byteLength;
    const neededBytes = keyBytes.length + headBytes + bodyBytes;
    const hash = hashOf(keyBytes);
    const number = this.#shardOf(hash);
    const shard = this.#shards[number]!;
    if (neededBytes > this.layout.maxEntryBytes || !shard.lock.acquire()) return this.#bypass();
    const slot = shard.reserve(neededBytes, this.#thread, () => this.#stats.add(Counter.cacheEvictions, 1));
    shard.lock.release();
    if (slot === -1) return this.#bypass();

    const word = shard.slotWord(slot);
    this.#words[word + Slot.keyBytes] = keyBytes.length;
    this.#words[word + Slot.headBytes] = headBytes;
    this.#words[word + Slot.bodyBytes] = bodyBytes;
    this.#words[word + Slot.status] = entry.status;
    this.#floats[(word + Slot.modified) >> 1] = entry.modifiedMs;
    this.#floats[(word + Slot.checked) >> 1] = entry.checkedMs;
    const start = shard.startByte(slot);
    this.#bytes.set(keyBytes, start);
    this.#bytes.write(entry.head, start + keyBytes.length, "utf8");
    this.#bytes.set(entry.body, start + keyBytes.length + headBytes);

    // The lock's release orders these bytes before the link.
    if (shard.lock.acquire()) {
      const before = shard.find(hash, keyBytes);
      if (before !== -1) shard.unlink(before);
      shard.link(slot, hash);
      shard.lock.release();
    } else {
      this.#stats.add(Counter.cacheBypassed, 1);
    }
    return this.#view(number, slot);
  }

  #bypass(): undefined {
    this.#stats.add(Counter.cacheBypassed, 1);
    return undefined;
  }

  /** The file is no longer there. */
  remove(key: string): void {
    const keyBytes = Buffer.from(key);
    const hash = hashOf(keyBytes);
    const shard = this.#shards[this.#shardOf(hash)]!;
    if (!shard.lock.acquire()) return;
    const slot = shard.find(hash, keyBytes);
    if (slot !== -1) shard.unlink(slot);
    shard.lock.release();
  }

  /** What this thread has pinned has been compared with the disk and is still true. */
  confirm(pin: number, checkedMs: number): void {
    const { shard, slot } = this.#placeOf(pin);
    this.#floats[(shard.slotWord(slot) + Slot.checked) >> 1] = checkedMs;
  }

  /** One more pin of this thread on what it has pinned already. */
  hold(pin: number): void {
    const { shard, slot } = this.#placeOf(pin);
    Atomics.add(this.#words, shard.pinWord(slot, this.#thread), 1);
  }

  /** Gives a pin of this thread back. */
  release(pin: number): void {
    const { shard, slot } = this.#placeOf(pin);
    Atomics.sub(this.#words, shard.pinWord(slot, this.#thread), 1);
  }

  /** Thread 0 only: takes a pin over from another thread, which has it until then. */
  adopt(pin: number, from: number): void {
    this.hold(pin);
    const { shard, slot } = this.#placeOf(pin);
    Atomics.sub(this.#words, shard.pinWord(slot, from), 1);
  }

  /** Main: a thread has ended; all it has handed over has been adopted. Its pins go, and a shard it was inside of is emptied. */
  recover(thread: number): void {
    for (const shard of this.#shards) {
      if (shard.lock.takeFrom(thread)) {
        shard.rebuild(thread);
        this.#stats.add(Counter.cacheRebuilds, 1);
        shard.lock.release();
      } else {
        shard.dropPins(thread);
      }
    }
  }

  /** For tests: the keys of each shard, from the one used last on. */
  keys(): readonly (readonly string[])[] {
    return this.#shards.map((shard) => {
      while (!shard.lock.acquire()) {}
      const keys = shard.keys();
      shard.lock.release();
      return keys;
    });
  }

  /** For tests: takes the lock of a shard and keeps it. */
  enter(shard: number): void {
    while (!this.#shards[shard]!.lock.acquire()) {}
  }

  /** The shard of a key, for tests. */
  shardOf(key: string): number {
    return this.#shardOf(hashOf(Buffer.from(key)));
  }

  #shardOf(hash: number): number {
    // Other bits than those that choose the bucket.
    return (hash >>> 24) & (this.layout.shards - 1);
  }

  #placeOf(pin: number): { readonly shard: Shard; readonly slot: number } {
    const { slotsPerShard } = this.layout;
    return { shard: this.#shards[Math.floor(pin / slotsPerShard)]!, slot: pin % slotsPerShard };
  }

  #view(number: number, slot: number): CachedView {
    const shard = this.#shards[number]!;
    const word = shard.slotWord(slot);
    const headStart = shard.startByte(slot) + this.#words[word + Slot.keyBytes]!;
    const bodyStart = headStart + this.#words[word + Slot.headBytes]!;
    return {
      pin: number * this.layout.slotsPerShard + slot,
      status: this.#words[word + Slot.status]!,
      head: this.#bytes.toString("utf8", headStart, bodyStart),
      body: this.#bytes.subarray(bodyStart, bodyStart + this.#words[word + Slot.bodyBytes]!),
      modifiedMs: this.#floats[(word + Slot.modified) >> 1]!,
      checkedMs: this.#floats[(word + Slot.checked) >> 1]!,
    };
  }
}

/** FNV-1a, with its bits mixed once more: the lowest choose the bucket, the highest the shard. Source: G. Fowler et al., RFC draft fnv. */
function hashOf(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193);
  return mix32(hash);
}
