import type { LogConfig } from "../shared/config.js";
import { RecordRing, recordRingBytes } from "../shared/memory/record-ring.js";
import { MAX_RECORD_BYTES } from "./record.js";

/** Records that fit when all are as long as they can be; of the usual length it is several times as many. */
export const LOG_RECORDS = 1000;
/** What one record takes with its length, and the most that is skipped before the end of the ring. */
const RING_BYTES = 2 ** Math.ceil(Math.log2((LOG_RECORDS + 1) * (MAX_RECORD_BYTES + 16)));

/** The log's shared memory. */
export interface LogMemory {
  /** Main → background thread. */
  readonly ring: SharedArrayBuffer;
  readonly words: SharedArrayBuffer;
}

/** What the background thread needs for the log. */
export interface LogStartup {
  readonly config: LogConfig;
  readonly memory: LogMemory;
  /** The open file. */
  readonly fd: number;
}

export function createLogMemory(): LogMemory {
  return {
    ring: new SharedArrayBuffer(recordRingBytes(RING_BYTES)),
    words: new SharedArrayBuffer(WORDS_BYTES),
  };
}

/** One side's view of the ring: main is its only producer, the background thread its only consumer. */
export function attachLogRing(memory: LogMemory): RecordRing {
  return new RecordRing(memory.ring, RING_BYTES);
}

const WORDS_PER_LINE = 16;
const FREED = 0;
const STALLED = WORDS_PER_LINE;
const REOPEN = 2 * WORDS_PER_LINE;
const WORDS_BYTES = 3 * WORDS_PER_LINE * 4;

/** How writing goes: the values of the word STALLED. */
export const Stall = {
  none: 0,
  /** The reader of a pipe does not keep up. */
  reader: 1,
  /** Writing fails: a full disk, a pipe without a reader. */
  failure: 2,
} as const;
export type Stall = (typeof Stall)[keyof typeof Stall];

/**
 * The log's words, each on a cache line of its own.
 *
 * | word    | written by                                                  | read by           |
 * |---------|-------------------------------------------------------------|-------------------|
 * | FREED   | background: counts up after it has released records, or when STALLED has become a failure | main: before it tries a record, and then waits on that count |
 * | STALLED | background: how writing goes, before FREED counts up        | main: a hint      |
 * | REOPEN  | main: counts up, then wakes the background thread urgently  | background: before each sleep |
 *
 * No room is missed: FREED counts up after the ring's tail has moved, and main reads it before it looks at the tail: either main sees
 * the room, or the count has changed when it waits. A background thread that dies leaves all as it is; main's wait has a time limit.
 */
export class LogWords {
  readonly #words: Int32Array;

  constructor(memory: LogMemory) {
    this.#words = new Int32Array(memory.words);
  }

  get freed(): number {
    return Atomics.load(this.#words, FREED);
  }

  /** Background: there is room again, or no hope of it. */
  countFreed(): void {
    Atomics.add(this.#words, FREED, 1);
    Atomics.notify(this.#words, FREED);
  }

  /** Main: waits until `freed` is no longer `seen`; false when it still is after `timeoutMs`. */
  waitFreed(seen: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#words, FREED, seen, timeoutMs) !== "timed-out";
  }

  get stalled(): Stall {
    return Atomics.load(this.#words, STALLED) as Stall;
  }

  set stalled(stall: Stall) {
    Atomics.store(this.#words, STALLED, stall);
  }

  get reopen(): number {
    return Atomics.load(this.#words, REOPEN);
  }

  countReopen(): void {
    Atomics.add(this.#words, REOPEN, 1);
  }
}
