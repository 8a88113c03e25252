import { ClaimRing, type ClaimRingShape } from "../memory/claim-ring.js";
import { Parking } from "../memory/parking.js";
import { RequestReader } from "../request-codec.js";
import { Field, ThreadStats } from "./stats.js";

/** The memory of a core with workers and a queue, for those who only look. */
export interface WorkersView {
  /** Places for workers. */
  readonly workers: number;
  readonly parking: SharedArrayBuffer;
  readonly requests: SharedArrayBuffer;
  readonly requestShape: ClaimRingShape;
  readonly longRequests: SharedArrayBuffer;
  /** `sightingsBytes(workers)` of zeros. */
  readonly sightings: SharedArrayBuffer;
}

/** One place for a worker, as it was at about one moment. */
export interface WorkerFigures {
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
export interface CoreFigures {
  /** Requests that wait for a worker; null for a core without a queue. */
  readonly queued: number | null;
  /** By place; none for a core without workers. */
  readonly workerStates: readonly WorkerFigures[];
}

/**
 * Sightings: what the sampler saw last in each place and since when. Three words per place: written by the sampler, the background
 * thread, in the order since, handled, condition; read by any thread in the opposite order. A reader that finds the condition and the
 * count that it sees itself has a time that belongs to them, or a later one, and never says too long. If the sampler dies, times
 * go on from its last look; between two of its words it leaves a condition that does not match, and so no time.
 */
const SIGHTING_WORDS = 3;
const SINCE_WORD = 0;
const HANDLED_WORD = 1;
const CONDITION_WORD = 2;

/** Bytes of shared memory for the sightings of `workers` places. */
export function sightingsBytes(workers: number): number {
  return workers * SIGHTING_WORDS * 4;
}

/** Bits of a condition; above them the task. A word of 0 was never written. */
const SEEN = 1;
const PRESENT = 2;
const PARKED = 4;
const TASK_SHIFT = 3;

/**
 * Looks at workers without costing them anything: they write the words of the parking anyway. That a worker is at the same thing as
 * before is told by its task and its count of requests.
 */
export class WorkersWatch {
  readonly #parking: Parking;
  readonly #ring: ClaimRing;
  readonly #requests: RequestReader;
  readonly #sightings: Int32Array;
  readonly #stats: readonly ThreadStats[];

  constructor(view: WorkersView, stats: SharedArrayBuffer) {
    this.#parking = new Parking(view.parking, view.workers);
    this.#ring = new ClaimRing(view.requests, view.requestShape);
    this.#requests = new RequestReader(this.#ring, view.longRequests);
    this.#sightings = new Int32Array(view.sightings);
    this.#stats = Array.from({ length: view.workers }, (_, worker) => new ThreadStats(stats, 1 + worker));
  }

  #condition(worker: number): number {
    const parked = this.#parking.isParked(worker) ? PARKED : 0;
    const present = this.#parking.isPresent(worker) ? PRESENT : 0;
    return SEEN | present | parked | (this.#parking.taskOf(worker) << TASK_SHIFT);
  }

  /** Sampler, one thread only: notes what has changed. `nowMs` is the common clock's (clock.ts). */
  sample(nowMs: number): void {
    this.#stats.forEach((stats, worker) => {
      const word = worker * SIGHTING_WORDS;
      const condition = this.#condition(worker);
      const handled = stats.get(Field.handled) | 0;
      const words = this.#sightings;
      if (words[word + CONDITION_WORD] === condition && words[word + HANDLED_WORD] === handled) return;
      Atomics.store(words, word + SINCE_WORD, wrap(nowMs));
      Atomics.store(words, word + HANDLED_WORD, handled);
      Atomics.store(words, word + CONDITION_WORD, condition);
    });
  }

  /** Any thread: how things stand now. `nowMs` is the common clock's (clock.ts). */
  read(nowMs: number): CoreFigures {
    return {
      queued: this.#ring.queued(),
      workerStates: this.#stats.map((stats, worker) => this.#read(stats, worker, nowMs)),
    };
  }

  #read(stats: ThreadStats, worker: number, nowMs: number): WorkerFigures {
    const condition = this.#condition(worker);
    const handled = stats.get(Field.handled);
    const word = worker * SIGHTING_WORDS;
    const seen = Atomics.load(this.#sightings, word + CONDITION_WORD);
    const seenHandled = Atomics.load(this.#sightings, word + HANDLED_WORD);
    const sinceMs = Atomics.load(this.#sightings, word + SINCE_WORD);
    const isSame = seen === condition && seenHandled === (handled | 0);
    return {
      worker,
      state: (condition & PRESENT) === 0 ? "absent" : (condition & PARKED) !== 0 ? "idle" : "busy",
      forMs: seen === 0 ? null : isSame ? Math.max(0, wrap(wrap(nowMs) - sinceMs)) : 0,
      on: (condition & PRESENT) === 0 ? null : this.#requestOf(worker, condition >> TASK_SHIFT),
      handled,
    };
  }

  /** The owner and the turn before and after: if both stayed, so did the request that was read. */
  #requestOf(worker: number, task: number): string | null {
    if (task === 0) return null;
    const ring = this.#ring;
    const slot = task - 1;
    const turn = ring.turn(slot);
    if (ring.ownerOf(slot) !== worker) return null;
    const { method, path } = this.#requests.read(slot);
    if (ring.ownerOf(slot) !== worker || ring.turn(slot) !== turn) return null;
    return `${method} ${path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path}`;
  }
}

/** Characters of a path that are shown. */
const MAX_PATH = 80;

/** Times in a word: their differences are right up to 24 days. */
function wrap(ms: number): number {
  return Math.floor(ms) | 0;
}
