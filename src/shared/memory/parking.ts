/**
 * Where idle workers sleep. Three words per worker, on a cache line of their own within memory that others may use beside them:
 * - the place: the worker writes PARKED and waits while it stands; whoever has work swaps it back and wakes that worker. Main swaps
 *   PARKED for RETIRED to send an idle worker home. RETIRED stays: a worker that sees work first cannot overwrite it.
 * - the task: the worker writes what it runs synchronously, and 0 when it returns to its own loop; main reads it to find out whether a
 *   worker is stuck. A worker that dies leaves its last task behind; its successor starts with none.
 * - the looks: the worker counts how often it has looked for work; main reads it to find a worker that no longer does. Only that it
 *   changes matters, so it may wrap, and a successor goes on from its predecessor's count.
 *
 * No wake-up is lost: the worker announces itself, looks for work again, and only then waits on the value it wrote; the
 * producer publishes its items before it looks for parked workers. In any order of the two, one of them sees the other.
 * A worker that dies parked leaves PARKED behind: the wake-up spent on it is harmless, and its successor starts with `enter`.
 */

const AWAKE = 0;
const PARKED = 1;
const RETIRED = 2;
/** The word between them is whoever's the line is. */
const TASK_WORD = 2;
const LOOKS_WORD = 3;

/** Where the places lie, in Int32 words. */
export interface ParkingLayout {
  /** The place of worker 0: the first word of a cache line. */
  readonly firstWord: number;
  /** From one worker's place to the next one's: whole cache lines. */
  readonly strideWords: number;
}

/** One thread's view of the places. */
export class Parking {
  readonly #words: Int32Array;
  readonly #workers: number;
  readonly #firstWord: number;
  readonly #strideWords: number;

  constructor(memory: SharedArrayBuffer, workers: number, { firstWord, strideWords }: ParkingLayout) {
    this.#words = new Int32Array(memory);
    this.#workers = workers;
    this.#firstWord = firstWord;
    this.#strideWords = strideWords;
  }

  #place(worker: number): number {
    return this.#firstWord + worker * this.#strideWords;
  }

  /** Worker: notes the task it is about to run; 0 for none. Plain: it is looked at seconds later, if ever. */
  note(worker: number, task: number): void {
    this.#words[this.#place(worker) + TASK_WORD] = task;
  }

  /** Any thread: the task that a worker noted last. */
  taskOf(worker: number): number {
    return Atomics.load(this.#words, this.#place(worker) + TASK_WORD);
  }

  /** Worker: it looks for work once more. Plain: it is its only writer, and is looked at seconds later, if ever. */
  noteLook(worker: number): void {
    this.#words[this.#place(worker) + LOOKS_WORD]! += 1;
  }

  /** Any thread: how often a worker has looked for work, modulo 2³². */
  looksOf(worker: number): number {
    return Atomics.load(this.#words, this.#place(worker) + LOOKS_WORD);
  }

  /** Any thread: whether a worker sleeps. */
  isParked(worker: number): boolean {
    return Atomics.load(this.#words, this.#place(worker)) === PARKED;
  }

  /** Main: tells a sleeping worker to end; false when it does not sleep. */
  retire(worker: number): boolean {
    const word = this.#place(worker);
    if (Atomics.compareExchange(this.#words, word, PARKED, RETIRED) !== PARKED) return false;
    Atomics.notify(this.#words, word);
    return true;
  }

  /** Worker: takes a place, whatever its predecessor left there. */
  enter(worker: number): void {
    Atomics.store(this.#words, this.#place(worker), AWAKE);
    this.note(worker, 0);
  }

  /** Worker: announces that it is about to sleep; false when it was told to end. It must look for work once more before it waits. */
  announce(worker: number): boolean {
    return Atomics.compareExchange(this.#words, this.#place(worker), AWAKE, PARKED) !== RETIRED;
  }

  /** Worker: takes the announcement back. */
  leave(worker: number): void {
    Atomics.compareExchange(this.#words, this.#place(worker), PARKED, AWAKE);
  }

  /** Worker: sleeps until woken or for `timeoutMs`; the thread stands still, its timers and I/O too. False: it was not woken, and is still parked. */
  wait(worker: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#words, this.#place(worker), PARKED, timeoutMs) !== "timed-out";
  }

  /** Worker: resolves when woken, while its event loop goes on; undefined when it has been woken already. */
  waitAsync(worker: number): Promise<unknown> | undefined {
    const outcome = Atomics.waitAsync(this.#words, this.#place(worker), PARKED);
    return outcome.async ? outcome.value : undefined;
  }

  /** Producer: wakes at most `count` parked workers and tells how many. */
  wake(count: number): number {
    let woken = 0;
    for (let worker = 0; worker < this.#workers && woken < count; worker++) {
      const word = this.#place(worker);
      // A plain look first: a compare-and-swap on the line of a busy worker would take it away from that worker.
      if (Atomics.load(this.#words, word) !== PARKED) continue;
      if (Atomics.compareExchange(this.#words, word, PARKED, AWAKE) !== PARKED) continue;
      // All waiters on the word are this one worker: an asynchronous wait it has left behind must not use the wake-up up.
      Atomics.notify(this.#words, word);
      woken++;
    }
    return woken;
  }
}
