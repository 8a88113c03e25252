import { Histogram } from "./histogram.js";
import type { SecondResult } from "./run-result.js";

const SECOND_MS = 1000;

/** The books of a run as they stand. */
export interface Books {
  readonly completed: number;
  readonly failed: number;
  /** Latencies of the completed. */
  readonly total: Histogram;
}

/**
 * What happened in each second of a run, told by the difference that it made to the books: a request costs one comparison of times,
 * and only a second's end looks at the histogram.
 */
export class Series {
  readonly #books: Books;
  readonly #seconds: SecondResult[] = [];
  /** The latencies at the start of the current second. */
  readonly #before = new Histogram();
  #completedBefore = 0;
  #failedBefore = 0;
  #startMs = 0;
  #endMs = Number.POSITIVE_INFINITY;

  constructor(books: Books) {
    this.#books = books;
  }

  /** The first second begins. */
  start(nowMs: number): void {
    this.#startMs = nowMs;
    this.#endMs = nowMs + SECOND_MS;
  }

  /** Closes the seconds that are over. To be called before what happens at `nowMs` goes into the books. */
  reach(nowMs: number): void {
    while (nowMs >= this.#endMs) this.#close();
  }

  /** Closes the last second, whole or not. */
  finish(nowMs: number): readonly SecondResult[] {
    this.reach(nowMs);
    if (nowMs > this.#startMs) this.#close();
    return this.#seconds;
  }

  #close(): void {
    const { completed, failed, total } = this.#books;
    const ended = completed - this.#completedBefore;
    this.#seconds.push({
      completed: ended,
      errors: failed - this.#failedBefore,
      p99: total.percentileSince(this.#before, 99),
    });
    if (ended > 0) this.#before.copyFrom(total);
    this.#completedBefore = completed;
    this.#failedBefore = failed;
    this.#startMs = this.#endMs;
    this.#endMs += SECOND_MS;
  }
}
