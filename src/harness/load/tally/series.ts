import { Histogram, type StoredHistogram } from "../histogram/histogram.js";
import type { SecondResult } from "../result/run-result.js";

const SECOND_MS = 1000;

/** The accounting of a thread as they stand. */
export interface Accounting {
  readonly completed: number;
  readonly failed: number;
  /** Latencies of the completed. */
  readonly total: Histogram;
}

/** What one thread did in one second of a run. */
export interface ThreadSecond {
  readonly completed: number;
  readonly errors: number;
  /** Total latencies of those completed. */
  readonly latencies: StoredHistogram;
}

/**
 * What a thread did in each second of a run, told by the difference that it made to the accounting: a request costs one comparison of
 * times, and only a second's end looks at the histogram.
 */
export class Series {
  readonly #accounting: Accounting;
  readonly #onSecond: (second: ThreadSecond) => void;
  /** The latencies at the start of the current second. */
  readonly #before = new Histogram();
  #completedBefore = 0;
  #failedBefore = 0;
  #startMs = 0;
  #endMs = Number.POSITIVE_INFINITY;

  /** `onSecond` is given each second when it is over, in order; none is kept here, since a run may take a day. */
  constructor(accounting: Accounting, onSecond: (second: ThreadSecond) => void) {
    this.#accounting = accounting;
    this.#onSecond = onSecond;
  }

  /** The first second begins. */
  start(nowMs: number): void {
    this.#startMs = nowMs;
    this.#endMs = nowMs + SECOND_MS;
  }

  /** Closes the seconds that are over. To be called before what happens at `nowMs` goes into the accounting. */
  reach(nowMs: number): void {
    while (nowMs >= this.#endMs) this.#close();
  }

  /** Closes the last second, whole or not. */
  finish(nowMs: number): void {
    this.reach(nowMs);
    if (nowMs > this.#startMs) this.#close();
  }

  #close(): void {
    const { completed, failed, total } = this.#accounting;
    const ended = completed - this.#completedBefore;
    this.#onSecond({
      completed: ended,
      errors: failed - this.#failedBefore,
      latencies: total.since(this.#before),
    });
    if (ended > 0) this.#before.copyFrom(total);
    this.#completedBefore = completed;
    this.#failedBefore = failed;
    this.#startMs = this.#endMs;
    this.#endMs += SECOND_MS;
  }
}

/** One second, as far as threads have told of it. */
interface OpenSecond {
  completed: number;
  errors: number;
  readonly latencies: Histogram;
  /** Threads that have told of it. */
  threads: number;
}

/** The seconds of a run, added up over its threads: a percentile is that of all latencies, not a mean of percentiles. */
export class Seconds {
  readonly #threads: number;
  /** How many seconds each thread has told of. */
  readonly #told: number[];
  /** Seconds of which all threads have told. */
  readonly #whole: SecondResult[] = [];
  /** Those that follow them. */
  readonly #open: OpenSecond[] = [];

  constructor(threads: number) {
    this.#threads = threads;
    this.#told = new Array<number>(threads).fill(0);
  }

  /** Takes the next second of a thread. */
  add(thread: number, { completed, errors, latencies }: ThreadSecond): void {
    const index = this.#told[thread]!++ - this.#whole.length;
    this.#open[index] ??= { completed: 0, errors: 0, latencies: new Histogram(), threads: 0 };
    const second = this.#open[index];
    second.completed += completed;
    second.errors += errors;
    second.latencies.merge(Histogram.fromStored(latencies));
    second.threads++;
    while (this.#open[0]?.threads === this.#threads) this.#close();
  }

  /** All seconds, when no thread tells of any more: in the last ones some may have done nothing. */
  finish(): readonly SecondResult[] {
    while (this.#open.length > 0) this.#close();
    return this.#whole;
  }

  #close(): void {
    const { completed, errors, latencies } = this.#open.shift()!;
    this.#whole.push({ completed, errors, p99: latencies.valueAtPercentile(99) });
  }
}
