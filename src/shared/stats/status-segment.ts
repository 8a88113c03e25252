/**
 * The status segment: what a core with workers and a queue shows of them, in shared memory that any such core can fill. Read by
 * /stats.json and /metrics (main thread) and by the stats mirror (background thread); readers decide nothing by it.
 *
 * Int32 words: 32 for the queue, then 64 per worker: 32 with the word that others look at to wake it, and 32 with what it writes for every
 * request. 32 words are two cache lines, since processors fetch lines in pairs.
 *
 * | word         | written by                                        | order                     | if the writer dies there |
 * |--------------|---------------------------------------------------|---------------------------|--------------------------|
 * | `entered`    | main: +1 for a queued request, −1 for a revoked one | none: a count           | (the process ends)       |
 * | `activity`   | the core: IDLE while the worker sleeps until there is work | the core's; the pool's workers sleep on this word (parking.ts) | absent is shown, whatever stands here |
 * | `presence`   | main: 1 while a worker that takes requests is in place | none: plain information | (the process ends)      |
 * | `taken`      | worker: +1 for each request it took; main when the worker has ended | none: a count | main sets it right: `setTaken` |
 * | `request`, path words | worker: method and bytes of the path, and its first bytes | before `mark` | the old mark does not match |
 * | `mark`       | worker: hash of `request` and the path words while it runs them, 0 otherwise | after the words it marks | main notes that it is absent; its successor begins with 0 |
 * | samples      | background thread, see worker-states.ts           |                           |                          |
 *
 * A reader copies the words, hashes its copy, and shows it only if the hash is the mark that it has read: half of two requests does not
 * hash to the mark of either. That needs no order between the stores, so plain ones do: all of a request together take about 20 ns for a
 * short path (`npm run bench`).
 */
const PAIR_WORDS = 32;
const ENTERED_WORD = 0;

/** Words between two workers' first words. */
export const WORKER_WORDS = 64;
/** The first worker's first word, `activity`. Words 2 to 15 after it are the core's own. */
export const FIRST_WORKER_WORD = PAIR_WORDS;
/** Value of `activity`: the worker sleeps until there is work. Everything else: it does not. */
export const IDLE = 1;

const PRESENCE_WORD = 1;
/** Three words of the sampler's, worker-states.ts. */
const SAMPLE_WORD = 16;
const TAKEN_WORD = PAIR_WORDS;
const MARK_WORD = PAIR_WORDS + 1;
/** Bytes of the path << 4 | number of the method. */
const REQUEST_WORD = PAIR_WORDS + 2;
const PATH_WORD = PAIR_WORDS + 3;

/** Bytes of a path that are shown. */
export const SHOWN_PATH_BYTES = 80;
const METHOD_BITS = 4;

/** Methods by their numbers. */
export const methods: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];
/** Number of every other one: its name and a space stand before the path. */
export const OTHER_METHOD = 2 ** METHOD_BITS - 1;

/** The number of a method. */
export function methodNumber(method: string): number {
  const number = methods.indexOf(method);
  return number === -1 ? OTHER_METHOD : number;
}

/** Bytes of shared memory for the status of `workers` workers; zeroed. */
export function statusBytes(workers: number): number {
  return (FIRST_WORKER_WORD + workers * WORKER_WORDS) * 4;
}

/** One thread's view of the segment. */
export class StatusSegment {
  readonly words: Int32Array;
  readonly #workers: number;
  /** Worker: the mark of what `prepare` has written. */
  #prepared = 0;

  constructor(memory: SharedArrayBuffer, workers: number) {
    this.words = new Int32Array(memory);
    this.#workers = workers;
  }

  /** Main: a request was queued. */
  enter(): void {
    this.words[ENTERED_WORD]! += 1;
  }

  /** Main: a queued request was taken back before a worker took it. */
  revoke(): void {
    this.words[ENTERED_WORD]! -= 1;
  }

  /** Main: notes whether a worker that takes requests is in place. */
  setPresence(worker: number, isPresent: boolean): void {
    Atomics.store(this.words, firstWord(worker) + PRESENCE_WORD, isPresent ? 1 : 0);
  }

  /** Main, once the worker has ended: how many requests were taken in this place. It may have died before it counted the last one. */
  setTaken(worker: number, count: number): void {
    Atomics.store(this.words, firstWord(worker) + TAKEN_WORD, count);
  }

  /** Worker, at its start: whatever its predecessor ran is over. */
  start(worker: number): void {
    this.end(worker);
  }

  /** Worker: it has taken a request from the queue. */
  take(worker: number): void {
    this.words[firstWord(worker) + TAKEN_WORD]! += 1;
  }

  /**
   * Worker: writes the request that it is about to run, and shows it with `begin`. `method` is its number; the path's UTF-8 starts at word
   * `pathWord` of `from`.
   */
  prepare(worker: number, method: number, from: Int32Array, pathWord: number, pathBytes: number): void {
    const words = this.words;
    const first = firstWord(worker) + PATH_WORD;
    const request = (pathBytes << METHOD_BITS) | method;
    words[first + REQUEST_WORD - PATH_WORD] = request;
    let mark = markWith(0, request);
    const pathWords = wordsOf(pathBytes);
    for (let i = 0; i < pathWords; i++) {
      const word = from[pathWord + i]!;
      words[first + i] = word;
      mark = markWith(mark, word);
    }
    this.#prepared = mark === 0 ? 1 : mark;
  }

  /** Worker: it runs what it has prepared. */
  begin(worker: number): void {
    this.words[firstWord(worker) + MARK_WORD] = this.#prepared;
  }

  /** Worker: the handler has returned. */
  end(worker: number): void {
    this.words[firstWord(worker) + MARK_WORD] = 0;
  }

  /** Any thread: whether the worker sleeps until there is work. */
  isIdle(worker: number): boolean {
    return Atomics.load(this.words, firstWord(worker)) === IDLE;
  }

  /** Any thread: whether a worker that takes requests is in place, as main noted last. */
  isPresent(worker: number): boolean {
    return Atomics.load(this.words, firstWord(worker) + PRESENCE_WORD) === 1;
  }

  /** Any thread: whether the worker runs a handler. */
  isRunning(worker: number): boolean {
    return Atomics.load(this.words, firstWord(worker) + MARK_WORD) !== 0;
  }

  /** Any thread: about how many requests wait for a worker. */
  queued(): number {
    // Modulo 2³², as the counts are. Those that are queued while this adds up only make the result greater.
    let queued = 0;
    for (let worker = 0; worker < this.#workers; worker++) {
      queued = (queued - Atomics.load(this.words, firstWord(worker) + TAKEN_WORD)) | 0;
    }
    return Math.max(0, (queued + Atomics.load(this.words, ENTERED_WORD)) | 0);
  }

  /** Any thread: method and path of the request that the worker runs, "GET /hello"; null while it runs none, or is between two. */
  requestOf(worker: number): string | null {
    const first = firstWord(worker);
    const mark = Atomics.load(this.words, first + MARK_WORD);
    if (mark === 0) return null;
    // A copy: what is hashed must be what is shown.
    const request = Atomics.load(this.words, first + REQUEST_WORD);
    const pathBytes = request >>> METHOD_BITS;
    const path = this.words.slice(first + PATH_WORD, first + PATH_WORD + wordsOf(pathBytes));
    const found = path.reduce(markWith, markWith(0, request));
    if (mark !== (found === 0 ? 1 : found)) return null;
    const shown = new Uint8Array(path.buffer, 0, Math.min(pathBytes, SHOWN_PATH_BYTES));
    // As a stream: a character that is cut in two at the end is left out.
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(shown, { stream: true });
    const method = methods[request & (2 ** METHOD_BITS - 1)];
    return `${method === undefined ? "" : `${method} `}${text}${pathBytes > SHOWN_PATH_BYTES ? "…" : ""}`;
  }

  /** The sampler's first word for a worker. */
  sampleWord(worker: number): number {
    return firstWord(worker) + SAMPLE_WORD;
  }
}

function firstWord(worker: number): number {
  return FIRST_WORKER_WORD + worker * WORKER_WORDS;
}

function wordsOf(pathBytes: number): number {
  return (Math.min(pathBytes, SHOWN_PATH_BYTES) + 3) >> 2;
}

/** One step of a multiplicative hash over words; each word of the input changes the result. */
function markWith(mark: number, word: number): number {
  const mixed = Math.imul(mark ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
