/**
 * The stats segment: counters of all threads in shared memory. One slot per thread, one writer per slot (its thread), plain
 * stores; readers add the slots up. A counter is a float64: exact to 2⁵³, written whole on the 64-bit machines we run on,
 * so a reader sees an old value at worst, never half of one. Slot 0 is the main thread's, slot 1 + i worker i's.
 */

/** Counters of one slot, in the order they stand in memory. */
const fields = [
  /** Main: requests whose head arrived. */
  "requests",
  /** Main: body bytes handed to the sockets. */
  "bodyBytes",
  /** Main: connections opened and closed; their difference is open now. */
  "connectionsOpened",
  "connectionsClosed",
  /** Main: clients gone before their answer. */
  "aborted",
  /** Main: requests refused because the core's queue was full. */
  "shed",
  /** Main: requests queued or in service (a level, not a count). */
  "inFlight",
  /** Main: workers that ended without being told to, and were replaced. */
  "workersLost",
  /** Main: event loop, ms in all; longest delay, ms. */
  "loopActiveMs",
  "loopIdleMs",
  "loopDelayMaxMs",
  /** Whoever runs the handler: requests handled, and those whose handler threw. */
  "handled",
  "handlerErrors",
  /** Promises that were rejected in this thread with nobody listening. */
  "unhandledRejections",
] as const;

export type StatsField = (typeof fields)[number];

const FIRST_STATUS = 100;
const STATUSES = 500;
const FIELD_OFFSETS = Object.freeze(
  Object.fromEntries(fields.map((field, index) => [field, index])) as Record<StatsField, number>,
);
/** Fields and responses by status, in whole cache lines of eight counters. */
const SLOT_COUNTERS = Math.ceil((fields.length + STATUSES) / 8) * 8;

/** Bytes of shared memory for this many threads. */
export function statsBytes(threads: number): number {
  return threads * SLOT_COUNTERS * Float64Array.BYTES_PER_ELEMENT;
}

/** The slot of the thread that holds it: only that thread may write through it. */
export class ThreadStats {
  readonly #counters: Float64Array;

  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#counters = new Float64Array(memory, statsBytes(thread), SLOT_COUNTERS);
  }

  add(field: StatsField, count: number): void {
    this.#counters[FIELD_OFFSETS[field]]! += count;
  }

  set(field: StatsField, value: number): void {
    this.#counters[FIELD_OFFSETS[field]] = value;
  }

  /** Main: one response with this status went to its socket. */
  addResponse(status: number): void {
    this.#counters[fields.length + status - FIRST_STATUS]! += 1;
  }
}

/** Sums over all threads at about one moment: each counter is exact, but they are read one after the other. */
export interface StatsTotals extends Readonly<Record<StatsField, number>> {
  /** Responses by status; only those that occurred. */
  readonly status: Readonly<Record<string, number>>;
}

/** Adds up all slots. Any thread may call it. */
export function readStats(memory: SharedArrayBuffer): StatsTotals {
  const counters = new Float64Array(memory);
  const sum = (offset: number): number => {
    let total = 0;
    for (let slot = 0; slot < counters.length; slot += SLOT_COUNTERS) total += counters[slot + offset]!;
    return total;
  };
  const status: Record<string, number> = {};
  for (let code = 0; code < STATUSES; code++) {
    const count = sum(fields.length + code);
    if (count > 0) status[FIRST_STATUS + code] = count;
  }
  const totals = Object.fromEntries(fields.map((field) => [field, sum(FIELD_OFFSETS[field])])) as Record<
    StatsField,
    number
  >;
  return { ...totals, status };
}
