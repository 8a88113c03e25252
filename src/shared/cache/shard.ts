import { type CacheLayout, SLOT_WORDS, UNIT_BYTES } from "./layout.js";
import { Lock } from "./lock.js";
import { UnitMap } from "./units.js";

/**
 * One shard: an index by hash, a list in the order of use, and units of bytes. All words are written under the shard's lock, except:
 * - `pins`, one count for each slot and thread. A thread pins under the lock, and unpins without it. Only thread 0 takes pins over: it
 *   pins for itself, then takes the other's pin away; who looks for pins looks at thread 0 last, and so finds one of the two. A slot that
 *   anybody pins keeps its units, linked or not.
 * - `checked`, the time of the last look at the disk: whoever has a pin may move it on. A float64, written whole.
 * The bytes of an entry are written by the one thread that pins it, before it is linked, and never again.
 *
 * A thread that dies inside the lock may leave lists and map half changed. None of that is used to mend it: `rebuild` empties the shard
 * and keeps only what is pinned by the living, whose place stands in the slot since before it was pinned.
 */

const LOCK = 0;
/** Links are 1 + the number of a slot; 0: none. */
const NEWEST = 2;
const OLDEST = 3;
/** Slots that were used and are free, by their next. */
const FREE_SLOTS = 4;
/** Slots from this one on were never used. */
const FRESH = 5;
/** Not linked, or not yet, and pinned when last looked at; by their next. */
const UNLINKED = 6;
const USED_UNITS = 7;
const ENTRIES = 8;
/** Where the last room was found: the next is looked for from there on. */
const NEXT_UNIT = 9;
/** What a rebuild sets to 0. */
const LINKS = { from: NEWEST, to: NEXT_UNIT + 1 } as const;

/** Free units in holes that are all too small are worth moving what lies between them when they are this share of the shard. */
const COMPACTION_SHARE = 1 / 32;

/** Words of a slot. */
export const Slot = {
  state: 0,
  hash: 1,
  /** Next in its bucket. */
  chain: 2,
  newer: 3,
  older: 4,
  unit: 5,
  units: 6,
  keyBytes: 7,
  headBytes: 8,
  bodyBytes: 9,
  status: 10,
  /** Next of those that are not linked. */
  next: 11,
  /** Float64, of two words each: ms. */
  modified: 12,
  checked: 14,
} as const;

const State = { free: 0, unlinked: 1, linked: 2 } as const;

/** One thread's view of a shard. Slots are numbered within it. */
export class Shard {
  readonly lock: Lock;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #layout: CacheLayout;
  readonly #base: number;
  readonly #arenaByte: number;
  readonly #map: UnitMap;

  constructor(memory: SharedArrayBuffer, layout: CacheLayout, shard: number, thread: number, maySleep: boolean) {
    this.#words = new Int32Array(memory);
    this.#bytes = Buffer.from(memory);
    this.#layout = layout;
    this.#base = shard * layout.shardWords;
    this.#arenaByte = layout.arenaByte + shard * layout.unitsPerShard * UNIT_BYTES;
    this.lock = new Lock(this.#words, this.#base + LOCK, thread, maySleep);
    this.#map = new UnitMap(this.#words, this.#base + layout.map, layout.unitsPerShard);
  }

  /** Any thread: bytes in use and entries, of about now. */
  get usedBytes(): number {
    return this.#get(USED_UNITS) * UNIT_BYTES;
  }

  get entries(): number {
    return this.#get(ENTRIES);
  }

  #get(word: number): number {
    return this.#words[this.#base + word]!;
  }

  #set(word: number, value: number): void {
    this.#words[this.#base + word] = value;
  }

  /** The first word of a slot, in the whole memory. */
  slotWord(slot: number): number {
    return this.#base + this.#layout.slots + slot * SLOT_WORDS;
  }

  /** The word that counts a thread's pins of a slot, in the whole memory. */
  pinWord(slot: number, thread: number): number {
    return this.#base + this.#layout.pins + slot * this.#layout.threads + thread;
  }

  /** Where an entry's bytes start, in the whole memory. */
  startByte(slot: number): number {
    return this.#arenaByte + this.#of(slot, Slot.unit) * UNIT_BYTES;
  }

  #of(slot: number, field: number): number {
    return this.#words[this.slotWord(slot) + field]!;
  }

  #setOf(slot: number, field: number, value: number): void {
    this.#words[this.slotWord(slot) + field] = value;
  }

  #isPinned(slot: number): boolean {
    const first = this.pinWord(slot, 0);
    for (let thread = this.#layout.threads - 1; thread >= 0; thread--) {
      if (Atomics.load(this.#words, first + thread) !== 0) return true;
    }
    return false;
  }

  #bucket(hash: number): number {
    return this.#layout.buckets + (hash & (this.#layout.slotsPerShard - 1));
  }

  /** Locked: the entry of a key, or −1. */
  find(hash: number, key: Buffer): number {
    for (let link = this.#get(this.#bucket(hash)); link !== 0; link = this.#of(link - 1, Slot.chain)) {
      const slot = link - 1;
      if (this.#of(slot, Slot.hash) !== hash || this.#of(slot, Slot.keyBytes) !== key.length) continue;
      const start = this.startByte(slot);
      if (this.#bytes.compare(key, 0, key.length, start, start + key.length) === 0) return slot;
    }
    return -1;
  }

  /** Locked: the entry has been used. */
  touch(slot: number): void {
    if (this.#get(NEWEST) === 1 + slot) return;
    this.#leaveOrder(slot);
    this.#enterOrder(slot);
  }

  #enterOrder(slot: number): void {
    const newest = this.#get(NEWEST);
    this.#setOf(slot, Slot.newer, 0);
    this.#setOf(slot, Slot.older, newest);
    if (newest === 0) this.#set(OLDEST, 1 + slot);
    else this.#setOf(newest - 1, Slot.newer, 1 + slot);
    this.#set(NEWEST, 1 + slot);
  }

  #leaveOrder(slot: number): void {
    const newer = this.#of(slot, Slot.newer);
    const older = this.#of(slot, Slot.older);
    if (newer === 0) this.#set(NEWEST, older);
    else this.#setOf(newer - 1, Slot.older, older);
    if (older === 0) this.#set(OLDEST, newer);
    else this.#setOf(older - 1, Slot.newer, newer);
  }

  /**
   * Locked: a slot with room for so many bytes, pinned by `thread` and not linked, or −1. What was used the longest ago goes until there
   * is room; what is pinned keeps its units until it no longer is. `evicted` is called for each entry that goes.
   */
  reserve(bytes: number, thread: number, evicted: () => void): number {
    const units = Math.max(1, Math.ceil(bytes / UNIT_BYTES));
    const { unitsPerShard } = this.#layout;
    const worthwhileUnits = Math.max(units, Math.ceil(unitsPerShard * COMPACTION_SHARE));
    let mayCompact = true;
    for (;;) {
      this.#sweep();
      const slot = this.#takeSlot();
      if (slot !== -1) {
        let unit = this.#map.take(units, this.#get(NEXT_UNIT));
        if (unit === -1 && mayCompact && unitsPerShard - this.#get(USED_UNITS) >= worthwhileUnits) {
          mayCompact = false;
          this.#compact();
          unit = this.#map.take(units, this.#get(NEXT_UNIT));
        }
        if (unit !== -1) {
          this.#set(NEXT_UNIT, unit + units);
          this.#setOf(slot, Slot.unit, unit);
          this.#setOf(slot, Slot.units, units);
          this.#set(USED_UNITS, this.#get(USED_UNITS) + units);
          // From here on it is whole for a rebuild: first the place, then the state, then the pin.
          this.#setOf(slot, Slot.state, State.unlinked);
          Atomics.store(this.#words, this.pinWord(slot, thread), 1);
          this.#discard(slot);
          return slot;
        }
        this.#giveSlot(slot);
      }
      const oldest = this.#get(OLDEST);
      if (oldest === 0) return -1;
      this.unlink(oldest - 1);
      evicted();
    }
  }

  /** Moves what nobody pins to the adapter, so that the holes between become one. A thread that dies here leaves a shard to be emptied. */
  #compact(): void {
    const inOrder = new Int32Array(this.#layout.unitsPerShard);
    for (let slot = 0; slot < this.#get(FRESH); slot++) {
      if (this.#of(slot, Slot.state) !== State.free) inOrder[this.#of(slot, Slot.unit)] = 1 + slot;
    }
    this.#map.clear();
    let end = 0;
    for (const link of inOrder) {
      if (link === 0) continue;
      const slot = link - 1;
      const units = this.#of(slot, Slot.units);
      const unit = this.#of(slot, Slot.unit);
      if (unit > end && !this.#isPinned(slot)) {
        const start = this.#arenaByte + unit * UNIT_BYTES;
        this.#bytes.copyWithin(this.#arenaByte + end * UNIT_BYTES, start, start + units * UNIT_BYTES);
        this.#setOf(slot, Slot.unit, end);
      } else {
        end = unit;
      }
      this.#map.set(end, units, true);
      end += units;
    }
    this.#set(NEXT_UNIT, end);
  }

  #takeSlot(): number {
    const free = this.#get(FREE_SLOTS);
    if (free !== 0) {
      this.#set(FREE_SLOTS, this.#of(free - 1, Slot.chain));
      return free - 1;
    }
    const fresh = this.#get(FRESH);
    if (fresh === this.#layout.slotsPerShard) return -1;
    this.#set(FRESH, fresh + 1);
    return fresh;
  }

  #giveSlot(slot: number): void {
    this.#setOf(slot, Slot.state, State.free);
    this.#setOf(slot, Slot.chain, this.#get(FREE_SLOTS));
    this.#set(FREE_SLOTS, 1 + slot);
  }

  /** Locked: the entry, written by now, can be found. */
  link(slot: number, hash: number): void {
    this.#leaveUnlinked(slot);
    const bucket = this.#bucket(hash);
    this.#setOf(slot, Slot.hash, hash);
    this.#setOf(slot, Slot.chain, this.#get(bucket));
    this.#set(bucket, 1 + slot);
    this.#enterOrder(slot);
    this.#setOf(slot, Slot.state, State.linked);
    this.#set(ENTRIES, this.#get(ENTRIES) + 1);
  }

  #leaveUnlinked(slot: number): void {
    const next = this.#of(slot, Slot.next);
    if (this.#get(UNLINKED) === 1 + slot) {
      this.#set(UNLINKED, next);
      return;
    }
    let before = this.#get(UNLINKED) - 1;
    while (this.#of(before, Slot.next) !== 1 + slot) before = this.#of(before, Slot.next) - 1;
    this.#setOf(before, Slot.next, next);
  }

  /** Locked: the entry can no longer be found; its units are free at once, or with the first sweep after its last pin. */
  unlink(slot: number): void {
    const bucket = this.#bucket(this.#of(slot, Slot.hash));
    const next = this.#of(slot, Slot.chain);
    if (this.#get(bucket) === 1 + slot) {
      this.#set(bucket, next);
    } else {
      let before = this.#get(bucket) - 1;
      while (this.#of(before, Slot.chain) !== 1 + slot) before = this.#of(before, Slot.chain) - 1;
      this.#setOf(before, Slot.chain, next);
    }
    this.#leaveOrder(slot);
    this.#set(ENTRIES, this.#get(ENTRIES) - 1);
    this.#discard(slot);
  }

  /** Locked: it is not linked. Free at once, or when it is found without a pin. */
  #discard(slot: number): void {
    if (this.#isPinned(slot)) {
      this.#setOf(slot, Slot.state, State.unlinked);
      this.#setOf(slot, Slot.next, this.#get(UNLINKED));
      this.#set(UNLINKED, 1 + slot);
    } else {
      this.#free(slot);
    }
  }

  #free(slot: number): void {
    const units = this.#of(slot, Slot.units);
    this.#map.set(this.#of(slot, Slot.unit), units, false);
    this.#set(USED_UNITS, this.#get(USED_UNITS) - units);
    this.#giveSlot(slot);
  }

  /** Locked: frees what is unlinked and no longer pinned. */
  #sweep(): void {
    let link = this.#get(UNLINKED);
    this.#set(UNLINKED, 0);
    while (link !== 0) {
      const slot = link - 1;
      link = this.#of(slot, Slot.next);
      this.#discard(slot);
    }
  }

  /** A thread has ended: its pins go. What it was writing is swept then. */
  dropPins(thread: number): void {
    for (let slot = 0; slot < this.#layout.slotsPerShard; slot++) {
      Atomics.store(this.#words, this.pinWord(slot, thread), 0);
    }
  }

  /** Locked: a thread has ended inside the lock. Empties the shard, but for what the others pin. */
  rebuild(thread: number): void {
    this.dropPins(thread);
    const { buckets, slotsPerShard } = this.#layout;
    this.#words.fill(0, this.#base + LINKS.from, this.#base + LINKS.to);
    this.#words.fill(0, this.#base + buckets, this.#base + buckets + slotsPerShard);
    this.#map.clear();
    this.#set(FRESH, slotsPerShard);
    for (let slot = slotsPerShard - 1; slot >= 0; slot--) {
      if (this.#of(slot, Slot.state) === State.free || !this.#isPinned(slot)) {
        this.#giveSlot(slot);
        continue;
      }
      const units = this.#of(slot, Slot.units);
      this.#map.set(this.#of(slot, Slot.unit), units, true);
      this.#set(USED_UNITS, this.#get(USED_UNITS) + units);
      this.#discard(slot);
    }
  }

  /** Locked, for tests: keys from the one used last to the one used the longest ago. */
  keys(): readonly string[] {
    const found: string[] = [];
    for (let link = this.#get(NEWEST); link !== 0; link = this.#of(link - 1, Slot.older)) {
      const start = this.startByte(link - 1);
      found.push(this.#bytes.toString("utf8", start, start + this.#of(link - 1, Slot.keyBytes)));
    }
    return found;
  }
}
