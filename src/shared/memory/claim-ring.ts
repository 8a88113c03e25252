/**
 * A bounded circular buffer in shared memory: one producer, many consumers, every slot with a state word that names its owner.
 *
 * A slot is the whole life of a request: the producer fills it, one consumer claims it, and it stays that consumer's until
 * the producer releases it, when the answer is back. So the ring bounds what is queued *and* in service, and what a dead
 * consumer held can be found by its id.
 *
 * Shared words (Int32, each on a cache line of its own; a slot's state shares its line with the first bytes of its payload,
 * so that one line brings both):
 *
 * | word    | written by                                        | read by   |
 * |---------|---------------------------------------------------|-----------|
 * | `head`  | producer: after the state of the slot it covers   | consumers |
 * | `tail`  | consumers: by compare-and-swap, any may help      | both      |
 * | `state` | producer FREE → FILLED, owner or FILLED → FREE; consumer FILLED → its id, by compare-and-swap | both |
 * | `generation`  | producer: before the state FILLED; counts how often the slot was filled | its owner, after the claim |
 *
 * Positions count up and wrap at 2³²; a position's slot is `position & (slots − 1)`. Two invariants carry the proof:
 * - `head − tail ≤ slots`, so a slot stands for at most one position of the window [tail, head).
 * - `tail` passes a position only after its slot was seen not FILLED, and a slot is filled at `head` only: no item is passed over.
 *
 * The producer skips a slot that is still owned (a slow request does not stop the ring); consumers step over skipped positions.
 * The claim is the compare-and-swap on `state`, not the one on `tail`: a consumer that dies between the two has left its id
 * in the slot and the next one moves `tail` on. A consumer that acts on an old `tail` can at worst claim a later item early.
 */

const CACHE_LINE_BYTES = 64;
const HEAD_WORD = 0;
const TAIL_WORD = 16;
const HEADER_BYTES = 2 * CACHE_LINE_BYTES;
/** State and generation, and room to keep the payload aligned. */
const SLOT_HEADER_BYTES = 16;
const GENERATION_WORD = 1;

const FREE = 0;
const FILLED = 1;
/** Owner ids start at 0, states of owned slots here. */
const OWNED = 2;

/** Sizes of a ring; `slots` is a power of two. */
export interface ClaimRingShape {
  readonly slots: number;
  /** Bytes one slot can carry. */
  readonly payloadBytes: number;
}

/** Bytes between two slots: whole cache lines, an odd number of them so that slots spread over all cache sets. */
function slotStride(payloadBytes: number): number {
  const lines = Math.ceil((SLOT_HEADER_BYTES + payloadBytes) / CACHE_LINE_BYTES);
  return (lines | 1) * CACHE_LINE_BYTES;
}

/** Bytes of shared memory a ring of this shape needs. Throws RangeError unless `slots` is a power of two from 2 to 2²⁰. */
export function claimRingBytes({ slots, payloadBytes }: ClaimRingShape): number {
  if (!Number.isInteger(slots) || slots < 2 || slots > 2 ** 20 || (slots & (slots - 1)) !== 0) {
    throw new RangeError(`a ring's slots must be a power of two from 2 to 1048576, not ${slots}`);
  }
  return HEADER_BYTES + slots * slotStride(payloadBytes);
}

/** One thread's view of a ring; memory is allocated once, zeroed, and attached by every thread. */
export class ClaimRing {
  readonly slots: number;
  readonly payloadBytes: number;
  /** All of the ring's bytes: a payload starts at `payloadOffset(slot)`. */
  readonly bytes: Buffer;
  /** The same memory in words; a payload's first word is `payloadOffset(slot) >> 2`. */
  readonly words: Int32Array;
  readonly #mask: number;
  readonly #strideWords: number;
  /** Producer only: the position it fills next, and the last tail it saw (old is safe: it only looks fuller). */
  #head: number;
  #knownTail: number;

  constructor(memory: SharedArrayBuffer, shape: ClaimRingShape) {
    if (memory.byteLength < claimRingBytes(shape)) throw new RangeError("the memory is smaller than the ring");
    this.slots = shape.slots;
    this.payloadBytes = shape.payloadBytes;
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
    this.#mask = shape.slots - 1;
    this.#strideWords = slotStride(shape.payloadBytes) / 4;
    this.#head = Atomics.load(this.words, HEAD_WORD);
    this.#knownTail = Atomics.load(this.words, TAIL_WORD);
  }

  /** Where a slot's payload starts in `bytes`. Only the producer (before `publish`) and the owner may touch it. */
  payloadOffset(slot: number): number {
    return HEADER_BYTES + slot * this.#strideWords * 4 + SLOT_HEADER_BYTES;
  }

  #stateWord(slot: number): number {
    return HEADER_BYTES / 4 + slot * this.#strideWords;
  }

  /** Producer: a free slot to fill and then `publish`, or −1 when the ring is full. Reserving again without publishing gives the same slot. */
  reserve(): number {
    let head = this.#head;
    for (let tried = 0; tried < this.slots; tried++) {
      if (((head - this.#knownTail) | 0) >= this.slots) {
        this.#knownTail = Atomics.load(this.words, TAIL_WORD);
        if (((head - this.#knownTail) | 0) >= this.slots) return -1;
      }
      const slot = head & this.#mask;
      if (Atomics.load(this.words, this.#stateWord(slot)) === FREE) {
        this.#head = head;
        return slot;
      }
      head = (head + 1) | 0;
    }
    return -1;
  }

  /** Producer: hands the slot that `reserve` gave to the consumers. State first, then head: who sees the new head sees the slot. */
  publish(slot: number): void {
    this.words[this.#stateWord(slot) + GENERATION_WORD]! += 1;
    Atomics.store(this.words, this.#stateWord(slot), FILLED);
    this.#head = (this.#head + 1) | 0;
    Atomics.store(this.words, HEAD_WORD, this.#head);
  }

  /** Consumer: takes the oldest item for `owner`; −1 when there is none. The payload may be read until the producer releases it. */
  claim(owner: number): number {
    const words = this.words;
    for (;;) {
      const tail = Atomics.load(words, TAIL_WORD);
      if (tail === Atomics.load(words, HEAD_WORD)) return -1;
      const slot = tail & this.#mask;
      const claimed = Atomics.compareExchange(words, this.#stateWord(slot), FILLED, OWNED + owner) === FILLED;
      // Won or lost, this position holds nothing any more: move on, unless another consumer already has.
      Atomics.compareExchange(words, TAIL_WORD, tail, (tail + 1) | 0);
      if (claimed) return slot;
    }
  }

  /** Any thread: whether a consumer would find something. A "no" may be old by the time it is read; a parked consumer is told by its doorbell. */
  get isEmpty(): boolean {
    return Atomics.load(this.words, TAIL_WORD) === Atomics.load(this.words, HEAD_WORD);
  }

  /** Producer: gives the slot back to the ring, once its owner has answered or is known to be dead. */
  release(slot: number): void {
    Atomics.store(this.words, this.#stateWord(slot), FREE);
  }

  /**
   * Producer, or the slot's owner: which filling of the slot this is. An owner sends it back with its answer, so that the answer
   * to a request that was given up is not taken for the answer to the next one in the same slot.
   */
  generation(slot: number): number {
    return Atomics.load(this.words, this.#stateWord(slot) + GENERATION_WORD);
  }

  /** Producer: who holds the slot; −1 while nobody does. */
  ownerOf(slot: number): number {
    const state = Atomics.load(this.words, this.#stateWord(slot));
    return state >= OWNED ? state - OWNED : -1;
  }

  /** Producer: takes back an item that nobody has claimed yet; false when a consumer was faster. */
  revoke(slot: number): boolean {
    return Atomics.compareExchange(this.words, this.#stateWord(slot), FILLED, FREE) === FILLED;
  }

  /**
   * Producer: takes a slot back from a living owner, whose answer is not waited for any more. The generation changes first, so that an
   * owner that is still reading the request notices, and an answer that comes later is known to be late.
   */
  withdraw(slot: number): void {
    Atomics.add(this.words, this.#stateWord(slot) + GENERATION_WORD, 1);
    this.release(slot);
  }

  /** Producer: the slots that `owner` holds. Exact once the owner has ended. */
  heldBy(owner: number): readonly number[] {
    const held: number[] = [];
    for (let slot = 0; slot < this.slots; slot++) {
      if (Atomics.load(this.words, this.#stateWord(slot)) === OWNED + owner) held.push(slot);
    }
    return held;
  }
}
