/**
 * Where a request's time goes, in shared memory: one histogram for each phase. Main writes, any thread reads; plain stores of
 * float64, so a reader sees an old count at worst.
 */

/** The phases of a request, in order. In the reactor nothing waits and nothing comes back: those two are 0. */
export const phaseNames = ["wait", "handler", "back", "write"] as const;
export type Phase = (typeof phaseNames)[number];

/**
 * One request in this many is measured: the clock is read five times for it. One in four cost the hot path 3% of its CPU; one in
 * sixteen, a quarter of that.
 */
export const SAMPLE_EVERY = 16;

/** Cells per doubling: 3% wide. Values are in ns, up to 2⁴⁰ ns (18 minutes). */
const CELLS_PER_DOUBLING = 32;
const DOUBLINGS = 41;
const CELLS = CELLS_PER_DOUBLING * DOUBLINGS;
/** Before the cells: count and sum. */
const COUNT = 0;
const SUM_NS = 1;
const HEAD = 2;
const COUNTERS = HEAD + CELLS;

/** Bytes of shared memory. */
export const PHASES_BYTES = phaseNames.length * COUNTERS * Float64Array.BYTES_PER_ELEMENT;

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
  }

  #add(phase: number, ms: number): void {
    const ns = Math.max(0, ms * 1e6);
    const base = phase * COUNTERS;
    this.#counters[base + COUNT]! += 1;
    this.#counters[base + SUM_NS]! += ns;
    this.#counters[base + HEAD + cellOf(ns)]! += 1;
  }
}

/** Figures of one phase, µs. */
export interface PhaseFigures {
  readonly count: number;
  /** Exact; two readings subtracted give the sum over the time between them. */
  readonly sumMicros: number;
  readonly p50Micros: number;
  readonly p90Micros: number;
  readonly p99Micros: number;
}

/** Reads all phases. Any thread may call it. */
export function readPhases(memory: SharedArrayBuffer): Readonly<Record<Phase, PhaseFigures>> {
  const counters = new Float64Array(memory);
  const figures = phaseNames.map((_, phase): PhaseFigures => {
    const cells = counters.subarray(phase * COUNTERS, (phase + 1) * COUNTERS);
    const count = cells[COUNT]!;
    const at = (share: number): number => {
      let seen = 0;
      const cell = cells.subarray(HEAD).findIndex((n) => {
        seen += n;
        return n > 0 && seen >= share * count;
      });
      return cell === -1 ? 0 : upperEdge(cell) / 1000;
    };
    return { count, sumMicros: cells[SUM_NS]! / 1000, p50Micros: at(0.5), p90Micros: at(0.9), p99Micros: at(0.99) };
  });
  return Object.fromEntries(phaseNames.map((name, phase) => [name, figures[phase]!])) as Record<Phase, PhaseFigures>;
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
