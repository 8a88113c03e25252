/**
 * A circular buffer of records of any length in shared memory, for one producer and one consumer: the way back of answers.
 *
 * | word   | written by                              | read by  |
 * |--------|-----------------------------------------|----------|
 * | `head` | producer: after the record's bytes      | consumer |
 * | `tail` | consumer: after it has used the record  | producer |
 *
 * Both count bytes and wrap at 2³²; a byte's place is `count & (capacity − 1)`. A record is contiguous and 8-byte aligned,
 * and starts with its length in a word; where it does not fit before the end of the buffer, a length of `SKIP` sends the reader
 * to the start. A producer that dies in the middle of a record has not moved `head`: the reader never sees the half.
 */

const CACHE_LINE_BYTES = 64;
const HEAD_WORD = 0;
const TAIL_WORD = 16;
const HEADER_BYTES = 2 * CACHE_LINE_BYTES;
const LENGTH_BYTES = 8;
const SKIP = -1;

/** Bytes of shared memory for a ring that holds `capacityBytes`. Throws RangeError unless that is a power of two from 1 KiB to 1 GiB. */
export function recordRingBytes(capacityBytes: number): number {
  if (!Number.isInteger(Math.log2(capacityBytes)) || capacityBytes < 1024 || capacityBytes > 2 ** 30) {
    throw new RangeError(
      `a record ring's capacity must be a power of two from 1024 to 1073741824 bytes, not ${capacityBytes}`,
    );
  }
  return HEADER_BYTES + capacityBytes;
}

/** One thread's view of a record ring; memory is allocated once, zeroed, and attached by both threads. */
export class RecordRing {
  readonly capacityBytes: number;
  /** The longest record that always fits once the consumer has caught up. */
  readonly maxRecordBytes: number;
  /** The ring's bytes, for the payload at the offsets that `reserve` and `peek` give. */
  readonly bytes: Buffer;
  /** The same memory in words: a payload's first word is `offset >> 2`. */
  readonly words: Int32Array;
  /** The same memory in float64: `offset >> 3`. */
  readonly floats: Float64Array;
  readonly #mask: number;
  /** Each side keeps its own counter here and the last it saw of the other's (old is safe: it looks fuller or emptier than it is). */
  #head: number;
  #tail: number;
  /** Bytes to add on `commit` (producer) or `release` (consumer). */
  #pendingBytes = 0;

  constructor(memory: SharedArrayBuffer, capacityBytes: number) {
    if (memory.byteLength < recordRingBytes(capacityBytes)) throw new RangeError("the memory is smaller than the ring");
    this.capacityBytes = capacityBytes;
    this.maxRecordBytes = capacityBytes / 2 - LENGTH_BYTES;
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory, 0, memory.byteLength >> 3);
    this.#mask = capacityBytes - 1;
    this.#head = Atomics.load(this.words, HEAD_WORD);
    this.#tail = Atomics.load(this.words, TAIL_WORD);
  }

  /**
   * Producer: room for a record of `payloadBytes`; its offset in `bytes` (a multiple of 8), or −1 when there is no room now.
   * Nothing is visible to the consumer before `commit`.
   */
  reserve(payloadBytes: number): number {
    const recordBytes = LENGTH_BYTES + ((payloadBytes + 7) & ~7);
    const place = this.#head & this.#mask;
    const skipBytes = place + recordBytes > this.capacityBytes ? this.capacityBytes - place : 0;
    const neededBytes = skipBytes + recordBytes;
    if (this.#usedBytes() + neededBytes > this.capacityBytes) {
      this.#tail = Atomics.load(this.words, TAIL_WORD);
      if (this.#usedBytes() + neededBytes > this.capacityBytes) return -1;
    }
    let start = HEADER_BYTES + place;
    if (skipBytes > 0) {
      this.words[start >> 2] = SKIP;
      start = HEADER_BYTES;
    }
    this.words[start >> 2] = payloadBytes;
    this.#pendingBytes = neededBytes;
    return start + LENGTH_BYTES;
  }

  /** Producer: makes the reserved record visible. The store orders the record's bytes before it. */
  commit(): void {
    this.#head = (this.#head + this.#pendingBytes) | 0;
    Atomics.store(this.words, HEAD_WORD, this.#head);
  }

  /** Consumer: the offset of the oldest record's payload, or −1 when there is none. The bytes are its own until `release`. */
  peek(): number {
    if (this.#tail === this.#head) {
      this.#head = Atomics.load(this.words, HEAD_WORD);
      if (this.#tail === this.#head) return -1;
    }
    let start = HEADER_BYTES + (this.#tail & this.#mask);
    let skippedBytes = 0;
    if (this.words[start >> 2] === SKIP) {
      skippedBytes = this.capacityBytes - (this.#tail & this.#mask);
      start = HEADER_BYTES;
    }
    const payloadBytes = this.words[start >> 2]!;
    this.#pendingBytes = skippedBytes + LENGTH_BYTES + ((payloadBytes + 7) & ~7);
    return start + LENGTH_BYTES;
  }

  /** Consumer: gives the bytes of the record that `peek` showed back to the producer. */
  release(): void {
    this.#tail = (this.#tail + this.#pendingBytes) | 0;
    Atomics.store(this.words, TAIL_WORD, this.#tail);
  }

  #usedBytes(): number {
    return (this.#head - this.#tail) >>> 0;
  }
}
