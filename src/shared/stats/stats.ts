/**
 * The stats segment: counters of all threads in shared memory. One slot per thread, one writer per slot (its thread), plain
 * stores; readers add the slots up. A counter is a float64: exact to 2⁵³, written whole on the 64-bit machines we run on,
 * so a reader sees an old value at worst, never half of one. Slot 0 is the main thread's, slot 1 + i worker i's, the last one the background thread's.
 */

/**
 * Counters of one slot and where they stand in it. Numbers, since a look-up by name on every request would cost more than the
 * count itself.
 */
export const Counter = {
  /** Main: requests whose head arrived. */
  requests: 0,
  /** Main: body bytes handed to the sockets. */
  bodyBytes: 1,
  /** Main: connections opened and closed; their difference is open now. */
  connectionsOpened: 2,
  connectionsClosed: 3,
  /** Main: requests whose answer was not sent in full: the client went or was cut off, or the file ended too early. None of them has a status. */
  aborted: 4,
  /** Main: requests refused because the core's queue was full. */
  shed: 5,
  /** Main: requests that took longer than allowed. */
  timedOut: 6,
  /** Main: requests whose client had gone before a worker took them, and which no worker then took. */
  dropped: 7,
  /** Main: requests queued or in service (a level, not a count). */
  inFlight: 8,
  /** Main: workers that ended without being told to, and were replaced. */
  workersLost: 9,
  /** Main: worker threads now (a level). */
  workers: 10,
  /** Main: event loop, ms in all; longest delay, ms. */
  loopActiveMs: 11,
  loopIdleMs: 12,
  loopDelayMaxMs: 13,
  /** Whoever runs the handler: requests handled, and those whose handler threw. */
  handled: 14,
  handlerErrors: 15,
  /** Promises that were rejected in this thread with nobody listening. */
  unhandledRejections: 16,
  /** Whoever runs the handler, of its file look-ups: answered by its own cache, by the shared one, and by neither. */
  cacheHits: 17,
  cacheSharedHits: 18,
  cacheMisses: 19,
  /** Whoever puts into the shared cache: entries that had to go; entries and files it did not take: too large, no room, no lock. */
  cacheEvictions: 20,
  cacheBypassed: 21,
  /** Main: shards emptied because a thread died inside of their lock. */
  cacheRebuilds: 22,
  /** Main: bytes in use and entries of the shared cache (levels). */
  cacheBytes: 23,
  cacheEntries: 24,
  /** Background: lines of the access log that were written whole; writes that failed. */
  logLines: 25,
  logFailures: 26,
  /** Main: responses for which the access log has no line. */
  logDropped: 27,
  /** Main: connections turned away; requests refused for their head, target, body and for being one too many of their client. */
  limitConnections: 28,
  limitHead: 29,
  limitUrl: 30,
  limitBody: 31,
  limitRate: 32,
  /** Main: connections closed after their last request; responses ended because nobody took them; files for which no descriptor was left. */
  limitConnectionRequests: 33,
  limitSlowReaders: 34,
  limitFiles: 35,
  /** Main: requests that are not as HTTP has them; requests for metrics that are not this client's to see. */
  malformed: 36,
  denied: 37,
  /** Main: bytes of request bodies that arrived for handlers. */
  requestBodyBytes: 38,
  /** Main: responses that a handler is making while they are sent (a level); those that failed before their end. */
  streams: 39,
  streamsFailed: 40,
  /** Main: bytes of shared memory that bodies of requests have on their way to a worker (a level). */
  bodyMemory: 41,
} as const;

export type Counter = (typeof Counter)[keyof typeof Counter];

const fieldNames = Object.keys(Counter) as (keyof typeof Counter)[];
const FIRST_STATUS = 100;
const STATUSES = 500;
/** Fields and responses by status, in whole cache lines of eight counters. */
const SLOT_COUNTERS = Math.ceil((fieldNames.length + STATUSES) / 8) * 8;

/** How a slot is laid out, for whoever reads a copy of the segment: responses by status follow the fields. */
export const statsLayout = {
  fields: fieldNames,
  firstStatus: FIRST_STATUS,
  statuses: STATUSES,
  slotCounters: SLOT_COUNTERS,
} as const;

/** Bytes of shared memory for this many threads. */
export function statsBytes(threads: number): number {
  return threads * SLOT_COUNTERS * Float64Array.BYTES_PER_ELEMENT;
}

/** The slot of one thread: only that thread may write through it. */
export class ThreadStats {
  readonly #counters: Float64Array;

  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#counters = new Float64Array(memory, statsBytes(thread), SLOT_COUNTERS);
  }

  add(field: Counter, count: number): void {
    this.#counters[field]! += count;
  }

  /** Any thread may ask. */
  get(field: Counter): number {
    return this.#counters[field]!;
  }

  set(field: Counter, value: number): void {
    this.#counters[field] = value;
  }

  /** Main: one response with this status went to its socket. */
  addResponse(status: number): void {
    this.#counters[fieldNames.length + status - FIRST_STATUS]! += 1;
  }
}

/** Sums over all threads at about one moment: each counter is exact, but they are read one after the other. */
export interface StatsTotals extends Readonly<Record<keyof typeof Counter, number>> {
  /** Responses by status; only those that occurred. */
  readonly status: Readonly<Record<string, number>>;
}

/** Adds up all slots of the segment, or of a copy. Any thread may call it. */
export function readStats(memory: ArrayBufferLike): StatsTotals {
  const counters = new Float64Array(memory);
  const sum = (offset: number): number => {
    let total = 0;
    for (let slot = 0; slot < counters.length; slot += SLOT_COUNTERS) total += counters[slot + offset]!;
    return total;
  };
  const status: Record<string, number> = {};
  for (let code = 0; code < STATUSES; code++) {
    const count = sum(fieldNames.length + code);
    if (count > 0) status[FIRST_STATUS + code] = count;
  }
  const totals = Object.fromEntries(fieldNames.map((name) => [name, sum(Counter[name])])) as Record<
    keyof typeof Counter,
    number
  >;
  return { ...totals, status };
}
