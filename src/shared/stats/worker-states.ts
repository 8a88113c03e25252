import { Counter, ThreadStats } from "./stats.js";
import { StatusSegment } from "./status-segment.js";

/** What a core with workers and a queue hands to those who look at them. */
export interface WorkersView {
  /** Places for workers. */
  readonly workers: number;
  /** `statusBytes(workers)` of status segment. */
  readonly status: SharedArrayBuffer;
}

/** One place for a worker, as it was at about one moment. */
export interface WorkerMetrics {
  readonly worker: number;
  /**
   * absent: no worker takes requests there. idle: it sleeps until there is work; promises of its handlers may be pending. busy: it
   * runs a handler, or what its handlers have left to its event loop.
   */
  readonly state: "absent" | "idle" | "busy";
  /** It has been so for this long at least, ms; 0 when it changed since the last sample, null when nobody samples. */
  readonly forMs: number | null;
  /** Method and path of the request whose handler it runs; null while it runs none. */
  readonly on: string | null;
  /** Requests that were handled in this place. */
  readonly handled: number;
}

/** What can be seen of a core from outside. */
export interface CoreMetrics {
  /** Requests that wait for a worker; null for a core without a queue. */
  readonly queued: number | null;
  /** By place; none for a core without workers. */
  readonly workerStates: readonly WorkerMetrics[];
}

/**
 * Samples: what the sampler saw last of each worker and since when. Three words per worker in the status segment: written by the sampler,
 * the background thread, in the order since, handled, condition; read by any thread in the opposite order. A reader that finds the
 * condition and the count that it sees itself has a time that belongs to them, or a later one, and never says too long. If the sampler
 * dies, times go on from its last look; between two of its words it leaves a condition that does not match, and so no time.
 */
const SINCE = 0;
const HANDLED = 1;
const CONDITION = 2;

/** Bits of a condition. A word of 0 was never written. */
const SEEN = 1;
const PRESENT = 2;
const PARKED = 4;
const RUNNING = 8;

/**
 * Looks at workers without stopping them. That a worker is at the same thing as before is told by its condition and its count of handled
 * requests.
 */
export class WorkersWatch {
  readonly #status: StatusSegment;
  readonly #stats: readonly ThreadStats[];

  constructor(view: WorkersView, stats: SharedArrayBuffer) {
    this.#status = new StatusSegment(view.status, view.workers);
    this.#stats = Array.from({ length: view.workers }, (_, worker) => new ThreadStats(stats, 1 + worker));
  }

  #condition(worker: number): number {
    const parked = this.#status.isIdle(worker) ? PARKED : 0;
    const present = this.#status.isPresent(worker) ? PRESENT : 0;
    return SEEN | present | parked | (this.#status.isRunning(worker) ? RUNNING : 0);
  }

  /** Sampler, one thread only: notes what has changed. `nowMs` is the common clock's (clock.ts). */
  sample(nowMs: number): void {
    const { words } = this.#status;
    this.#stats.forEach((stats, worker) => {
      const word = this.#status.sampleWord(worker);
      const condition = this.#condition(worker);
      const handled = stats.get(Counter.handled) | 0;
      if (words[word + CONDITION] === condition && words[word + HANDLED] === handled) return;
      Atomics.store(words, word + SINCE, wrap(nowMs));
      Atomics.store(words, word + HANDLED, handled);
      Atomics.store(words, word + CONDITION, condition);
    });
  }

  /** Any thread: how things stand now. `nowMs` is the common clock's (clock.ts). */
  read(nowMs: number): CoreMetrics {
    return {
      queued: this.#status.queued(),
      workerStates: this.#stats.map((stats, worker) => this.#read(stats, worker, nowMs)),
    };
  }

  #read(stats: ThreadStats, worker: number, nowMs: number): WorkerMetrics {
    const { words } = this.#status;
    const condition = this.#condition(worker);
    const handled = stats.get(Counter.handled);
    const word = this.#status.sampleWord(worker);
    const seen = Atomics.load(words, word + CONDITION);
    const seenHandled = Atomics.load(words, word + HANDLED);
    const sinceMs = Atomics.load(words, word + SINCE);
    const isSame = seen === condition && seenHandled === (handled | 0);
    const isPresent = (condition & PRESENT) !== 0;
    return {
      worker,
      state: !isPresent ? "absent" : (condition & PARKED) !== 0 ? "idle" : "busy",
      forMs: seen === 0 ? null : isSame ? Math.max(0, wrap(wrap(nowMs) - sinceMs)) : 0,
      on: isPresent && (condition & RUNNING) !== 0 ? this.#status.requestOf(worker) : null,
      handled,
    };
  }
}

/** Times in a word: their differences are right up to 24 days. */
function wrap(ms: number): number {
  return Math.floor(ms) | 0;
}
