import { ClaimRing, type ClaimRingShape, claimRingBytes } from "../shared/memory/claim-ring.js";
import { DOORBELL_BYTES, Doorbell } from "../shared/memory/doorbell.js";
import { PageArena, pageArenaBytes, pagesFor } from "../shared/memory/page-arena.js";
import { Parking } from "../shared/memory/parking.js";
import { RecordRing, recordRingBytes } from "../shared/memory/record-ring.js";
import { FIRST_WORKER_WORD, StatusSegment, statusBytes, WORKER_WORDS } from "../shared/stats/status-segment.js";

/** Payload of a slot: nearly all paths and queries fit, and the slots in use stay close together. */
const REQUEST_BYTES = 496;
/** Answers of one worker that wait for the main thread; what does not fit takes the message channel. */
const ANSWER_RING_BYTES = 2 ** 20;

/** The places are the words `activity`; PARKED is IDLE. */
const PARKING_SLOTS = { firstWord: FIRST_WORKER_WORD, strideWords: WORKER_WORDS } as const;

/** The pool's shared memory, as it is handed to a worker. */
export interface PoolMemory {
  readonly workers: number;
  readonly requestShape: ClaimRingShape;
  /** Main → workers. */
  readonly requests: SharedArrayBuffer;
  /** Main → workers: bodies and long texts of requests, see request-layout.ts. */
  readonly pages: SharedArrayBuffer;
  readonly pageCount: number;
  /** Worker i → main. */
  readonly answers: readonly SharedArrayBuffer[];
  /** The status segment: workers sleep on its words `activity`, so that what others see of them is what is. */
  readonly status: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
}

/** Allocates the memory of a pool; `slots` is a power of two. Memory that is never used costs nothing. */
export function createPoolMemory(workers: number, slots: number, bodyMemoryBytes: number): PoolMemory {
  const pageCount = pagesFor(bodyMemoryBytes);
  const requestShape = { slots, payloadBytes: REQUEST_BYTES };
  return {
    workers,
    requestShape,
    requests: new SharedArrayBuffer(claimRingBytes(requestShape)),
    pages: new SharedArrayBuffer(pageArenaBytes(pageCount)),
    pageCount,
    answers: Array.from({ length: workers }, () => new SharedArrayBuffer(recordRingBytes(ANSWER_RING_BYTES))),
    status: new SharedArrayBuffer(statusBytes(workers)),
    doorbell: new SharedArrayBuffer(DOORBELL_BYTES),
  };
}

/** A thread's views of the memory that all share. */
export function attachPool(memory: PoolMemory) {
  return {
    requests: new ClaimRing(memory.requests, memory.requestShape),
    arena: new PageArena(memory.pages, memory.pageCount),
    parking: new Parking(memory.status, memory.workers, PARKING_SLOTS),
    status: new StatusSegment(memory.status, memory.workers),
    doorbell: new Doorbell(memory.doorbell),
  };
}

/** One side's view of a worker's answers. */
export function attachAnswers(memory: PoolMemory, worker: number): RecordRing {
  return new RecordRing(memory.answers[worker]!, ANSWER_RING_BYTES);
}
