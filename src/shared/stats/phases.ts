/**
 * Where a request's time goes, in shared memory: one histogram for each phase. Main writes, any thread reads; plain stores of
 * float64, so a reader sees an old count at worst.
 */

/** The phases of a request, in order. In the reactor nothing waits and nothing comes back: those two are 0. */
export const phaseNames = ["wait", "handler", "back", "write"] as const;
export type Phase = (typeof phaseNames)[number];

/** What is recorded, in the order of the segment: each phase, and all of them together. */
export const recordedNames = [...phaseNames, "total"] as const;
export type Recorded = (typeof recordedNames)[number];

/**
 * One request in this many is measured: the clock is read five times for it. One in four cost the hot path 3% of its CPU; one in
 * sixteen, a quarter of that.
 */
export const SAMPLE_EVERY = 16;

/** Cells per doubling: 3% wide. Values are in ns, up to 2⁴⁰ ns (18 minutes). */
const CELLS_PER_DOUBLING = 32;
const DOUBLINGS = 41;
const CELLS = CELLS_PER_DOUBLING * DOUBLINGS;
/** Before the cells: the sum. */
const SUM_NS = 0;
const HEAD = 1;
const COUNTERS = HEAD + CELLS;

/** Bytes of shared memory. */
export const PHASES_BYTES = recordedNames.length * COUNTERS * Float64Array.BYTES_PER_ELEMENT;

/** How the segment is laid out, for whoever reads a copy of it: two that differ in this cannot read each other. */
export const phasesLayout = {
  recorded: recordedNames,
  counters: COUNTERS,
  cellsPerDoubling: CELLS_PER_DOUBLING,
} as const;

/** Main: records the phases of one measured request, all in ms, times of one clock. */
export class PhaseRecorder {
  readonly #counters: Float64Array;
  #sinceLast = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#counters = new Float64Array(memory);
  }

  /** Whether the next request is one to measure. */
  get isDue(): boolean {
    if (++this.#sinceLast < SAMPLE_EVERY) return false;
    this.#sinceLast = 0;
    return true;
  }

  record(waitMs: number, handlerMs: number, backMs: number, writeMs: number): void {
    this.#add(0, waitMs);
    this.#add(1, handlerMs);
    this.#add(2, backMs);
    this.#add(3, writeMs);
    this.#add(4, waitMs + handlerMs + backMs + writeMs);
  }

  #add(histogram: number, ms: number): void {
    const ns = Math.max(0, ms * 1e6);
    const base = histogram * COUNTERS;
    this.#counters[base + SUM_NS]! += ns;
    this.#counters[base + HEAD + cellOf(ns)]! += 1;
  }
}

/** A histogram as it was at about one moment. */
export interface PhaseHistogram {
  /** Exact; two readings subtracted give the sum over the time between them. */
  readonly sumMicros: number;
  /** What the cells hold together. */
  readonly count: number;
  /** Counts by cell. */
  readonly cells: Float64Array;
}

/** Copies all histograms, so that what is computed from one agrees with itself. Any thread may call it. */
export function readHistograms(memory: ArrayBufferLike): Readonly<Record<Recorded, PhaseHistogram>> {
  const counters = new Float64Array(memory);
  const histograms = recordedNames.map((name, i): readonly [Recorded, PhaseHistogram] => {
    const copy = counters.slice(i * COUNTERS, (i + 1) * COUNTERS);
    const cells = copy.subarray(HEAD);
    return [name, { sumMicros: copy[SUM_NS]! / 1000, count: cells.reduce((sum, n) => sum + n, 0), cells }];
  });
  return Object.fromEntries(histograms) as Record<Recorded, PhaseHistogram>;
}

/** The least time, µs, that at least this share of the values do not exceed: the upper edge of its cell. 0 when there are none. */
export function percentileMicros({ count, cells }: PhaseHistogram, share: number): number {
  let seen = 0;
  const cell = cells.findIndex((n) => {
    seen += n;
    return n > 0 && seen >= share * count;
  });
  return cell === -1 ? 0 : upperEdge(cell) / 1000;
}

/** The cells that are not empty, ascending: upper edge in µs, count. Two readings subtracted give what lies between them. */
export function filledCells({ cells }: PhaseHistogram): readonly (readonly [upperMicros: number, count: number])[] {
  const filled: [number, number][] = [];
  cells.forEach((n, cell) => {
    if (n > 0) filled.push([upperEdge(cell) / 1000, n]);
  });
  return filled;
}

/** How many values lie below 2^exponent ns, an edge between two cells: exact, but for values that are that edge. */
export function countBelow({ cells }: PhaseHistogram, exponent: number): number {
  return cells.subarray(0, exponent * CELLS_PER_DOUBLING).reduce((sum, n) => sum + n, 0);
}

/** Each doubling from 2^k to 2^(k+1) ns has the same number of cells, of equal width. */
function cellOf(ns: number): number {
  if (ns < 1) return 0;
  // Powers and logarithms of floats are calls; nearly all times are shorter than a second, where integers do.
  const doubling = ns < 2 ** 30 ? 31 - Math.clz32(ns) : Math.min(DOUBLINGS - 1, Math.floor(Math.log2(ns)));
  const edge = doubling < 30 ? 1 << doubling : 2 ** doubling;
  const place = Math.floor((ns / edge - 1) * CELLS_PER_DOUBLING);
  return doubling * CELLS_PER_DOUBLING + Math.min(CELLS_PER_DOUBLING - 1, Math.max(0, place));
}

function upperEdge(cell: number): number {
  const doubling = Math.floor(cell / CELLS_PER_DOUBLING);
  return 2 ** doubling * (1 + ((cell % CELLS_PER_DOUBLING) + 1) / CELLS_PER_DOUBLING);
}
