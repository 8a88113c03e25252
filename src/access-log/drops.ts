/** Dropped lines are reported once for a burst: when none was dropped for this long, or when the burst has gone on for longer. */
const QUIET_MS = 1000;
const LONGEST_BURST_MS = 10_000;

/** Tells of dropped lines, each in one message, with a few messages for many lines. */
export class DropReporter {
  /** Reported so far, and dropped at the last look. */
  #reported = 0;
  #seen = 0;
  #startMs = 0;
  #lastMs = 0;

  /** `dropped`: lines that were dropped since the start. Returns the number to tell now, 0 for none. */
  look(dropped: number, nowMs: number): number {
    if (dropped > this.#seen) {
      if (this.#seen === this.#reported) this.#startMs = nowMs;
      this.#lastMs = nowMs;
      this.#seen = dropped;
    }
    const isOver = nowMs - this.#lastMs >= QUIET_MS || nowMs - this.#startMs >= LONGEST_BURST_MS;
    return this.#seen > this.#reported && isOver ? this.take(dropped) : 0;
  }

  /** All that is not reported yet. */
  take(dropped: number): number {
    const count = dropped - this.#reported;
    this.#reported = dropped;
    this.#seen = dropped;
    return count;
  }

  /** When to look again: ms from now; Infinity while there is nothing to tell. */
  get restMs(): number {
    return this.#seen > this.#reported ? QUIET_MS : Number.POSITIVE_INFINITY;
  }
}
